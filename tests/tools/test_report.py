"""report: a page that stands alone, says nothing that the JSON does not, and keeps hostile names in their place."""
import html.parser
import json
import re
import unittest
import xml.etree.ElementTree as xml

import report_data
from support import Models, ProgramTest

models = Models()


class Page(html.parser.HTMLParser):
    """What a browser would see: elements with attributes, and the text of those with a data-key."""

    VOID = {"meta", "br", "link", "img", "input", "hr"}

    def __init__(self, text):
        super().__init__()
        self.elements, self.figures, self.open, self.text, self.badly_nested = [], [], [], "", []
        self._figure = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag not in self.VOID:
            self.open.append(tag)
        if "data-key" in attributes:
            self._figure = [attributes, ""]

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.badly_nested.append(tag)
        if self._figure and tag == "span":
            self.figures.append(tuple(self._figure))
            self._figure = None

    def handle_data(self, data):
        self.text += data
        if self._figure:
            self._figure[1] += data


def at(document, pointer):
    """The value that a JSON Pointer names."""
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def rounded_wrongly(document, attributes, shown):
    """Why a printed figure is not the value at its key, rounded; "" when it is."""
    value = at(document, attributes["data-key"]) * float(attributes.get("data-scale", 1))
    shown = shown.replace("−", "-")
    decimals = len(shown.partition(".")[2])
    if abs(float(shown) - value) <= 0.5 * 10 ** -decimals * (1 + 1e-9):
        return ""
    return f"{attributes['data-key']}: {value} is shown as {shown}"


class ReportTest(ProgramTest):
    def report(self, results, *arguments, suffix="html"):
        path = self.file("results.json", json.dumps(results))
        out = self.folder / f"report.{suffix}"
        self.ok("report", path, *arguments, "-o", out, "--force")
        return out.read_text(encoding="utf-8")

    def whole(self):
        sensitivity = self.file("sensitivity.json", json.dumps(report_data.SENSITIVITY))
        calibration = self.file("calibration.json", json.dumps(report_data.CALIBRATION))
        return sensitivity, calibration


class ThePage(ReportTest):
    def setUp(self):
        super().setUp()
        self.html = self.report(report_data.results(), *self.whole())
        self.page = Page(self.html)
        self.json = json.loads(self.report(report_data.results(), *self.whole(), suffix="json"))

    def test_loads_nothing_and_runs_nothing(self):
        for tag, attributes in self.page.elements:
            self.assertNotIn(tag, {"script", "link", "img", "iframe", "object", "embed", "base", "form"})
            for name, value in attributes.items():
                self.assertFalse(name.startswith("on"), name)
                self.assertNotIn(name, {"src", "srcset", "action"})
                if name == "href":
                    self.assertTrue(value.startswith("#"), value)
        self.assertNotRegex(self.html, r"@import|url\(")

    def test_is_well_formed_and_small(self):
        self.assertEqual(self.page.badly_nested, [])
        self.assertEqual(self.page.open, [])
        self.assertLess(len(self.html.encode()), 1_000_000)
        for picture in re.findall(r"<svg.*?</svg>", self.html, re.S):
            xml.fromstring(picture)

    def test_every_figure_is_the_one_at_its_key_in_the_json(self):
        self.assertGreater(len(self.page.figures), 300)
        wrong = [rounded_wrongly(self.json, attributes, shown) for attributes, shown in self.page.figures]
        self.assertEqual([why for why in wrong if why], [])

    def test_every_point_of_a_chart_has_its_keys(self):
        points = [attributes for _, attributes in self.page.elements if "data-y-key" in attributes]
        # Size, time and energy, and five bins that are not empty; the model that failed has no points.
        self.assertEqual(len(points), 3 * 8 + 5 * 8)
        for attributes in points:
            self.assertIsInstance(at(self.json, attributes["data-x-key"]), (int, float))
            self.assertIsInstance(at(self.json, attributes["data-y-key"]), (int, float))

    def test_every_bar_has_its_key(self):
        bars = [attributes["data-x-key"] for tag, attributes in self.page.elements
                if tag == "rect" and "data-x-key" in attributes]
        inputs = report_data.CALIBRATION["calibration"]["inputs"]
        self.assertEqual(len(bars), 2 * len(report_data.SENSITIVITY["parts"]) + 2 * len(inputs))
        self.assertEqual(len(set(bars)), len(bars))
        self.assertEqual({type(at(self.json, key)) for key in bars}, {float})

    def test_shows_what_each_word_says_to_both_models(self):
        words = self.page.text.split("Do the reasons stay the same?")[2]
        self.assertIn(f"charming{report_data.HOSTILE}+2.1−0.75", words.replace("\n", ""))
        self.assertIn("another answer now", words)
        self.assertIn("and 12 more", words)
        shades = [attributes["class"] for tag, attributes in self.page.elements if tag == "i" and "class" in attributes]
        self.assertEqual(shades[:6], ["for4", "against1", "against1", "for0", "for0", "for0"])

    def test_keeps_hostile_names_in_their_place(self):
        self.assertNotIn("</script>", self.html)
        self.assertNotIn("a<b>", self.html)
        self.assertIn("a<b>&\"c'd</script>", self.page.text)
        self.assertNotIn(("b", {}), [(tag, a) for tag, a in self.page.elements if tag == "script"])

    def test_lists_a_model_that_failed_with_its_reason(self):
        self.assertIn("could not be made: stage 1-prune ended with exit code 6", self.page.text)

    def test_has_every_section_that_there_is_data_for(self):
        ids = [attributes["id"] for tag, attributes in self.page.elements if tag == "section"]
        self.assertEqual(ids, ["short", "models", "fronts", "calibration", "labels", "slices", "flips", "reasons",
                               "structure",
                               "sensitivity", "activations", "method"])
        linked = [attributes["href"][1:] for tag, attributes in self.page.elements if tag == "a"]
        self.assertEqual(linked, ids)

    def test_is_read_by_screen_readers_and_without_colour(self):
        self.assertIn(("html", {"lang": "en"}), self.page.elements)
        tags = [tag for tag, _ in self.page.elements]
        self.assertEqual(tags.count("h1"), 1)
        for tag, attributes in self.page.elements:
            if tag == "svg":
                self.assertEqual(attributes["role"], "img")
            if tag == "th":
                self.assertIn(attributes.get("scope"), {"row", "col"})
        # Kinds differ in shape, and points off the front are hollow.
        marks = [(tag, attributes) for tag, attributes in self.page.elements if "data-y-key" in attributes]
        self.assertEqual({tag for tag, _ in marks}, {"circle", "polygon"})
        self.assertIn("hollow", {attributes.get("class") for _, attributes in marks})

    def test_is_the_same_bytes_for_the_same_results(self):
        self.assertEqual(self.html, self.report(report_data.results(), *self.whole()))


