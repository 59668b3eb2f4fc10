"""Answers: of every task, in order, through arguments, files and pipes, with both programs."""
import json
import math
import os
import signal
import subprocess
import unittest

from support import CLI, RUN, Models, ProgramTest, start

models = Models()


class Answers(ProgramTest):
    def test_a_classifier_gives_label_score_and_scores(self):
        first, second = self.ok_lines("run", models.model("sequence"), "--text", "a good film", "--text", "bad", "--logits")

        self.assertEqual(list(first), ["label", "score", "scores", "logits", "n_tokens", "truncated"])
        self.assertEqual(set(first["scores"]), {"negative", "positive"})
        self.assertAlmostEqual(sum(first["scores"].values()), 1, places=5)
        self.assertEqual(first["score"], max(first["scores"].values()))
        self.assertEqual(first["score"], first["scores"][first["label"]])
        low, high = first["logits"]
        self.assertAlmostEqual(first["scores"]["positive"], 1 / (1 + math.exp(low - high)), places=5)
        self.assertEqual((first["n_tokens"], second["n_tokens"]), (5, 3))

    def test_logits_come_only_when_asked_for(self):
        answer, = self.ok_lines("run", models.model("sequence"), "--text", "a")
        self.assertNotIn("logits", answer)

    def test_pairs_are_read_together(self):
        alone, = self.ok_lines("run", models.model("sequence"), "--text", "good")
        pair, = self.ok_lines("run", models.model("sequence"), "--text", "good", "--pair", "bad")
        self.assertEqual((alone["n_tokens"], pair["n_tokens"]), (3, 5))
        self.assertNotEqual(alone["scores"], pair["scores"])
        self.fails(2, "run", models.model("sequence"), "--text", "a", "--text", "b", "--pair", "c", says="needs its --pair")

    def test_a_tagger_gives_spans_that_point_into_the_text(self):
        text = "很 mary and john, acme corp! 今天 fox dog cat berlin paris"
        answer, = self.ok_lines("run", models.model("tokens", "fp32"), "--text", text)
        self.assertEqual(list(answer), ["spans", "n_tokens", "truncated"])
        self.assertTrue(answer["spans"], "the tiny model should tag something")
        for span in answer["spans"]:
            self.assertEqual(text[span["start"]:span["end"]], span["text"])
            self.assertEqual(span["label"], "PER")
            self.assertTrue(0 < span["score"] <= 1)

    def test_an_embedder_gives_a_vector_of_length_one(self):
        answer, = self.ok_lines("run", models.model("embedding"), "--text", "good tree", "--logits")
        self.assertEqual(len(answer["embedding"]), 32)
        self.assertAlmostEqual(sum(value * value for value in answer["embedding"]), 1, places=4)

    def test_a_masked_model_gives_its_best_pieces_for_each_mask(self):
        answer, = self.ok_lines("run", models.model("masked_lm"), "--text", "the [MASK] is [MASK]", "--top", "3")
        self.assertEqual([len(mask) for mask in answer["masks"]], [3, 3])
        scores = [candidate["score"] for candidate in answer["masks"][0]]
        self.assertEqual(scores, sorted(scores, reverse=True))

    def test_regression_and_many_labels(self):
        number, = self.ok_lines("run", models.model("regression"), "--text", "good", "--logits")
        self.assertEqual(number["score"], number["logits"][0])
        many, = self.ok_lines("run", models.model("multi_label"), "--text", "good", "--logits")
        for logit, score in zip(many["logits"], many["scores"].values()):
            self.assertAlmostEqual(score, 1 / (1 + math.exp(-logit)), places=5)

    def test_a_long_text_is_marked_and_counted(self):
        done = start("run", models.model("sequence"), "--text", "tree " * 9, "--text", "tree", "--max-length", "5")
        self.assertEqual([json.loads(line)["truncated"] for line in done.stdout.splitlines()], [True, False])
        self.assertIn("1 text was longer", done.stderr)

    def test_the_table_is_for_people(self):
        text = self.ok("run", models.model("sequence"), "--text", "good\x1b[31m", "--format", "table")
        self.assertRegex(text, r"^(positive|negative) +0\.\d{4}  good\\x1b\[31m\n$")
        for kind in ["tokens", "embedding", "masked_lm"]:
            self.assertIn("[MASK] tree", self.ok("run", models.model(kind), "--text", "[MASK] tree", "--format", "table"))

    def test_the_first_note_says_what_runs_where_and_quiet_silences_it(self):
        done = start("run", models.model("sequence"), "--text", "a", "-t", "1", "--backend", "reference")
        self.assertRegex(done.stderr, r"^espalier \d+\.\d+\.\d+: reference \(.*\), 1 thread, int8\n$")
        self.assertEqual(start("run", models.model("sequence"), "--text", "a", "-q").stderr, "")

    def test_int8_answers_are_the_same_bits_for_every_back_end_and_thread_count(self):
        texts = [word for text in ["good tree", "a", "the quick brown fox " * 5] for word in ("--text", text)]
        answers = {self.ok("run", models.model("sequence"), *texts, "--logits", "-t", threads, "--backend", backend)
                   for threads in (1, 2, 3) for backend in ("auto", "reference")}
        self.assertEqual(len(answers), 1)


