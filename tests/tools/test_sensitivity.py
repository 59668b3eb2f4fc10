"""Which parts of a model int8 hurts, and models whose parts differ in precision."""
import itertools
import json
import os
import shutil
import signal
import statistics
import struct
import subprocess
import unittest
import xml.etree.ElementTree as xml

from support import CLI, Models, ProgramTest, start, tensors, write_tensors

models = Models()

TEXTS = ["a good film", "bad", "the quick brown fox", "worst movie ever", "the best tree of the garden", "boring"]
PARTS = ["embedding.word"] + [f"layer.{layer}.{linear}" for layer in range(2)
                              for linear in ["attention.qkv", "attention.out", "ffn.up", "ffn.down"]]


class Mixed(ProgramTest):
    """quantize and convert with --keep and --tensor-type, and what inspect says of it."""

    def made(self, verb, *rules, kind="sequence"):
        path = self.folder / f"{len(list(self.folder.iterdir()))}.espl"
        self.ok(verb, models.checkpoint(kind), "-o", path, *rules)
        self.ok("verify", path)
        return path

    def parts(self, path):
        return self.ok_json("inspect", path)["parts"]

    def test_keep_leaves_matches_in_fp32(self):
        path = self.made("quantize", "--keep", "layer.0.ffn", "--keep", "word")
        kept = {"embedding.word", "layer.0.ffn.up", "layer.0.ffn.down"}
        self.assertEqual(self.parts(path), {name: "fp32" if name in kept else "int8" for name in PARTS})
        self.assertEqual(self.ok_json("inspect", path)["precision"], "int8")

    def test_of_several_tensor_types_the_last_holds_and_keep_holds_over_all(self):
        path = self.made("quantize", "--keep", "layer.0.ffn.up", "--tensor-type", "ffn=bf16",
                         "--tensor-type", "layer.1.ffn.up=fp32", "--tensor-type", "layer.1=int8")
        parts = self.parts(path)
        self.assertEqual([parts[f"layer.{layer}.ffn.{linear}"] for layer in range(2) for linear in ["up", "down"]],
                         ["fp32", "bf16", "int8", "int8"])

    def test_convert_takes_rules_too(self):
        parts = self.parts(self.made("convert", "--tensor-type", "layer.1.attention=int8", "--tensor-type", "word=bf16"))
        self.assertEqual([name for name in PARTS if parts[name] == "int8"],
                         ["layer.1.attention.qkv", "layer.1.attention.out"])
        self.assertEqual((parts["embedding.word"], parts["layer.0.ffn.up"]), ("bf16", "fp32"))

    def test_models_of_every_task_can_be_mixed(self):
        for kind in ["tokens", "masked_lm", "embedding", "regression", "multi_label"]:
            with self.subTest(kind=kind):
                path = self.made("quantize", "--keep", "word|down", "--tensor-type", "qkv=bf16", kind=kind)
                self.assertEqual(self.parts(path)["layer.1.attention.qkv"], "bf16")

    def test_the_report_and_the_table_count_and_name_the_parts(self):
        rules = ["--keep", "layer.1.ffn.down", "--tensor-type", "word=bf16"]
        path = self.folder / "m.espl"
        report = self.ok_json("quantize", models.checkpoint("sequence"), "-o", path, *rules)
        self.assertEqual(report["parts"], "7 int8, 1 bf16, 1 fp32")
        again = self.ok("quantize", models.checkpoint("sequence"), "-o", path, "--force", *rules)
        self.assertIn("classify, int8 (7 int8, 1 bf16, 1 fp32), ", again)
        self.assertIn("parts        7 int8; 1 bf16: embedding.word; 1 fp32: layer.1.ffn.down\n", self.ok("inspect", path))
        self.assertIn("rule.0 word=bf16, rule.1 layer.1.ffn.down=fp32", self.ok("inspect", path))
        self.assertIn("parts        9 int8\n", self.ok("inspect", models.model("sequence")))

    def test_what_is_kept_brings_the_answers_nearer_to_fp32(self):
        data = self.file("dev.tsv", "text\n" + "".join(f"{text}\n" for text in TEXTS))
        fp32 = models.model("sequence", "fp32")
        apart = [self.ok_json("evaluate", self.made(*arguments), "--data", data, "--compare", fp32)["kl"]
                 for arguments in [["quantize"], ["quantize", "--keep", "."], ["convert", "--tensor-type", ".=int8"],
                                   ["convert", "--tensor-type", ".=fp32"]]]
        self.assertLess(apart[1], apart[0] / 5)
        self.assertGreater(apart[1], 0)  # attention's own products are still codes
        self.assertGreater(apart[2], 0)
        self.assertEqual(apart[3], 0)

    def test_rules_that_cannot_be_are_refused_and_leave_no_file(self):
        for says, *rules in [("--tensor-type takes REGEX=int4", "--tensor-type", "ffn=int5"),
                             ("--tensor-type takes REGEX=int4", "--tensor-type", "int8"),
                             ("--tensor-type takes REGEX=int4", "--tensor-type", "=int8"),
                             ("--tensor-type takes REGEX=int4", "--tensor-type", ""),
                             ("layer.0-1.ffn.down", "--keep", "layer.2"),
                             ("'(' is no regular expression", "--keep", "(")]:
            with self.subTest(rules=rules):
                self.fails(2, "quantize", models.checkpoint("sequence"), "-o", self.folder / "m.espl", *rules, says=says)
        self.assertEqual(list(self.folder.iterdir()), [])