class Texts(ReportTest):
    def test_no_texts_leaves_sentences_out_of_page_and_json(self):
        self.assertIn("charming journey", self.report(report_data.results()))
        for suffix in ("html", "json", "md"):
            self.assertNotIn("charming", self.report(report_data.results(), "--no-texts", suffix=suffix))
        page = self.report(report_data.results(), "--no-texts")
        self.assertIn("became wrong", page)  # what changed is still told
        self.assertIn('data-key="/models/1/attribution/texts/0/spearman"', page)

    def test_no_texts_leaves_words_out_too(self):
        found = report_data.tagged()
        self.assertIn("German", self.report(found))
        for suffix in ("html", "json", "md"):
            self.assertNotIn("German", self.report(found, "--no-texts", suffix=suffix))


class Tagging(ReportTest):
    def test_entities_and_the_words_that_changed_are_told(self):
        text = self.report(report_data.tagged())
        page = Page(text)
        made = json.loads(self.report(report_data.tagged(), suffix="json"))
        self.assertEqual([why for why in (rounded_wrongly(made, *figure) for figure in page.figures) if why], [])
        keys = {attributes["data-key"] for attributes, _ in page.figures}
        for entity in ("PER", report_data.HOSTILE.replace("/", "~1")):
            for name in ("f1", "precision", "recall", "gold", "predicted"):
                self.assertIn(f"/models/1/entities/{entity}/{name}", keys)
        self.assertIn("LineWordTextTrueBeforeNow", page.text)
        self.assertIn("German" + report_data.HOSTILE, page.text)
        self.assertIn("NNPpart of speech", page.text)