class BothPrograms(ProgramTest):
    def test_espalier_run_answers_as_espalier_does(self):
        arguments = ["--text", "a good film", "--pair", "a bad one", "--logits"]
        self.assertEqual(self.ok("run", models.model("sequence"), *arguments),
                         self.ok(models.model("sequence"), *arguments, program=RUN))

    def test_they_take_the_same_options(self):
        options = [line for line in self.ok("run", "--help").splitlines() if line.startswith("  -")]
        self.assertEqual(options, [line for line in self.ok("--help", program=RUN).splitlines() if line.startswith("  -")])

    def test_espalier_run_has_the_same_exit_codes(self):
        self.fails(3, self.folder / "nope.espl", "--text", "a", says="nope.espl", program=RUN)
        self.fails(2, says="MODEL", program=RUN)
        damaged = models.model("sequence").read_bytes()[:-9] + b"123456789"
        self.fails(7, self.file("m.espl", damaged), "--text", "a", says="m.espl", program=RUN)


class Pipes(ProgramTest):
    def test_lines_of_a_file_and_of_standard_input_are_answered_in_order(self):
        lines = "good tree\r\n\nbad\tfilm\nthe end"
        expected = self.ok("run", models.model("sequence"), "--text", "good tree", "--text", "", "--text", "bad\tfilm",
                           "--text", "the end")
        self.assertEqual(self.ok("run", models.model("sequence"), "--input", self.file("lines.txt", lines)), expected)
        self.assertEqual(self.ok("run", models.model("sequence"), "--input", "-", input=lines), expected)

    def test_more_lines_than_a_chunk_come_back_one_for_one(self):
        lines = ["word " * (number % 7) for number in range(500)]
        answers = self.ok_lines("run", models.model("sequence"), "--input", self.file("lines.txt", "\n".join(lines) + "\n"))
        self.assertEqual([answer["n_tokens"] > 2 for answer in answers], [line != "" for line in lines])

    def test_texts_come_before_the_input(self):
        first, second = self.ok_lines("run", models.model("sequence"), "--input", "-", "--text", "good", input="the tree\n")
        self.assertEqual((first["n_tokens"], second["n_tokens"]), (3, 4))

    def test_any_bytes_are_answered_with_valid_json(self):
        path = self.file("bytes.txt", bytes(range(256)).replace(b"\n", b"") + b"\n\xff\xfe\n")
        for kind in ["sequence", "tokens"]:
            self.assertEqual(len(self.ok_lines("run", models.model(kind), "--input", path)), 2)

    def test_an_input_that_cannot_be_read_is_exit_3(self):
        self.fails(3, "run", models.model("sequence"), "--input", self.folder / "nope", says="nope")
        self.fails(3, "run", models.model("sequence"), "--input", self.folder, says=self.folder.name)

    def test_a_reader_that_had_enough_is_no_error(self):
        lines = self.file("lines.txt", "good tree\n" * 20000)
        with subprocess.Popen([CLI, "run", models.model("sequence"), "--input", lines, "-q"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as program:
            program.stdout.readline()
            program.stdout.close()
            self.assertEqual(program.wait(timeout=300), 0)
            self.assertEqual(program.stderr.read(), b"")

    def test_a_line_is_answered_before_the_next_one_comes(self):
        with subprocess.Popen([CLI, "run", models.model("sequence"), "--input", "-", "-q"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as program:
            for text, n_tokens in [(b"good\n", 3), (b"good tree\n", 4)]:
                program.stdin.write(text)
                program.stdin.flush()
                self.assertEqual(json.loads(program.stdout.readline())["n_tokens"], n_tokens)
            program.stdin.close()
            self.assertEqual(program.wait(timeout=300), 0)

    def test_a_full_disk_is_exit_4(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            self.fails(4, "run", models.model("sequence"), "--text", "a", says="No space left", stdout=full)


class Signals(ProgramTest):
    def interrupted_by(self, number):
        with subprocess.Popen([CLI, "run", models.model("sequence"), "--input", "-"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            program.stdin.write(b"good\n")
            program.stdin.flush()
            program.stdout.readline()  # it is at work now, and waits for more
            os.kill(program.pid, number)
            return program.wait(timeout=300), program.stderr.read().decode()

    def test_ctrl_c_is_exit_130_and_sigterm_143(self):
        for number, code, word in [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]:
            status, message = self.interrupted_by(number)
            self.assertEqual(status, code)
            self.assertIn(word, message)


class Attribution(ProgramTest):
    def answers(self, model, *texts, pair=None):
        words = [word for text in texts for word in ("--text", text, *(["--pair", pair] if pair else []))]
        return self.ok_lines("run", model, *words, "--logits")

    def explained(self, model, *arguments):
        return self.ok_lines("run", model, *arguments, "--attribute")[0]

    def log_odds(self, answer, label):
        return {"negative": 1, "positive": -1}[label] * (answer["logits"][0] - answer["logits"][1])

    def test_a_word_scores_what_the_answer_loses_without_it(self):
        words, model = ["the", "best", "tree", "of", "boring"], models.model("sequence")
        explained = self.explained(model, "--text", " ".join(words), "--logits")
        label = explained["label"]
        self.assertEqual([word["text"] for word in explained["words"]], words)
        for index, word in enumerate(explained["words"]):
            without, = self.answers(model, " ".join(words[:index] + words[index + 1:]))
            self.assertAlmostEqual(word["score"], self.log_odds(explained, label) - self.log_odds(without, label), places=4)

    def test_pieces_of_a_word_have_scores_of_their_own_and_one_together(self):
        text, model = "很 unfoxing fox", models.model("sequence", "fp32")
        explained = self.explained(model, "--text", text, "--logits")
        self.assertEqual([word["text"] for word in explained["words"]], ["很", "unfoxing", "fox"])
        self.assertGreater(len(explained["tokens"]), 3)
        for part in explained["tokens"] + explained["words"]:
            self.assertEqual(text[part["start"]:part["end"]], part["text"].replace("##", "").replace("[UNK]", "很"))
        without, = self.answers(model, "很 fox")
        lost = self.log_odds(explained, explained["label"]) - self.log_odds(without, explained["label"])
        self.assertAlmostEqual(explained["words"][1]["score"], lost, places=4)

    def test_pairs_say_which_text_and_numbers_are_their_own_unit(self):
        explained = self.explained(models.model("sequence"), "--text", "good fox", "--pair", "bad tree", "--logits")
        self.assertEqual([(word["text"], word["segment"], word["start"]) for word in explained["words"]],
                         [("good", 0, 0), ("fox", 0, 5), ("bad", 1, 0), ("tree", 1, 4)])
        without, = self.answers(models.model("sequence"), "good fox", pair="bad")
        lost = self.log_odds(explained, explained["label"]) - self.log_odds(without, explained["label"])
        self.assertAlmostEqual(explained["words"][3]["score"], lost, places=4)

        explained = self.explained(models.model("regression"), "--text", "good fox")
        without, = self.answers(models.model("regression"), "good")
        self.assertAlmostEqual(explained["words"][1]["score"], explained["score"] - without["score"], places=5)

    def test_every_back_end_and_program_says_the_same(self):
        arguments = [models.model("sequence"), "--text", "the quick brown fox", "--attribute"]
        reference = self.ok("run", *arguments, "--backend", "reference")
        self.assertEqual(self.ok("run", *arguments), reference)
        self.assertEqual(self.ok(*arguments, program=RUN), reference)

    def test_an_empty_text_has_no_parts_and_other_tasks_are_refused(self):
        explained = self.explained(models.model("sequence"), "--text", "")
        self.assertEqual((explained["tokens"], explained["words"]), ([], []))
        for kind in ["tokens", "embedding", "masked_lm"]:
            self.fails(2, "run", models.model(kind), "--text", "a", "--attribute", says="--attribute explains a label")

    def test_the_table_has_a_line_for_each_word(self):
        table = self.ok("run", models.model("sequence"), "--text", "good fox", "--attribute", "--format", "table")
        self.assertRegex(table, r"^\S+ +\S+  good fox\n +[+-]\d+\.\d{4}  good\n +[+-]\d+\.\d{4}  fox\n$")


if __name__ == "__main__":
    unittest.main()
