"""int4 weights and words, and how codes are rounded, as a user asks for them."""
import os
import unittest

from support import Models, ProgramTest, tensors

models = Models()

PARTS = ["embedding.word"] + [f"layer.{layer}.{linear}" for layer in range(2)
                              for linear in ["attention.qkv", "attention.out", "ffn.up", "ffn.down"]]


class FourBits(ProgramTest):
    def made(self, verb, *options, kind="sequence"):
        path = self.folder / f"{len(list(self.folder.iterdir()))}.espl"
        self.ok(verb, models.checkpoint(kind), "-o", path, *options)
        self.ok("verify", path)
        return path

    def parts(self, path):
        return self.ok_json("inspect", path)["parts"]

    def kl(self, path):
        data = self.folder / "dev.tsv"
        data.write_text("text\na good film\nthe quick brown fox\nworst movie ever\nboring\n")
        return self.ok_json("evaluate", path, "--data", data, "--compare", models.model("sequence", "fp32"))["kl"]

    def test_weights_and_embeddings_are_asked_for_apart(self):
        weights = self.parts(self.made("quantize", "--weights", "int4"))
        words = self.parts(self.made("quantize", "--embeddings", "int4", "--group", "32"))

        self.assertEqual(weights, {name: "int8" if "word" in name else "int4 g64" for name in PARTS})
        self.assertEqual(words, {name: "int4 g32" if "word" in name else "int8" for name in PARTS})

    def test_rules_go_before_and_what_is_kept_is_kept(self):
        parts = self.parts(self.made("convert", "--weights", "int4", "--group", "128", "--tensor-type", "ffn=bf16",
                                     "--tensor-type", "layer.1.ffn.down=int4", "--keep", "layer.0.attention"))

        self.assertEqual([parts[name] for name in PARTS],
                         ["fp32", "fp32", "fp32", "bf16", "bf16", "int4 g128", "int4 g128", "bf16", "int4 g128"])

    def test_files_are_smaller_and_the_answers_further_away(self):
        eight = self.made("quantize")
        weights = self.made("quantize", "--weights", "int4")
        both = self.made("quantize", "--weights", "int4", "--embeddings", "int4")

        sizes = [path.stat().st_size for path in [eight, weights, both]]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertLess(self.kl(eight), self.kl(weights))
        self.assertLess(self.kl(both), 0.1)

    def test_models_of_every_task_run_from_four_bits(self):
        for kind in ["tokens", "masked_lm", "embedding", "regression", "multi_label"]:
            with self.subTest(kind=kind):
                path = self.made("quantize", "--weights", "int4", "--embeddings", "int4", kind=kind)
                self.assertEqual(set(self.parts(path).values()), {"int4 g64"})

    def test_every_instruction_set_gives_the_same_answers(self):
        path = self.made("quantize", "--weights", "int4", "--embeddings", "int4")
        lines = "a good film\nthe quick brown fox\n"
        answers = [self.ok("run", path, "--input", "-", "--format", "jsonl", input=lines,
                           env={**os.environ, "ESPALIER_BACKEND": backend}) for backend in ["reference", "cpu"]]
        self.assertEqual(answers[0], answers[1])

    def test_mse_is_another_rounding_and_the_file_says_so(self):
        absmax = self.made("quantize", "--weights", "int4")
        mse = self.made("quantize", "--weights", "int4", "--rounding", "mse")

        self.assertNotEqual(absmax.read_bytes()[-8:], mse.read_bytes()[-8:])
        self.assertEqual(self.ok_json("inspect", mse)["provenance"][0]["options"]["rounding"], "mse")
        self.assertIn("rule.0 ^layer=int4 g64, rounding mse", self.ok("inspect", mse))
        self.assertIn("parts        8 int4 g64; 1 int8: embedding.word\n", self.ok("inspect", mse))

    def test_a_folder_comes_back_in_fp32(self):
        path = self.made("quantize", "--weights", "int4", "--embeddings", "int4")
        self.ok("export", path, "-o", self.folder / "out")

        whole = tensors(models.checkpoint("sequence"))
        back = tensors(self.folder / "out")
        self.assertEqual({entry[0] for entry in back.values()}, {"F32"})
        self.assertEqual({name: entry[1] for name, entry in back.items()},
                         {name: entry[1] for name, entry in whole.items()})

    def test_what_there_is_not_is_refused(self):
        for says, *options in [("--group takes 32, 64 or 128", "--group", "16"),
                               ("--weights takes int4", "--weights", "int2"),
                               ("--rounding takes absmax, mse or gptq", "--rounding", "best")]:
            with self.subTest(options=options):
                self.fails(2, "quantize", models.checkpoint("sequence"), "-o", self.folder / "m.espl", *options,
                           says=says)

    def test_an_option_of_parts_that_are_not_there_is_refused(self):
        for says, verb, *options in [("--group is of int4 parts", "quantize", "--group", "32"),
                                     ("--group is of int4 parts", "quantize", "--group", "64", "--tensor-type", "ffn=bf16"),
                                     ("--rounding is of int8 and int4 parts", "convert", "--rounding", "mse"),
                                     ("--rounding is of int8 and int4 parts", "convert", "--rounding", "absmax")]:
            with self.subTest(options=options):
                self.fails(2, verb, models.checkpoint("sequence"), "-o", self.folder / "m.espl", *options, says=says)
        self.made("convert", "--rounding", "mse", "--tensor-type", "ffn=int8")


if __name__ == "__main__":
    os.environ.pop("ESPALIER_BACKEND", None)
    unittest.main()