class Merging(ReportTest):
    def test_models_of_other_results_stand_beside_and_the_last_of_a_name_holds(self):
        more = report_data.results()
        more["models"] = [report_data.model("other", 1_000_000, 80.0, 1.0, 0.1, [], [], runtime="x"),
                          report_data.model("int8", 22_000_000, 90.25, 29.9, 2.5, [], [])]
        other = self.file("other.json", json.dumps(more))
        merged = json.loads(self.report(report_data.results(), other, suffix="json"))
        names = [model["name"] for model in merged["models"]]
        self.assertEqual(names.count("int8"), 1)
        self.assertEqual(names[-1], "other")
        self.assertEqual(merged["models"][names.index("int8")]["bytes"], 22_000_000)
        self.assertTrue(merged["models"][-1]["front"]["size"])

    def test_reasons_of_a_comparison_go_to_the_model_of_that_file(self):
        path = self.file("compare.json", json.dumps(report_data.COMPARISON))
        models_found = json.loads(self.report(report_data.results(), path, suffix="json"))["models"]
        found = {model["name"]: model.get("attribution") for model in models_found}
        self.assertEqual(found["int8"]["n_texts"], 30)
        self.assertEqual(found["int4"]["n_texts"], 50)
        # The worst texts and the first words of each; the means are of all.
        self.assertEqual([text["line"] for text in found["int8"]["texts"]], [2, 3, 4, 5, 6])
        text = found["int8"]["texts"][0]
        self.assertEqual((len(text["words"]), text["words_left_out"]), (60, 10))
        self.assertEqual(text["words"][59], {"text": "word59", "a": 1.5, "b": 1.25})

        stranger = {**report_data.COMPARISON, "b": {"name": "stranger.espl"}}
        results = self.file("results.json", json.dumps(report_data.results()))
        self.fails(3, "report", results, self.file("s.json", json.dumps(stranger)), "-o", self.folder / "r.html",
                   says="'stranger.espl'")

    def test_a_report_of_the_same_rows_takes_the_place_of_the_older_one(self):
        base = report_data.results()
        base["sensitivity"] = [{**report_data.SENSITIVITY, "n": 7}]
        newer = self.file("newer.json", json.dumps(report_data.SENSITIVITY))
        other = self.file("other.json", json.dumps({**report_data.SENSITIVITY, "data": "test.tsv"}))
        merged = json.loads(self.report(base, newer, other, suffix="json"))
        self.assertEqual([(report["data"], report["n"]) for report in merged["sensitivity"]], [("dev.tsv", 300), ("test.tsv", 300)])

    def test_picks_are_the_least_among_models_that_lose_at_most_a_point(self):
        merged = json.loads(self.report(report_data.results(), suffix="json"))
        self.assertEqual(merged["picks"]["smallest"], "balanced")  # small loses over two points
        self.assertEqual(merged["picks"]["fastest"], "balanced")
        front = {model["name"]: model["front"]["size"] for model in merged["models"]}
        self.assertTrue(front["int8"] and front["small"] and front["balanced"])
        self.assertFalse(front["fp32"] or front["pruned"] or front["tiny"])


class Markdown(ReportTest):
    def test_is_one_table_of_all_models(self):
        text = self.report(report_data.results(), suffix="md")
        rows = [line for line in text.splitlines() if line.startswith("|")]
        self.assertEqual(len(rows), 2 + 9)
        self.assertRegex(text, r"\| int8 +\| espalier +\| +23\.6 +\| 90\.2 \(88\.3 to 91\.9\)|\| int8 \| espalier \| 23\.6 \|")
        self.assertIn("estimated", text)
        self.assertIn("tiny could not be made", text)


class ModelFiles(ReportTest):
    def test_a_model_file_alone_makes_a_page_of_what_it_is(self):
        out = self.folder / "m.html"
        self.ok("report", models.model("sequence"), "-o", out)
        page = Page(out.read_text(encoding="utf-8"))
        ids = [attributes["id"] for tag, attributes in page.elements if tag == "section"]
        self.assertEqual(ids, ["models", "structure", "method"])
        self.ok("report", models.model("sequence"), "-o", self.folder / "m.json")
        made = json.loads((self.folder / "m.json").read_text())
        for attributes, shown in page.figures:
            self.assertEqual(rounded_wrongly(made, attributes, shown), "")


class Refusals(ReportTest):
    def refused(self, content, says):
        path = self.file("x.json", content)
        return self.fails(3, "report", path, "-o", self.folder / "r.html", says=says)

    def test_what_is_no_result_is_refused_by_name(self):
        self.refused("{", "is no JSON")
        self.refused("[]", "is no JSON object")
        self.refused('{"a": 1}', "is no results.json")
        self.refused('{"kind": "trade_off", "schema_version": 2, "models": []}', "schema version")
        self.refused('{"kind": "trade_off", "schema_version": 1, "models": 3}', "no list of models")
        self.refused('{"kind": "trade_off", "schema_version": 1, "models": [{"name": 3}]}', "without a name")
        self.assertFalse((self.folder / "r.html").exists())

    def test_values_of_other_types_are_not_there_and_no_error(self):
        damaged = report_data.results()
        damaged["models"][1]["score"] = "ninety"
        damaged["models"][2]["latency"] = []
        damaged["models"][3]["structure"]["layers"] = {"0": 1}
        damaged["models"][4]["flips"] = {"line": 1}
        damaged["models"][5]["attribution"] = {"n_texts": 3, "texts": [{"words": 5}, 7, {"words": [3, {"a": "x"}]}]}
        damaged["models"][6]["attribution"] = [1]
        damaged["sensitivity"] = [{"parts": [{"alone_int8": 3}, 4]}, 5]
        damaged["metric"] = 7
        damaged["reference"] = 5
        self.assertIn("–", self.report(damaged))

    def test_a_suffix_that_says_nothing_and_a_file_that_is_there_are_refused(self):
        path = self.file("results.json", json.dumps(report_data.results()))
        self.fails(2, "report", path, "-o", self.folder / "r.txt", says=".html, .md or .json")
        kept = self.file("r.html", "mine")
        self.fails(4, "report", path, "-o", kept, says="--force")
        self.assertEqual(kept.read_text(), "mine")


if __name__ == "__main__":
    unittest.main()