class Sensitivity(ProgramTest):
    def data(self, texts=TEXTS):
        return self.file("dev.tsv", "text\tlabel\n" + "".join(f"{text}\t0\n" for text in texts))

    def measured(self, kind="sequence", *more):
        return self.ok_json("sensitivity", models.checkpoint(kind), "--data", self.data(), *more)

    def compared(self, kind, verb, *rules):
        """What evaluate says of the file that such rules make."""
        path, fp32 = self.folder / "m.espl", models.model(kind, "fp32")
        self.ok(verb, models.checkpoint(kind), "-o", path, "--force", *rules)
        return path, self.ok_json("evaluate", path, "--data", self.folder / "dev.tsv", "--compare", fp32)

    def test_every_part_is_there_and_the_worst_comes_first(self):
        report = self.measured()
        self.assertEqual(sorted(part["name"] for part in report["parts"]), sorted(PARTS))
        alone = [part["alone_int8"]["kl"] for part in report["parts"]]
        self.assertEqual(alone, sorted(alone, reverse=True))
        self.assertGreater(alone[-1], 0)
        self.assertEqual((report["n"], report["task"], report["truncated"]), (6, "classify", 0))

    def test_the_figures_are_those_of_the_files_that_the_rules_make(self):
        report = self.measured()
        parts = {part["name"]: part for part in report["parts"]}
        size = {precision: models.model("sequence", precision).stat().st_size for precision in ["int8", "fp32"]}
        for name in ["embedding.word", "layer.0.attention.qkv", "layer.1.ffn.down"]:
            for key, verb, rule in [("alone_int8", "convert", ["--tensor-type", f"^{name}$=int8"]),
                                    ("alone_fp32", "quantize", ["--keep", f"^{name}$"])]:
                with self.subTest(name=name, key=key):
                    path, expected = self.compared("sequence", verb, *rule)
                    self.assertAlmostEqual(parts[name][key]["kl"], expected["kl"], delta=1e-12)
                    self.assertEqual(parts[name][key]["flips"], expected["flips"])
                    # The rule itself stands in the file, too, and tensors begin at multiples of 64.
                    grown = abs(path.stat().st_size - size["fp32" if verb == "convert" else "int8"])
                    self.assertAlmostEqual(abs(parts[name]["saved_bytes"]), grown, delta=500)
        for key, verb, rule in [("all_int8", "quantize", []), ("attention", "quantize", ["--keep", "."])]:
            self.assertAlmostEqual(report[key]["kl"], self.compared("sequence", verb, *rule)[1]["kl"], delta=1e-12)
        self.assertEqual(report["saved_bytes"], sum(part["saved_bytes"] for part in report["parts"]))

    def test_flips_are_those_of_evaluate(self):
        words = "good bad film the best worst tree garden boring movie fox brown quick ever old".split()
        texts = [" ".join(chosen) for chosen in itertools.permutations(words, 3)][::5][:400]
        data = {"sequence": self.data(texts), "multi_label": self.data(texts),
                "tokens": self.file("dev.conll", "".join(text.replace(" ", " O\n") + " O\n\n" for text in texts))}
        for kind in data:
            with self.subTest(kind=kind):
                checkpoint = self.undecided(data[kind]) if kind == "sequence" else models.checkpoint(kind)
                paths = {"fp32": self.folder / f"{kind}.fp32.espl", "int8": self.folder / f"{kind}.int8.espl"}
                self.ok("convert", checkpoint, "-o", paths["fp32"])
                self.ok("quantize", checkpoint, "-o", paths["int8"])
                expected = self.ok_json("evaluate", paths["int8"], "--data", data[kind], "--compare", paths["fp32"])
                report = self.ok_json("sensitivity", checkpoint, "--data", data[kind])
                self.assertGreater(expected["flips"], 0)
                self.assertEqual(report["all_int8"]["flips"], expected["flips"])
                self.assertGreater(sum(part["alone_int8"]["flips"] for part in report["parts"]), 0)

    def undecided(self, data):
        """The classifier with its bias moved so that half of the rows have either label."""
        model, answers, folder = models.model("sequence", "fp32"), self.folder / "answers.jsonl", self.folder / "undecided"
        self.ok("evaluate", model, "--data", data, "--predictions", answers, "--compare", model)
        logits = [json.loads(line)["logits"] for line in answers.read_text().splitlines()]
        shutil.copytree(models.checkpoint("sequence"), folder)
        entries = tensors(folder)
        dtype, shape, values = entries["classifier.bias"]
        bias = list(struct.unpack("<2f", values))
        bias[1] -= statistics.median(second - first for first, second in logits)
        entries["classifier.bias"] = dtype, shape, struct.pack("<2f", *bias)
        write_tensors(folder, entries)
        return folder

    def test_tags_are_compared_word_by_word(self):
        data = self.file("dev.tsv", "The O\nold B-PER\ntree O\n\nBerlin B-PER\n")
        report = self.ok_json("sensitivity", models.checkpoint("tokens"), "--data", data)
        self.assertEqual((report["n"], report["answers"]), (2, 4))
        _, expected = self.compared("tokens", "quantize")
        self.assertAlmostEqual(report["all_int8"]["kl"], expected["kl"], delta=1e-12)
        self.assertEqual(report["all_int8"]["flips"], expected["flips"])

    def test_sets_of_labels_are_compared_as_evaluate_does(self):
        report = self.measured("multi_label")
        _, expected = self.compared("multi_label", "quantize")
        self.assertAlmostEqual(report["all_int8"]["kl"], expected["kl"], delta=1e-12)
        self.assertEqual(report["all_int8"]["flips"], expected["flips"])

    def test_numbers_are_compared_by_their_difference_and_vectors_by_their_angle(self):
        report = self.measured("regression")
        _, expected = self.compared("regression", "quantize")
        self.assertTrue(0 < report["all_int8"]["mean_abs_difference"] <= expected["max_abs_logit_diff"])
        self.assertNotIn("flips", report["all_int8"])

        report = self.measured("embedding")
        _, expected = self.compared("embedding", "quantize")
        self.assertAlmostEqual(report["all_int8"]["cosine_distance"], 1 - expected["mean_cosine"], delta=1e-9)
        table = self.ok("sensitivity", models.checkpoint("embedding"), "--data", self.folder / "dev.tsv")
        self.assertIn("1 - cosine, alone in int8", table)
        self.assertNotIn("flips", table)

    def test_texts_of_pairs_are_embedded_each_by_itself(self):
        data = self.file("pairs.tsv", "text_a\ttext_b\na good film\tbad\nboring\tthe best tree\n")
        report = self.ok_json("sensitivity", models.checkpoint("embedding"), "--data", data)
        self.assertEqual((report["n"], report["answers"]), (2, 4))

    def test_a_limit_takes_the_first_rows(self):
        whole = self.measured("sequence", "--limit", 3)
        short = self.ok_json("sensitivity", models.checkpoint("sequence"), "--data", self.data(TEXTS[:3]))
        self.assertEqual(whole, short)
        self.assertEqual(whole["n"], 3)

    def test_the_table_says_the_same(self):
        report = self.measured()
        done = start("sensitivity", models.checkpoint("sequence"), "--data", self.folder / "dev.tsv")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:2], ["model      sequence, classify", "data       dev.tsv, 6 rows"])
        self.assertIn(f"KL {report['all_int8']['kl']:.3g} to fp32, {report['all_int8']['flips']} flips of 6", lines[2])
        self.assertEqual([line.split()[0] for line in lines[6:]], [part["name"] for part in report["parts"]])
        first = report["parts"][0]
        self.assertEqual(lines[6].split()[1:4], [f"{first['saved_bytes'] / 1e6:.3f}", f"{first['alone_int8']['kl']:.3g}",
                                                 str(first["alone_int8"]["flips"])])
        self.assertIn("21 mixtures of fp32 and int8 answer 6 rows each", done.stderr)

    def test_the_chart_has_two_bars_a_part(self):
        svg = self.folder / "parts.svg"
        report = self.measured("sequence", "--svg", svg)
        titles = [title.text for title in xml.parse(svg).getroot().iter("{http://www.w3.org/2000/svg}title")]
        worst = report["parts"][0]
        self.assertEqual(len(titles), 1 + 2 * len(PARTS))
        self.assertEqual(titles[1], f"{worst['name']}, alone in int8: {worst['alone_int8']['kl']:.4g}")

    def test_an_existing_chart_is_replaced_only_by_force(self):
        svg = self.file("parts.svg", "mine")
        arguments = ["sensitivity", models.checkpoint("sequence"), "--data", self.data(), "--svg", svg]
        self.fails(4, *arguments, says="--force")
        self.assertEqual(svg.read_text(), "mine")
        self.ok(*arguments, "--force")
        self.assertIn("<svg", svg.read_text())

    def test_what_cannot_be_measured_is_refused_and_leaves_nothing(self):
        data, svg = self.data(), ["--svg", self.folder / "parts.svg"]
        self.fails(2, "sensitivity", models.checkpoint("masked_lm"), "--data", data, *svg, says="fill_mask")
        self.fails(3, "sensitivity", models.checkpoint("sequence"), "--data", self.folder / "no.tsv", *svg, says="no.tsv")
        self.fails(3, "sensitivity", self.folder / "no", "--data", data, *svg, says="no such folder")
        self.fails(3, "sensitivity", models.checkpoint("sequence"), "--data", self.file("e.tsv", "text\n"), *svg,
                   says="no rows")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["dev.tsv", "e.tsv"])

    def test_long_rows_are_counted(self):
        data = self.data(["good " * 200, "bad"])
        done = start("sensitivity", models.checkpoint("sequence"), "--data", data, "--format", "json")
        self.assertEqual(json.loads(done.stdout)["truncated"], 1)
        self.assertIn("1 of 2 texts were longer", done.stderr)

    def test_ctrl_c_leaves_no_chart(self):
        data = self.data(["the quick brown fox jumps"] * 20000)
        with subprocess.Popen([CLI, "sensitivity", models.checkpoint("sequence"), "--data", data, "--backend", "reference",
                               "-t", "1", "--svg", self.folder / "parts.svg"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            while b"mixtures" not in program.stderr.readline():  # then rows are being answered
                pass
            os.kill(program.pid, signal.SIGINT)
            self.assertEqual(program.wait(timeout=300), 130)
            self.assertEqual(program.stdout.read(), b"")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["dev.tsv"])


if __name__ == "__main__":
    os.environ.pop("ESPALIER_BACKEND", None)
    unittest.main()
