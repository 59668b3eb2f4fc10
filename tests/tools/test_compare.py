"""Two models side by side: what they hold, how long they take, how they answer."""
import json
import os
import shutil
import unittest

from support import Models, ProgramTest, cut_heads, start, tensors, write_tensors

models = Models()

TEXTS = ["a good film", "bad", "the quick brown fox", "worst movie ever", "the best tree of the garden", "boring"]


class Compare(ProgramTest):
    def compared(self, *arguments):
        return self.ok_json("compare", *arguments, "-r", "3", "-t", "1")

    def labelled(self):
        rows = "".join(f"{text}\t{number % 2}\n" for number, text in enumerate(TEXTS))
        return self.file("dev.tsv", "text\tlabel\n" + rows)

    def contrary(self):
        """The same model with its labels swapped: always of another opinion."""
        contrary = self.folder / "contrary"
        shutil.copytree(models.checkpoint("sequence"), contrary)
        entries = tensors(contrary)
        for name in ["classifier.weight", "classifier.bias"]:
            dtype, shape, values = entries[name]
            entries[name] = dtype, shape, values[len(values) // 2:] + values[:len(values) // 2]
        write_tensors(contrary, entries)
        return contrary

    def test_figures_are_those_of_the_two_files(self):
        a, b = models.model("sequence", "fp32"), models.model("sequence")
        report = self.compared(a, b)

        for side, file in [("a", a), ("b", b)]:
            inspected = self.ok_json("inspect", file)
            self.assertEqual(report[side]["bytes"], file.stat().st_size)
            self.assertEqual(report[side]["n_parameters"], inspected["n_parameters"])
            self.assertEqual(report[side]["parameters"]["encoder"], inspected["sizes"]["encoder"]["parameters"])
            self.assertEqual(report[side]["precision"], inspected["precision"])
        self.assertAlmostEqual(report["b_over_a"]["bytes"], b.stat().st_size / a.stat().st_size)
        self.assertEqual(report["layers"], [])
        self.assertNotIn("scores", report)

    def test_multiply_adds_are_counted_for_the_length_asked_for(self):
        # Two layers of hidden 32, 4 heads of 8, feed-forward 64.
        model = models.model("sequence")
        for tokens in [1, 50]:
            report = self.compared(model, model, "--tokens", tokens)
            self.assertEqual(report["a"]["multiply_adds_per_token"], 2 * (4 * 32 * 32 + 2 * 32 * 64 + 2 * tokens * 32))
        self.assertEqual(self.compared(model, model)["tokens"], 32)

    def test_layers_that_differ_have_a_line_each_and_a_folder_counts_its_weights(self):
        folder = self.folder / "pruned"
        shutil.copytree(models.checkpoint("sequence"), folder)
        cut_heads(folder, layer=1, n_heads=3)
        report = self.compared(models.checkpoint("sequence"), folder)

        self.assertEqual(report["layers"], [{"layer": 1, "heads": [4, 3], "intermediate": [64, 64]}])
        self.assertEqual([report[side]["kind"] for side in "ab"], ["checkpoint folder"] * 2)
        self.assertEqual(report["b"]["bytes"], (folder / "model.safetensors").stat().st_size)
        self.assertEqual(report["a"]["n_parameters"] - report["b"]["n_parameters"], 4 * 8 * 32 + 3 * 8)
        table = self.ok("compare", models.checkpoint("sequence"), folder, "-r", "1")
        self.assertRegex(table, r"\n  layer 1 +heads 4, FFN 64 +heads 3, FFN 64 +0\.\d+ x\n")
        self.assertNotIn("layer 0", table)

    def test_both_are_timed_on_the_same_ids(self):
        report = self.compared(models.model("sequence", "fp32"), models.model("sequence"))
        latency = report["latency"]

        self.assertTrue(latency["same_ids"])
        self.assertEqual(latency["tokens"], [971, 971])
        self.assertEqual((latency["sentences"], latency["rounds"], latency["threads"]), (32, 3, 1))
        self.assertGreater(latency["a"]["p50_ms"], 0)
        self.assertTrue(latency["speedup_p10"] <= latency["speedup"] <= latency["speedup_p90"])

    def test_scores_and_distance_are_those_of_evaluate(self):
        a, b, data = models.model("sequence", "fp32"), models.model("sequence"), self.labelled()
        report = self.compared(a, b, "--data", data)
        evaluated = self.ok_json("evaluate", b, "--data", data, "--compare", a, "-t", "1")

        scores = report["scores"]
        for name in ["accuracy", "f1", "mcc"]:
            self.assertEqual(scores["b"][name], evaluated[name])
            self.assertEqual(scores["a"][name], evaluated["compare"][name])
        for name in ["n", "flips", "kl", "mcnemar_p", "max_abs_logit_diff", "accuracy_difference_95"]:
            self.assertEqual(scores[name], evaluated[name], name)
        self.assertEqual(report["latency"]["sentences"], len(TEXTS))
        self.assertEqual(report["tokens"], round(report["latency"]["tokens"][0] / len(TEXTS)))

    def test_scores_stand_on_the_side_of_their_model(self):
        contrary = self.contrary()
        answers = self.ok_lines("run", models.model("sequence"), *(word for text in TEXTS for word in ("--text", text)))
        rows = "".join(f"{text}\t{answer['label']}\n" for text, answer in zip(TEXTS, answers))
        data = self.file("own.tsv", "text\tlabel\n" + rows)
        scores = self.compared(models.model("sequence"), contrary, "--data", data)["scores"]

        self.assertEqual((scores["a"]["accuracy"], scores["b"]["accuracy"]), (100, 0))
        self.assertEqual(scores["flips"], 6)
        self.assertAlmostEqual(scores["mcnemar_p"], 2 / 2**6)
        self.assertLess(scores["accuracy_difference_95"][1], 0)
        table = self.ok("compare", models.model("sequence"), contrary, "--data", data, "-r", "1")
        self.assertRegex(table, r"\naccuracy +100 +0 +-100.000\n")

    def test_slices_are_set_against_each_other_with_their_flips(self):
        contrary = self.contrary()
        answers = self.ok_lines("run", models.model("sequence"), *(word for text in TEXTS for word in ("--text", text)))
        rows = "".join(f"{text}\t{answer['label']}\t{len(text) > 6}\n" for text, answer in zip(TEXTS, answers))
        data = self.file("own.tsv", "text\tlabel\tlong\n" + rows)
        report = self.compared(models.model("sequence"), contrary, "--data", data, "--slice-column", "long", "--flips", 4)

        for one in report["slices"]:
            self.assertEqual((one["before"], one["score"], one["difference"]), (100, 0, -100))
        self.assertEqual({one["group"] for one in report["slices"]}, {"label", "long"})
        self.assertEqual([len(report["flip_texts"]), report["scores"]["flips"]], [4, 6])
        flip = report["flip_texts"][0]
        self.assertEqual(flip["text"], TEXTS[flip["line"] - 2])
        self.assertEqual((flip["before"], flip["label"]), (answers[flip["line"] - 2]["label"],) * 2)
        self.assertNotEqual(flip["after"], flip["before"])
        self.assertEqual(len(report["reliability"]["a"]), 15)
        table = self.ok("compare", models.model("sequence"), contrary, "--data", data, "-r", "1", "--flips", 1)
        self.assertEqual(table.count("\n  line "), 1)
        self.fails(2, "compare", contrary, contrary, "--slice-column", "long", says="--data")

    def test_data_without_labels_still_has_a_distance(self):
        data = self.file("texts.tsv", "text\n" + "".join(f"{text}\n" for text in TEXTS))
        scores = self.compared(models.model("sequence", "fp32"), models.model("sequence"), "--data", data)["scores"]
        self.assertEqual((scores["a"], scores["n"]), ({}, 6))
        self.assertGreater(scores["kl"], 0)

    def test_models_of_different_tasks_are_compared_as_far_as_they_go(self):
        report = self.compared(models.model("sequence"), models.model("embedding"), "--data", self.labelled())
        self.assertIn("one is a embed model, the other classify", " ".join(report["notes"]))
        self.assertIn("accuracy", report["scores"]["a"])
        self.assertNotIn("kl", report["scores"])

        report = self.compared(models.model("sequence"), models.model("masked_lm"), "--data", self.labelled())
        self.assertIn("no scores", " ".join(report["notes"]))
        self.assertGreater(report["latency"]["speedup"], 0)

    def test_the_table_shows_both_and_their_ratio(self):
        a, b = models.model("sequence", "fp32"), models.model("sequence")
        done = start("compare", a, b, "--data", self.labelled(), "-r", "2", "-t", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        ratio = b.stat().st_size / a.stat().st_size
        self.assertRegex(done.stdout, rf"\nsize +\S+ MB +\S+ MB +{ratio:.3f} x\n")
        self.assertRegex(done.stdout, r"\ntime of a round .* x faster \(")
        self.assertRegex(done.stdout, r"\naccuracy +\S+ +\S+ +[+-]")
        self.assertIn("rounds in turns", done.stderr)

    def test_mistakes_are_named(self):
        model = models.model("sequence")
        self.fails(2, "compare", model, says="B is required")
        self.fails(3, "compare", model, self.folder / "none.espl", says="none.espl")
        self.fails(3, "compare", model, model, "--data", self.folder / "none.tsv", says="none.tsv")


if __name__ == "__main__":
    os.environ.pop("ESPALIER_BACKEND", None)
    unittest.main()
