"""Scores of every task on every data format, and the distance between two models."""
import json
import os
import signal
import subprocess
import unittest

from support import CLI, Models, ProgramTest, start

models = Models()

TEXTS = ["a good film", "bad", "the quick brown fox", "worst movie ever", "the best tree of the garden", "boring"]


def answers(model, texts, *pairs):
    """What `espalier run` says about the texts."""
    arguments = [word for text in texts for word in ("--text", text)] + [w for p in pairs for w in ("--pair", p)]
    return [json.loads(line) for line in start("run", model, *arguments, "--logits").stdout.splitlines()]


class Classification(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = models.model("sequence")
        self.predicted = [answer["label"] for answer in answers(self.model, TEXTS)]

    def test_accuracy_is_the_share_of_right_rows_in_percent(self):
        gold = self.predicted[:-1] + [{"positive": "negative", "negative": "positive"}[self.predicted[-1]]]
        rows = "".join(f"{text}\t{label}\n" for text, label in zip(TEXTS, gold))
        report = self.ok_json("evaluate", self.model, "--data", self.file("dev.tsv", "sentence\tlabel\n" + rows))

        self.assertEqual(report["n"], 6)
        self.assertAlmostEqual(report["accuracy"], 100 * 5 / 6)
        self.assertTrue({"f1", "mcc", "truncated"} <= set(report))

    def test_a_checkpoint_folder_is_scored_as_the_fp32_model_that_it_becomes(self):
        data = self.file("dev.tsv", "text\tlabel\n" + "".join(f"{text}\tpositive\n" for text in TEXTS))
        folder = f"{models.checkpoint('sequence')}/"
        report = self.ok_json("evaluate", folder, "--data", data, "--compare", models.model("sequence", "fp32"))

        self.assertEqual((report["model"], report["precision"]), ("sequence", "fp32"))
        self.assertEqual((report["flips"], report["max_abs_logit_diff"]), (0, 0))

    def test_every_format_gives_the_same_scores(self):
        number = {"negative": 0, "positive": 1}
        rows = list(zip(TEXTS, ["positive", "negative"] * 3))
        files = [
            self.file("a.tsv", "text\tlabel\n" + "".join(f"{text}\t{number[label]}\n" for text, label in rows)),
            self.file("b.csv", 'label,review\r\n' + "".join(f'{label},"{text}"\r\n' for text, label in rows)),
            self.file("c.jsonl", "".join(json.dumps({"text": text, "label": number[label]}) + "\n" for text, label in rows)),
        ]
        reports = [self.ok_json("eval", self.model, "--data", file) for file in files]
        plain = self.file("d.txt", "".join(f"{label}\t{text}\n" for text, label in rows))
        reports.append(self.ok_json("evaluate", self.model, "--data", plain, "--no-header", "--data-format", "tsv",
                                    "--text-column", "2", "--label-column", "1"))
        for report in reports:
            del report["data"]
        self.assertEqual(reports, [reports[0]] * 4)

    def test_a_pair_column_is_read_as_the_second_text(self):
        data = self.file("dev.tsv", "one\ttwo\tlabel\ngood\tbad\t0\n")
        out = self.folder / "out.jsonl"
        self.ok("evaluate", self.model, "--data", data, "--text-column", "one", "--pair-column", "two", "--predictions", out)
        self.assertEqual(json.loads(out.read_text())["logits"], answers(self.model, ["good"], "bad")[0]["logits"])

    def test_predictions_are_what_run_answers(self):
        data = self.file("dev.tsv", "text\tlabel\n" + "".join(f"{text}\tpositive\n" for text in TEXTS))
        out = self.folder / "out.jsonl"
        self.ok("evaluate", self.model, "--data", data, "--predictions", out)
        lines = [json.loads(line) for line in out.read_text().splitlines()]

        self.assertEqual([line["predicted"] for line in lines], self.predicted)
        self.assertEqual([line["logits"] for line in lines], [answer["logits"] for answer in answers(self.model, TEXTS)])
        self.assertEqual([line["line"] for line in lines], list(range(2, 8)))
        self.fails(4, "evaluate", self.model, "--data", data, "--predictions", out, says="--force")
        self.ok("evaluate", self.model, "--data", data, "--predictions", out, "--force")

    def test_truncated_rows_are_counted(self):
        data = self.file("dev.tsv", "text\tlabel\n" + "tree " * 9 + "\t0\ntree\t1\n")
        done = start("evaluate", self.model, "--data", data, "--max-length", "5", "--format", "json")
        self.assertEqual(json.loads(done.stdout)["truncated"], 1)
        self.assertIn("1 of 2 rows", done.stderr)

    def test_the_table_has_the_same_figures(self):
        data = self.file("dev.tsv", "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in zip(TEXTS, self.predicted)))
        self.assertRegex(self.ok("evaluate", self.model, "--data", data), r"accuracy +100\n")


class Comparison(ProgramTest):
    def test_a_model_is_at_no_distance_from_itself(self):
        data = self.file("dev.tsv", "text\tlabel\n" + "".join(f"{text}\t1\n" for text in TEXTS))
        model = models.model("sequence")
        report = self.ok_json("evaluate", model, "--data", data, "--compare", model)

        self.assertEqual((report["flips"], report["kl"], report["max_abs_logit_diff"]), (0, 0, 0))
        self.assertEqual(report["mcnemar_p"], 1)
        self.assertEqual(report["compare"]["accuracy"], report["accuracy"])

    def test_the_distance_is_that_of_the_logits(self):
        texts = self.file("dev.tsv", "text\n" + "".join(f"{text}\n" for text in TEXTS))
        int8, fp32 = models.model("sequence"), models.model("sequence", "fp32")
        report = self.ok_json("evaluate", int8, "--data", texts, "--compare", fp32)
        largest = max(abs(a - b) for one, two in zip(answers(int8, TEXTS), answers(fp32, TEXTS))
                      for a, b in zip(one["logits"], two["logits"]))

        self.assertAlmostEqual(report["max_abs_logit_diff"], largest, places=5)
        self.assertGreater(report["kl"], 0)
        self.assertNotIn("accuracy", report)

    def test_models_that_answer_different_questions_are_refused(self):
        data = self.file("dev.tsv", "text\tlabel\na\t1\n")
        self.fails(3, "evaluate", models.model("sequence"), "--data", data, "--compare", models.model("embedding"),
                   says="cannot be compared")


class Slices(ProgramTest):
    """Scores by label and by column."""

    def setUp(self):
        super().setUp()
        self.model = models.model("sequence")
        self.predicted = [answer["label"] for answer in answers(self.model, TEXTS)]

    def rows(self, gold, *lengths):
        rows = zip(TEXTS, gold, lengths or ["long" if " " in text else "short" for text in TEXTS])
        return self.file("dev.tsv", "text\tlabel\tlength\n" + "".join("\t".join(row) + "\n" for row in rows))

    def test_every_label_and_slice_has_its_score_the_worst_first(self):
        wrong = {"positive": "negative", "negative": "positive"}
        gold = [wrong[label] if text == "bad" else label for text, label in zip(TEXTS, self.predicted)]
        report = self.ok_json("evaluate", self.model, "--data", self.rows(gold), "--slice-column", "length")
        slices = {(one["group"], one["value"]): one for one in report["slices"]}

        self.assertEqual(slices["length", "short"]["score"], 50)
        self.assertEqual((slices["length", "long"]["score"], slices["length", "long"]["n"]), (100, 4))
        self.assertEqual(sum(one["n"] for one in report["slices"]), 12)
        self.assertEqual(report["slices"], sorted(report["slices"], key=lambda one: one["score"]))
        low, high = slices["length", "long"]["score_95"]
        self.assertTrue(low < 60 and high == 100, "four rows are no certainty")
        table = self.ok("evaluate", self.model, "--data", self.rows(gold), "--slice-column", "length")
        self.assertRegex(table, r"\nlength=short +2 +50.00 +\S+ to \S+\n")

    def test_compared_with_another_the_difference_is_theirs(self):
        report = self.ok_json("evaluate", self.model, "--data", self.rows(self.predicted), "--compare",
                              models.model("sequence", "fp32"), "--slice-column", "length")
        for one in report["slices"]:
            self.assertAlmostEqual(one["difference"], one["score"] - one["before"])
            low, high = one["difference_95"]
            self.assertTrue(low < one["difference"] < high)
        self.assertEqual({one["score"] for one in report["slices"]}, {100})

    def test_errors_of_regression_are_means_by_slice(self):
        model = models.model("regression")
        scores = [answer["score"] for answer in answers(model, TEXTS)]
        data = self.rows([f"{score + (0.5 if ' ' in text else 0.25):.7f}" for text, score in zip(TEXTS, scores)])
        report = self.ok_json("evaluate", model, "--data", data, "--slice-column", "length", "--compare", model)

        self.assertEqual(report["slice_score"], "mean_error")
        means = {one["value"]: one["score"] for one in report["slices"]}
        self.assertAlmostEqual(means["long"], 0.5, places=5)
        self.assertAlmostEqual(means["short"], 0.25, places=5)

    def test_types_of_entities_and_many_labels_have_an_f1(self):
        words = ["mary", "and", "john", "acme", "corp", "fox", "dog", "cat", "berlin", "paris"]
        model, out = models.model("tokens", "fp32"), self.folder / "out.jsonl"
        sentence = {"text": words, "label": ["O"] * 10, "source": "news"}
        self.ok("evaluate", model, "--data", self.file("a.jsonl", json.dumps(sentence) + "\n"), "--predictions", out)
        tags = json.loads(out.read_text())["predicted"]
        own = self.file("own.jsonl", json.dumps({**sentence, "label": tags}) + "\n")
        report = self.ok_json("evaluate", model, "--data", own, "--slice-column", "source", "--compare", model)
        slices = {(one["group"], one["value"]): (one["before"], one["score"]) for one in report["slices"]}
        self.assertEqual(slices["source", "news"], (100, 100))
        self.assertEqual(slices["entity", "PER"], (100, 100))

        model = models.model("multi_label")
        gold = [[name for name, score in answer["scores"].items() if score >= 0.5] for answer in answers(model, TEXTS)]
        lines = [json.dumps({"text": text, "labels": names, "source": "x"}) for text, names in zip(TEXTS, gold)]
        report = self.ok_json("evaluate", model, "--data", self.file("m.jsonl", "\n".join(lines)), "--slice-column", "source")
        self.assertEqual(report["slice_score"], "f1")
        counts = {one["value"]: one["n"] for one in report["slices"] if one["group"] == "label"}
        self.assertEqual(counts, {name: sum(name in names for names in gold) for name in set(sum(gold, []))})

    def test_mistakes_are_named(self):
        data = self.rows(self.predicted)
        says = "columns: 'text', 'label', 'length'"
        self.fails(3, "evaluate", self.model, "--data", data, "--slice-column", "size", says=says)
        many = self.file("many.tsv", "text\tlabel\tid\n" + "".join(f"a\t1\t{row}\n" for row in range(1001)))
        self.fails(3, "evaluate", self.model, "--data", many, "--slice-column", "id", says="more than 1000 values")
        plain = self.file("plain.tsv", "text\tid\na\t1\n")
        self.fails(2, "evaluate", self.model, "--data", plain, "--slice-column", "id", "--compare", self.model,
                   says="--label-column")
        pairs = self.file("p.tsv", "one\ttwo\tscore\tid\na\tb\t1\tx\n")
        self.fails(2, "evaluate", models.model("embedding"), "--data", pairs, "--text-column", "one", "--pair-column",
                   "two", "--slice-column", "id", says="a score of each row")

    def test_scores_are_held_against_what_is_right(self):
        report = self.ok_json("evaluate", self.model, "--data", self.rows(self.predicted))
        chances = [max(answer["scores"].values()) for answer in answers(self.model, TEXTS)]

        self.assertAlmostEqual(report["ece_percent"], 100 * sum(1 - chance for chance in chances) / 6, places=4)
        self.assertAlmostEqual(report["brier"], sum(2 * (1 - chance) ** 2 for chance in chances) / 6, places=5)
        self.assertEqual(sum(bin["n"] for bin in report["reliability"]), 6)


class OtherTasks(ProgramTest):
    def test_tags_are_scored_as_entities_on_the_words_given(self):
        model = models.model("tokens", "fp32")
        words = ["mary", "and", "john", "acme", "corp", "fox", "dog", "cat", "berlin", "paris"]
        out = self.folder / "out.jsonl"
        rows = self.file("gold.conll", "-DOCSTART- O\n\n" + "".join(f"{word} O\n" for word in words) + "\n")
        report = self.ok_json("evaluate", model, "--data", rows, "--predictions", out)
        self.assertEqual((report["n"], report["words"], report["entity_f1"]), (1, 10, 0))

        # The model's own answers as the truth: every figure is 100.
        predicted = json.loads(out.read_text())["predicted"]
        self.assertIn("PER", "".join(predicted))
        own = self.file("own.conll", "".join(f"{word} X {tag}\n" for word, tag in zip(words, predicted)))
        report = self.ok_json("evaluate", model, "--data", own, "--compare", models.model("tokens"))
        for key in ["accuracy", "entity_f1", "entity_precision", "entity_recall"]:
            self.assertEqual(report[key], 100, key)
        self.assertEqual(report["entities"]["PER"]["f1"], 100)
        self.assertGreater(report["kl"], 0)
        self.assertLessEqual(report["flips"], 10)

    def test_a_sentence_longer_than_the_model_is_read_in_windows(self):
        rows = self.file("long.conll", "tree O\n" * 300)
        report = self.ok_json("evaluate", models.model("tokens"), "--data", rows)
        self.assertEqual((report["words"], report["truncated"]), (300, 0))

    def test_pairs_for_embeddings_are_scored_by_rank(self):
        data = self.file("sts.tsv", "one\ttwo\tscore\ngood tree\tgood tree\t5\ngood tree\tgood trees\t4\nfox\tthe money\t0\n")
        report = self.ok_json("evaluate", models.model("embedding"), "--data", data, "--text-column", "one",
                              "--pair-column", "two", "--compare", models.model("embedding", "fp32"))
        self.assertTrue(-1 <= report["spearman"] <= 1 and -1 <= report["pearson"] <= 1)
        self.assertTrue(0.9 < report["min_cosine"] <= report["mean_cosine"] <= 1 + 1e-6)

    def test_embeddings_are_compared_without_labels(self):
        data = self.file("texts.tsv", "text\n" + "".join(f"{text}\n" for text in TEXTS))
        model = models.model("embedding")
        report = self.ok_json("evaluate", model, "--data", data, "--compare", model)
        self.assertAlmostEqual(report["mean_cosine"], 1, places=6)
        self.fails(2, "evaluate", model, "--data", self.file("l.tsv", "text\tlabel\na\t1\n"), says="--pair-column")

    def test_regression_is_scored_by_correlation(self):
        model = models.model("regression")
        scores = [answer["score"] for answer in answers(model, TEXTS)]
        data = self.file("dev.tsv", "text\tscore\n" + "".join(f"{text}\t{2 * score + 1:.6f}\n" for text, score in zip(TEXTS, scores)))
        report = self.ok_json("evaluate", model, "--data", data, "--compare", model)
        self.assertAlmostEqual(report["spearman"], 1)
        self.assertAlmostEqual(report["pearson"], 1, places=4)
        self.assertEqual(report["max_abs_logit_diff"], 0)

    def test_many_labels_are_scored_cell_by_cell(self):
        model = models.model("multi_label")
        gold = [[name for name, score in answer["scores"].items() if score >= 0.5] for answer in answers(model, TEXTS)]
        data = self.file("dev.jsonl", "".join(json.dumps({"text": text, "labels": names}) + "\n" for text, names in zip(TEXTS, gold)))
        report = self.ok_json("evaluate", model, "--data", data, "--compare", models.model("multi_label", "fp32"))
        self.assertEqual(report["accuracy"], 100)
        self.assertGreater(report["kl"], 0)

    def test_a_masked_model_cannot_be_scored(self):
        self.fails(2, "evaluate", models.model("masked_lm"), "--data", self.file("a.tsv", "text\tlabel\na\t1\n"),
                   says="fine-tuned")


class BadData(ProgramTest):
    def refused(self, content, says, *arguments, code=3):
        self.fails(code, "evaluate", models.model("sequence"), "--data", self.file("dev.tsv", content), *arguments, says=says)

    def test_a_malformed_line_is_named_and_no_output_is_left(self):
        out = self.folder / "out.jsonl"
        self.refused("text\tlabel\ngood\t1\ngood\n", "line 3", "--predictions", out)
        self.refused("text\tlabel\ngood\tgreat\n", "line 2", "--predictions", out)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["dev.tsv"])

    def test_a_missing_column_lists_the_header(self):
        self.refused("premise\tlabel\ngood\t1\n", "'premise'")
        self.refused("text\tlabel\ngood\t1\n", "'label'", "--text-column", "nope")

    def test_no_rows_no_file_no_labels(self):
        self.refused("text\tlabel\n", "rows")
        self.refused("text\ngood\n", "label")
        self.fails(3, "evaluate", models.model("sequence"), "--data", self.folder / "nope.tsv", says="nope.tsv")


class Interrupt(ProgramTest):
    def test_ctrl_c_leaves_no_partial_predictions(self):
        data = self.file("dev.tsv", "text\tlabel\n" + "the quick brown fox jumps\t1\n" * 400000)
        with subprocess.Popen([CLI, "evaluate", models.model("sequence"), "--data", data, "--predictions",
                               self.folder / "out.jsonl", "--backend", "reference", "-t", "1"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            program.stderr.readline()  # the first note: rows are being answered
            os.kill(program.pid, signal.SIGINT)
            self.assertEqual(program.wait(timeout=300), 130)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["dev.tsv"])


if __name__ == "__main__":
    unittest.main()
