"""What `espalier profile` reports, and that it names the cause of each of three models made slow on purpose. Never how
fast anything is."""
import os
import re
import unittest

from support import Models, ProgramTest

models = Models()
FAST = ["--duration", "0.05"]
PARTS = ["qkv", "waiting", "attention", "out", "up", "down"]


def causes(report):
    return [cause["cause"] for cause in report["causes"]]


class Profile(ProgramTest):
    def test_every_part_of_every_layer_has_its_row(self):
        report = self.ok_json("profile", models.model("sequence"), "-b", "3", "-s", "16", "-t", "1", *FAST)

        rows = {(row["part"], row["layer"]): row for row in report["parts"]}
        n_layers = 1 + max(row["layer"] for row in report["parts"] if row["layer"] is not None)
        self.assertEqual(set(rows), {("embedding", None), ("head", None)} |
                         {(part, layer) for part in PARTS for layer in range(n_layers)})
        for (part, layer), row in rows.items():
            if part == "waiting":
                continue
            self.assertGreater(row["ms"], 0, part)
            self.assertEqual(row["type"], "fp32" if part == "head" else "int8", part)
        self.assertEqual(report["workload"]["tokens"], 48)
        parts_ms = sum(row["ms"] for row in report["parts"])
        self.assertAlmostEqual(parts_ms + report["between_ms"], report["call_mean_ms"], places=6)
        self.assertIsNone(report["tokenizer_ms"])

    def test_the_tokenizer_and_the_padding_avoided_are_those_of_the_texts(self):
        texts = self.file("texts.txt", "one\n\n" + "one two three four five six seven\n" * 3)
        report = self.ok_json("profile", models.model("sequence"), "--texts", texts, "-b", "2", "-t", "1", *FAST)

        self.assertEqual(report["workload"]["calls"], 2)
        self.assertEqual(report["workload"]["texts"], 4)
        self.assertGreater(report["tokenizer_percent"], 0)
        tokens, padded = report["workload"]["tokens"], report["padding"]["padded_tokens"]
        self.assertLess(tokens, padded)
        self.assertAlmostEqual(report["padding"]["avoided_percent"], 100 * (1 - tokens / padded), places=6)
        self.assertEqual(report["padding"]["pad_tokens"], 0)

    def test_texts_that_bring_their_own_padding_are_the_cause(self):
        padded = self.file("padded.txt", ("one" + " [PAD]" * 60 + "\n") * 4)
        report = self.ok_json("profile", models.model("sequence"), "--texts", padded, "-t", "1", *FAST)

        self.assertGreater(report["padding"]["pad_percent"], 90)
        self.assertEqual(causes(report)[0], "padding")
        self.assertIn("[PAD]", report["action"])

    def test_more_threads_than_processors_are_the_cause(self):
        n_threads = 64 * len(os.sched_getaffinity(0))
        report = self.ok_json("profile", models.model("sequence"), "-t", n_threads, *FAST)

        self.assertEqual(causes(report)[0], "over_subscription")
        self.assertRegex(report["action"], "^use -t [0-9]+")
        self.assertEqual(report["machine"]["threads"], n_threads)

    def test_linears_kept_in_floats_are_named_with_the_reason(self):
        kept = self.folder / "kept.espl"
        self.ok("quantize", models.checkpoint("sequence"), "-o", kept, "--keep", "layer.0.ffn")
        report = self.ok_json("profile", kept, "-t", "1", *FAST)

        self.assertIn("float", causes(report))
        self.assertEqual([(part["part"], part["type"]) for part in report["float_parts"]],
                         [("layer.0.ffn.up", "fp32"), ("layer.0.ffn.down", "fp32")])
        self.assertEqual({part["reason"] for part in report["float_parts"]}, {"rule layer.0.ffn=fp32"})
        types = {(row["part"], row["layer"]): row["type"] for row in report["parts"]}
        self.assertEqual((types["up", 0], types["up", 1], types["qkv", 0]), ("fp32", "int8", "int8"))

    def test_a_model_that_was_never_quantized_says_so(self):
        report = self.ok_json("profile", models.model("sequence", "fp32"), "-t", "1", *FAST)

        self.assertIn("float", causes(report))
        self.assertEqual({part["reason"] for part in report["float_parts"]},
                         {"the model was made with precision fp32"})

    def test_an_int8_model_on_one_thread_is_blamed_for_none_of_them(self):
        report = self.ok_json("profile", models.model("sequence"), "-t", "1", *FAST)

        self.assertFalse({"padding", "over_subscription", "float"} & set(causes(report)))
        self.assertEqual(report["float_parts"], [])

    def test_the_plain_loops_and_a_lowered_instruction_set_are_named(self):
        report = self.ok_json("profile", models.model("sequence"), "-t", "1", "--backend", "reference", *FAST)
        self.assertIn("back_end", causes(report))
        self.assertTrue(all(row["ms"] > 0 for row in report["parts"] if row["part"] != "waiting"))

        plain = self.ok_json("profile", models.model("sequence"), "-t", "1", *FAST,
                             env={**os.environ, "ESPALIER_MAX_ISA": "avx2"})
        self.assertEqual("instruction_set" in causes(plain), plain["isa_detected"] != "avx2")

    def test_the_text_ends_with_one_action(self):
        for kind in ["tokens", "embedding", "masked_lm", "sequence"]:
            text = self.ok("profile", models.model(kind), *FAST)
            self.assertEqual(len(re.findall("^next: .+$", text, re.MULTILINE)), 1, kind)
            self.assertTrue(text.splitlines()[-1].startswith("next: "), kind)

    def test_what_does_not_fit_is_refused(self):
        model, texts = models.model("sequence"), self.file("texts.txt", "one\n")
        self.fails(2, "profile", model, "--texts", texts, "-s", "8", says="--seq")
        self.fails(2, "profile", model, "--max-length", "9999", says="--max-length")
        self.fails(3, "profile", model, "--texts", self.file("empty.txt", "\n \n"), says="no text")
        self.fails(3, "profile", model, "--texts", self.folder / "nope", says="nope")
        self.fails(3, "profile", self.folder / "nope.espl", says="nope.espl")


if __name__ == "__main__":
    unittest.main()
