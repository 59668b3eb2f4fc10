"""tradeoff: files, results and page of a tiny checkpoint; what is kept, what fails, and what others bring along."""
import json
import os
import shutil
import unittest
from pathlib import Path

import report_data
from support import CLI, Models, ProgramTest, start
from training import CLASSIFY, SCORED

models = Models()


class TradeoffTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.checkpoint = models.checkpoint("sequence")
        self.rows = self.file("dev.tsv", CLASSIFY)
        self.out = self.folder / "out"

    def words(self, *arguments, out=None):
        return ("tradeoff", self.checkpoint, "--eval", self.rows, "-t", 1, "-r", 3, "-o", out or self.out, *arguments)

    def quick(self, *arguments, **keywords):
        return self.ok_json(*self.words("--quick", *arguments, **keywords))


class Quick(TradeoffTest):
    def test_makes_the_files_and_says_the_same_on_page_and_in_json(self):
        printed = self.quick()

        kept = json.loads((self.out / "results.json").read_text())
        self.assertEqual(printed, kept)
        self.assertEqual([model["name"] for model in kept["models"]], ["fp32", "int8", "int4"])
        for model in kept["models"]:
            self.assertEqual(model["status"], "done")
            self.ok("verify", self.out / model["file"])
            self.assertEqual(model["bytes"], (self.out / model["file"]).stat().st_size)
            self.assertGreater(model["latency"]["p50_ms"], 0)
            self.assertIn(model["energy"]["energy_source"], ("measured", "estimated", "unavailable"))
        self.assertEqual(kept["models"][0]["speed"]["times"], 1)
        self.assertIn("library_name: espalier", (self.out / "int4.md").read_text())
        page = (self.out / "report.html").read_text()
        self.assertIn('data-key="/models/2/bytes"', page)
        self.assertNotIn("<script", page)

    def test_scores_are_those_of_evaluate(self):
        found = self.quick()["models"]
        for model in found[1:]:
            told = self.ok_json("evaluate", self.out / model["file"], "--data", self.rows, "--compare",
                                self.out / "fp32.espl", "-t", 1)
            self.assertEqual(model["score"]["value"], told["accuracy"])
            self.assertEqual([model["score"]["low"], model["score"]["high"]], told["accuracy_95"])
            self.assertEqual(model["difference"]["flips"], told["flips"])
            self.assertEqual(model["difference"]["kl"], told["kl"])
            self.assertAlmostEqual(model["difference"]["points"], told["accuracy"] - told["compare"]["accuracy"])
            confusion = model["confusion"]
            self.assertEqual(sum(map(sum, confusion)), told["n"])
            self.assertAlmostEqual(100 * (confusion[0][0] + confusion[1][1]) / told["n"], told["accuracy"])

    def test_a_model_file_is_replaced_and_not_written_over(self):
        self.quick()
        kept = self.folder / "kept.espl"
        (self.out / "fp32.espl").write_bytes(b"old")
        os.link(self.out / "fp32.espl", kept)  # would change with a file that is written in place
        self.quick("--force")
        self.ok("verify", self.out / "fp32.espl")
        self.assertEqual(kept.read_bytes(), b"old")

    def test_reasons_and_parts_are_those_of_compare_and_sensitivity(self):
        found = self.quick("--explain", 4)
        told = self.ok_json("compare", self.out / "fp32.espl", self.out / "int4.espl", "--data", self.rows, "-t", 1, "-r", 1,
                            "--attribute", "--attribute-texts", 4)["attribution"]
        reasons = found["models"][2]["attribution"]
        self.assertNotIn("attribution", found["models"][0])
        for name in ("n_texts", "n_skipped", "mean_spearman", "mean_top5_overlap"):
            self.assertEqual(reasons[name], told[name], name)
        self.assertEqual([text["line"] for text in reasons["texts"]], [text["line"] for text in told["texts"]])
        self.assertEqual([(word["text"], word["a"], word["b"]) for word in reasons["texts"][0]["words"]],
                         [(word["text"], word["a"], word["b"]) for word in told["texts"][0]["words"]])
        parts = self.ok_json("sensitivity", self.checkpoint, "--data", self.rows, "--limit", 4, "-t", 1)
        del parts["schema_version"]
        self.assertEqual(found["sensitivity"], [parts])
        page = (self.out / "report.html").read_text()
        self.assertIn('<section id="reasons">', page)
        self.assertIn('data-x-key="/sensitivity/0/parts/0/alone_int8/kl"', page)

        without = self.quick("--explain", 0, out=self.folder / "without")
        self.assertNotIn("sensitivity", without)
        self.assertNotIn("attribution", without["models"][2])

    def test_slices_are_set_against_the_reference(self):
        lines = CLASSIFY.splitlines()
        self.rows = self.file("sliced.tsv", "\n".join([lines[0] + "\tsource"] + [
            f"{line}\t{'web' if number % 3 else 'book'}" for number, line in enumerate(lines[1:])]) + "\n")
        slices = self.quick("--slice-column", "source", "--explain", 0)["models"][1]["slices"]
        self.assertEqual({one["value"] for one in slices if one["group"] == "source"}, {"web", "book"})

    def test_the_machine_is_judged_by_a_control_loop(self):
        control = self.quick("--explain", 0)["timing"]["control"]
        self.assertEqual(control["runs"], 3 * 5)
        self.assertGreater(control["p50_ms"], 0)
        self.assertIn('data-key="/timing/control/p50_ms"', (self.out / "report.html").read_text())

    def test_a_second_run_makes_and_scores_nothing_again(self):
        first = start(*self.words("--quick"))
        self.assertIn("scoring int8", first.stderr)
        stages = {path: path.stat().st_mtime_ns for path in (self.out / "work-quick").rglob("*.espl")}
        second = start(*self.words("--quick"))
        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertIn("going on with", second.stderr)
        self.assertNotIn("scoring", second.stderr)
        self.assertEqual(len(stages), 3)
        self.assertEqual(stages, {path: path.stat().st_mtime_ns for path in (self.out / "work-quick").rglob("*.espl")})

    def test_other_rows_are_scored_anew(self):
        self.quick()
        self.rows = self.file("other.tsv", "\n".join(CLASSIFY.splitlines()[:9]) + "\n")
        self.assertEqual(self.quick()["data"]["rows"], 8)

    def test_texts_are_timed_as_given(self):
        texts = self.file("texts.txt", "the quick brown fox\n\na good film\n")
        timing = self.quick("--texts", texts)["timing"]
        self.assertEqual(timing["sentences"], 2)
        self.assertIn("2 texts", timing["workload"])

    def test_models_of_other_runtimes_stand_beside(self):
        other = report_data.results()
        other["models"] = other["models"][-2:-1]
        path = self.file("other.json", json.dumps(other))
        found = self.quick("--with", path)
        self.assertEqual([(model["name"], model["runtime"]) for model in found["models"]][-1], ("onnx int8", "onnx"))

    def test_every_task_that_has_a_score_can_be_chosen_by(self):
        self.checkpoint, self.rows = models.checkpoint("regression"), self.file("r.tsv", SCORED)
        found = self.quick()
        self.assertEqual(found["metric"], {"key": "spearman", "name": "Spearman correlation", "unit": ""})
        self.checkpoint = models.checkpoint("tokens")
        self.rows = self.file("t.jsonl", "".join(json.dumps(
            {"text": ["mary", "went", "to", city], "label": ["I-PER", "O", "O", tag], "source": source}) + "\n"
            for city, tag, source in (("berlin", "I-PER", "web"), ("acme", "I-PER", "book"), ("paris", "I-PER", "web"))))
        found = self.quick("--slice-column", "source", out=self.folder / "tags")
        self.assertEqual(found["metric"]["key"], "entity_f1")
        told = self.ok_json("evaluate", self.folder / "tags" / "int8.espl", "--data", self.rows, "-t", 1)
        self.assertEqual(found["models"][1]["entities"], told["entities"])
        self.assertEqual({one["group"] for one in found["models"][1]["slices"]}, {"entity", "source"})
        self.assertNotIn("attribution", found["models"][1])
        for model in found["models"][1:]:
            for flip in model["flips"]:
                was, now = (flip[side].removeprefix("B-").removeprefix("I-") == flip["label"].removeprefix("I-")
                            for side in ("before", "after"))
                self.assertEqual(flip["became"], "other" if was == now else "right" if now else "wrong", flip)
        self.assertGreater(len(found["sensitivity"][0]["parts"]), 4)
        self.checkpoint = models.checkpoint("masked_lm")
        self.fails(2, *self.words("--quick", out=self.folder / "o2"), says="has no score to choose by")

    def test_nothing_tells_where_the_files_are(self):
        self.quick("--texts", self.file("texts.txt", "a good film\n"))
        for name in ("results.json", "report.html", "int8.md"):
            self.assertNotIn(str(self.folder), (self.out / name).read_text())
            self.assertNotIn(str(models.folder), (self.out / name).read_text())


