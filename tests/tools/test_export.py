"""From a model file back to a checkpoint folder that every other program reads."""
import json
import os
import shutil
import unittest

from support import Models, ProgramTest, cut_heads, start, tensors

models = Models()


class Export(ProgramTest):
    def exported(self, kind, precision="fp32", *more):
        out = self.folder / f"{kind}.{precision}{len(more)}"
        self.ok("export", models.model(kind, precision), "-o", out, *more)
        return out

    def pruned(self):
        """A checkpoint folder whose first layer has one head of four, and the model file made of it."""
        folder, model = self.folder / "pruned", self.folder / "pruned.espl"
        shutil.copytree(models.checkpoint("sequence"), folder)
        cut_heads(folder, layer=0, n_heads=1)
        self.ok("convert", folder, "-o", model)
        return folder, model

    def test_fp32_weights_come_back_bit_for_bit(self):
        for kind in ["sequence", "tokens", "masked_lm", "regression", "multi_label"]:
            with self.subTest(kind=kind):
                self.assertEqual(tensors(self.exported(kind)), tensors(models.checkpoint(kind)))

    def test_the_folder_makes_the_same_model_again(self):
        folder, again = self.exported("sequence"), self.folder / "again.espl"
        self.ok("convert", folder, "-o", again)
        data = self.file("dev.tsv", "text\tlabel\nthe Old tree!\t1\n今天 bad [MASK] film\t0\n")
        report = self.ok_json("evaluate", again, "--data", data, "--compare", models.model("sequence", "fp32"))
        self.assertEqual((report["flips"], report["max_abs_logit_diff"]), (0, 0))
        self.assertEqual(self.ok_json("inspect", again)["labels"], ["negative", "positive"])

    def test_a_length_given_to_convert_survives(self):
        short, folder = self.folder / "short.espl", self.folder / "short"
        self.ok("convert", models.checkpoint("sequence"), "-o", short, "--max-length", "17")
        self.ok("export", short, "-o", folder)
        self.ok("convert", folder, "-o", self.folder / "again.espl")
        self.assertEqual(self.ok_json("inspect", self.folder / "again.espl")["max_length"], 17)

    def test_int8_and_bf16_files_become_fp32_folders_near_them(self):
        data = self.file("dev.tsv", "text\nthe old tree\nbad film\n")
        for precision in ["int8", "bf16"]:
            with self.subTest(precision=precision):
                model = models.model("sequence", precision)
                folder = self.exported("sequence", precision)
                self.assertEqual({entry[0] for entry in tensors(folder).values()}, {"F32"})
                report = self.ok_json("evaluate", folder, "--data", data, "--compare", model)
                self.assertTrue(0 < report["max_abs_logit_diff"] < 0.05, report)

    def test_an_embedding_model_keeps_pooling_and_length(self):
        folder = self.exported("embedding")
        self.assertEqual(len(json.loads((folder / "modules.json").read_text())), 3)
        self.ok("convert", folder, "-o", self.folder / "again.espl")
        before = self.ok_json("inspect", models.model("embedding", "fp32"))
        after = self.ok_json("inspect", self.folder / "again.espl")
        for key in ["task", "pooling", "normalize", "max_length", "vocabulary"]:
            self.assertEqual(after[key], before[key], key)

    def test_uneven_layers_are_told_in_our_section(self):
        source, model = self.pruned()
        done = start("export", model, "-o", self.folder / "out")

        self.assertEqual(tensors(self.folder / "out"), tensors(source))
        config = json.loads((self.folder / "out" / "config.json").read_text())
        self.assertEqual([layer["heads"] for layer in config["espalier"]["layers"]], [[0], [0, 1, 2, 3]])
        self.assertIn("--for transformers", done.stderr)
        self.assertIn("does not name its heads", done.stderr)

    def test_for_transformers_removed_heads_are_zeros_and_the_answers_the_same(self):
        _, model = self.pruned()
        out = self.folder / "out"
        done = start("export", model, "-o", out, "--for", "transformers")

        self.assertIn("no smaller", done.stderr)
        self.assertNotIn("espalier", json.loads((out / "config.json").read_text()))
        whole = tensors(models.checkpoint("sequence"))
        for name, (_, shape, _) in tensors(out).items():
            self.assertEqual(shape, whole[name][1], name)
        value = tensors(out)["bert.encoder.layer.0.attention.self.value.weight"][2]
        self.assertEqual(value[8 * 32 * 4:], bytes(24 * 32 * 4))
        self.assertNotEqual(value[:8 * 32 * 4], bytes(8 * 32 * 4))
        data = self.file("dev.tsv", "text\nthe old tree\nbad film\n")
        report = self.ok_json("evaluate", out, "--data", data, "--compare", model, "--backend", "reference")
        self.assertEqual(report["max_abs_logit_diff"], 0)

    def test_an_existing_folder_is_replaced_only_by_force(self):
        out = self.exported("sequence")
        (out / "tokenizer.json").write_text("{}")
        self.fails(4, "export", models.model("tokens"), "-o", out, says="--force")
        self.assertEqual(tensors(out), tensors(models.checkpoint("sequence")))

        self.ok("export", models.model("tokens", "fp32"), "-o", out, "--force")
        self.assertEqual(tensors(out), tensors(models.checkpoint("tokens")))
        self.assertFalse((out / "tokenizer.json").exists())

    def test_a_file_that_is_no_model_leaves_no_folder(self):
        self.fails(3, "export", self.file("m.espl", "no model"), "-o", self.folder / "out", says="m.espl")
        self.assertFalse((self.folder / "out").exists())

    def test_the_report_says_what_was_written(self):
        report = self.ok_json("export", models.model("sequence"), "-o", self.folder / "out")
        self.assertEqual(report["architecture"], "BertForSequenceClassification")
        self.assertEqual(report["weights_bytes"], (self.folder / "out" / "model.safetensors").stat().st_size)
        self.assertEqual(report["n_parameters"], self.ok_json("inspect", models.model("sequence"))["n_parameters"])


if __name__ == "__main__":
    os.environ.pop("ESPALIER_BACKEND", None)
    unittest.main()
