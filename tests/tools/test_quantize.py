"""espalier quantize --calib: static and smoothed files that run, prove themselves and say what they are; the same bytes
twice; what cannot be is refused before anything is written."""
import json
import os
import shutil
import unittest
from pathlib import Path

from support import CLI, Models, ProgramTest
from training import ALIKE_ONLY, CLASSIFY, TAGGED, TEXT

QUANTIZE = Path(CLI).with_name("espalier-quantize")
LINEARS = ["attention.qkv", "attention.out", "ffn.up", "ffn.down"]

models = Models()


class Quantize(ProgramTest):
    def setUp(self):
        super().setUp()
        home = Path.cwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, home)
        self.rows = self.file("rows.tsv", CLASSIFY)

    def calibrated(self, *arguments, model="sequence", out="m.espl", calib=None):
        return self.ok_json("quantize", models.checkpoint(model), "-o", out, "--force", "-t", 1, "--calib",
                            calib or self.rows, *arguments)

    def codes(self, out="m.espl"):
        """{linear: the codes of its input} of layer 0."""
        layer = self.ok_json("inspect", out)["layers"][0]["activations"]
        return [layer[name] for name in ["qkv", "out", "up", "down"]]

    def test_the_codes_are_those_asked_for_and_inspect_names_them(self):
        expected = {"dynamic": ["per token"] * 4, "mixed": ["per token", "per tensor"] * 2, "static": ["per tensor"] * 4}
        for activations, codes in expected.items():
            report = self.calibrated("--activations", activations)["calibration"]
            self.assertEqual(report["activations"], activations)
            self.assertEqual([line["codes"] for line in report["inputs"]], codes * 2)
            self.assertEqual(self.codes(), codes)
        self.assertIn("8 per tensor", self.ok("inspect", "m.espl"))

    def test_every_method_gives_a_file_that_proves_itself_and_answers_like_fp32(self):
        self.ok("convert", models.checkpoint("sequence"), "-o", "fp32.espl")
        for method in ["minmax", "percentile", "mse", "entropy"]:
            for smoothing in ["off", "0.7"]:
                with self.subTest(method=method, smoothing=smoothing):
                    self.calibrated("--activations", "static", "--method", method, "--smoothing", smoothing)
                    self.ok("verify", "m.espl")
                    near = self.ok_json("evaluate", "m.espl", "--data", self.rows, "--compare", "fp32.espl")
                    self.assertLess(near["kl"], 0.01)

    def test_the_same_call_gives_the_same_bytes(self):
        self.calibrated("--activations", "static", out="one.espl")
        self.calibrated("--activations", "static", out="two.espl")
        self.assertEqual(Path("one.espl").read_bytes(), Path("two.espl").read_bytes())

    def test_the_report_tells_of_every_input(self):
        printed = self.calibrated("--activations", "static", "--report", "r.json")["calibration"]
        report = json.loads(Path("r.json").read_text())
        self.assertEqual(report, printed)
        self.assertEqual([line["name"] for line in report["inputs"]],
                         [f"layer.{layer}.{name}" for layer in range(2) for name in LINEARS])
        self.assertEqual((report["file"], report["sentences"], report["method"]), ("rows.tsv", 40, "percentile"))
        for line in report["inputs"]:
            self.assertLessEqual(line["range"][0], 0)
            self.assertGreater(line["range"][1], 0)
            self.assertGreater(line["sqnr_db"], 15)
            self.assertLess(line["clipped_share"], 0.05)
        table = self.ok("quantize", models.checkpoint("sequence"), "-o", "t.espl", "--calib", self.rows)
        self.assertIn("SQNR dB", table)
        self.assertIn("layer.1.ffn.down", table)

    def test_weights_are_rounded_by_what_the_model_reads(self):
        for weights in ["int4", "int8"]:
            self.calibrated("--weights", weights, "--rounding", "gptq", out="gptq.espl")
            self.calibrated("--weights", weights, "--rounding", "mse", out="mse.espl")
            self.assertNotEqual(Path("gptq.espl").read_bytes(), Path("mse.espl").read_bytes())
            self.assertEqual(self.ok_json("inspect", "gptq.espl")["provenance"][0]["options"]["rounding"], "gptq")
            self.ok("verify", "gptq.espl")
        for verb in [["quantize"], ["convert", "--weights", "int4"]]:
            self.fails(2, *verb, models.checkpoint("sequence"), "-o", "n.espl", "--rounding", "gptq", says="--calib FILE")

    def test_the_file_says_where_it_came_from_and_holds_no_text(self):
        self.calibrated("--activations", "mixed", "--method", "percentile", "--percentile", 99.5, "--samples", 10)
        stage = self.ok_json("inspect", "m.espl")["provenance"][0]
        options = stage["options"]
        self.assertEqual((options["method"], options["percentile"], options["samples"], options["smoothing"]),
                         ("percentile", "99.5", "10", "0.7"))
        self.assertIn("rows.tsv", stage["inputs"])
        self.assertNotIn(b"is worst", Path("m.espl").read_bytes())

    def test_export_options_go_on_working(self):
        self.calibrated("--keep", r"layer\.1\.ffn", "--max-length", 16, "--activations", "static")
        described = self.ok_json("inspect", "m.espl")
        self.assertEqual(described["parts"]["layer.1.ffn.down"], "fp32")
        self.assertEqual(described["layers"][1]["activations"],
                         {"qkv": "per tensor", "out": "per tensor", "up": "", "down": ""})
        self.assertEqual(described["max_length"], 16)

    def test_every_kind_of_model_and_of_text_is_calibrated(self):
        for model, name, text in [("tokens", "tags.conll", TAGGED), ("masked_lm", "text.txt", TEXT),
                                  ("embedding", "pairs.tsv", ALIKE_ONLY), ("regression", "text.txt", TEXT)]:
            with self.subTest(model=model):
                self.calibrated("--activations", "static", model=model, calib=self.file(name, text))
                self.ok("verify", "m.espl")

    def refused(self, code, *arguments, says, model="sequence"):
        before = sorted(os.listdir())
        message = self.fails(code, "quantize", models.checkpoint(model), "-o", "out.espl", *arguments, says=says)
        self.assertEqual(sorted(os.listdir()), before)
        self.assertTrue(message.startswith("espalier quantize: "), message)

    def test_text_that_is_none(self):
        self.refused(3, "--calib", "nope.tsv", says="nope.tsv")
        self.refused(3, "--calib", self.file("empty.tsv", ""), says="is empty")
        self.refused(3, "--calib", self.file("blank.txt", "\n \n"), says="there is no text in it")
        self.refused(3, "--calib", self.file("other.tsv", "premise\tlabel\na\t1\n"), says="--text-column")

    def test_options_that_cannot_be(self):
        calib = ["--calib", self.rows]
        self.refused(2, *calib, "--method", "minmaxx", says="did you mean 'minmax'")
        self.refused(2, *calib, "--method", "mse", says="add --activations mixed or static")
        self.refused(2, *calib, "--activations", "static", "--method", "mse", "--percentile", "99",
                     says="belongs to --method percentile")
        self.refused(2, *calib, "--smoothing", "1.5", says="--smoothing takes a number from 0 to 1, or off")
        self.refused(2, *calib, "--smoothing", "on", says="--smoothing takes")
        self.refused(2, *calib, "--percentile", "30", says="--percentile")
        self.refused(2, *calib, "--samples", 0, says="--samples")
        self.refused(2, *calib, "--keep", "nothing", says="nothing")

    def test_calibration_options_without_text(self):
        self.refused(2, "--method", "minmax", says="--method")
        self.refused(3, "--calib", "", says="''")

    def test_outputs_that_are_there(self):
        self.calibrated(out="out.espl")
        report = self.file("r.json", "mine")
        self.refused(4, "--calib", self.rows, says="out.espl")
        self.fails(4, "quantize", models.checkpoint("sequence"), "-o", "new.espl", "--calib", self.rows, "--report", report,
                   says="r.json")
        self.assertEqual(report.read_text(), "mine")
        self.assertFalse(Path("new.espl").exists())

    def test_a_lean_install_says_how_to_get_the_program(self):
        shutil.copy(CLI, "espalier")
        done = self.fails(6, "quantize", models.checkpoint("sequence"), "-o", "out.espl", "--calib", self.rows,
                          says="'quantize --calib' needs LibTorch and is the program espalier-quantize",
                          program="./espalier")
        self.assertIn("cmake --preset release", done)
        self.ok("quantize", models.checkpoint("sequence"), "-o", "lean.espl", program="./espalier")

    def test_the_program_on_its_own(self):
        self.assertIn("--calib", self.ok("quantize", "--help"))
        self.assertIn("--smoothing", self.ok("quantize", "--calib", "x", "--help"))
        self.assertIn("--smoothing", self.ok("quantize", "--help", program=QUANTIZE))
        self.fails(2, "quantize", models.checkpoint("sequence"), "-o", "out.espl", says="--calib", program=QUANTIZE)


if __name__ == "__main__":
    unittest.main()