class Failing(TradeoffTest):
    def test_a_candidate_that_cannot_be_made_is_listed_and_the_rest_goes_on(self):
        # Alone in a folder, the program finds none of those with LibTorch beside it.
        alone = self.folder / "bin" / "espalier"
        alone.parent.mkdir()
        shutil.copy(CLI, alone)
        train = self.file("train.tsv", CLASSIFY)
        found = self.ok_json(*self.words("--train", train), program=alone)

        states = {model["name"]: model["status"] for model in found["models"]}
        self.assertEqual(states, {"fp32": "done", "int8": "done", "int4": "done", "pruned": "failed",
                                  "balanced": "failed", "small": "failed", "tiny": "failed"})
        for model in found["models"][3:]:
            self.assertIn("needs LibTorch and is the program espalier-prune", model["reason"])
            self.assertIn("could not be made", (self.out / "report.html").read_text())
        self.assertFalse((self.out / "tiny.espl").exists())


class Refusals(TradeoffTest):
    def test_requests_that_cannot_be_met_leave_nothing_behind(self):
        train = self.file("train.tsv", CLASSIFY)
        before = set(os.listdir(self.folder))
        self.fails(2, *self.words(), says="--train")
        self.fails(2, *self.words("--quick", "--train", train), says="--quick learns nothing")
        self.fails(2, *self.words("--quick", "--grid", "nowhere"), says="a grid is")
        self.rows = Path("missing.tsv")
        self.fails(3, *self.words("--quick"), says="missing.tsv")
        self.assertEqual(set(os.listdir(self.folder)), before)

    def test_a_folder_of_the_users_own_is_not_written_into(self):
        self.out.mkdir()
        (self.out / "int8.espl").write_text("mine")
        self.fails(4, *self.words("--quick"), says="--force")
        self.assertEqual((self.out / "int8.espl").read_text(), "mine")


if __name__ == "__main__":
    unittest.main()
