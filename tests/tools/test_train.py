"""What the training programs make: models that learnt their task, open elsewhere, and say how they came about."""
import gzip
import json
import unittest
import xml.etree.ElementTree
from pathlib import Path

from support import start
from training import (ALIKE, ALIKE_ONLY, CLASSIFY, DISTILL, LISTED, PAIRS, PRUNE, SCORED, TAGGED, TEXT, TRAIN, TrainingTest,
                      judged_texts, lines_of_json, table)


class Finetune(TrainingTest):
    def learn(self, task, data, *arguments, kind="sequence", epochs=15):
        """Trains on `data` and judges by the same; the report, with every file of the run looked at."""
        train = self.file("rows" + (".conll" if task == "tag" else ".tsv"), data)
        report = self.train("finetune", self.models.checkpoint(kind), "--task", task, "--train", train, "--eval", train,
                            "--epochs", epochs, "-o", "out", *arguments)

        card = json.loads(Path("out/training.json").read_text())
        self.assertEqual({**card, "output": "out", "schema_version": 1}, report)
        self.assertEqual((card["stage"], card["task"], card["start"]), ("finetune", task, kind))
        self.assertEqual(card["train"]["file"], train.name)
        self.assertRegex(card["train"]["xxh3"], "^[0-9a-f]{16}$")
        self.assertIn(card["energy"]["tag"], ["measured", "estimated", "unavailable"])
        self.assertNotIn("/", json.dumps({**card, "energy": card["energy"]["tag"]}))
        self.assertEqual(xml.etree.ElementTree.parse("out/training/loss.svg").getroot().tag.split("}")[1], "svg")
        log = lines_of_json(Path("out/training/log.jsonl"))
        self.assertEqual([line["step"] for line in log if "loss" in line][-1], report["steps"])
        losses = [line["epoch_loss"] for line in log if "epoch_loss" in line]
        self.assertEqual(len(losses), epochs)
        self.assertLess(losses[-1], losses[0])
        self.assertEqual(sorted(path.name for path in Path("out/training").iterdir()), ["log.jsonl", "loss.svg"])
        return report

    def answer(self, *texts, verb="quantize"):
        self.ok(verb, "out", "-o", "model.espl")
        return self.ok_lines("run", "model.espl", *texts)

    def test_a_task_is_learnt_and_the_model_answers_with_the_labels_of_the_data(self):
        data = table(["text", "label"], judged_texts(("thumbs down", "thumbs up")))
        report = self.learn("classify", data, "--new-head")

        self.assertEqual(list(report["scores"]), ["accuracy", "f1", "mcc"])
        self.assertGreater(report["scores"]["accuracy"], 95)
        self.assertEqual(report["labels"], ["thumbs down", "thumbs up"])
        good, bad = self.answer("--text", "the tree is best", "--text", "the tree is worst")
        self.assertEqual((good["label"], bad["label"]), ("thumbs up", "thumbs down"))

    def test_the_labels_of_the_checkpoint_keep_their_order(self):
        first = table(["text", "label"], reversed(judged_texts()))
        self.assertEqual(self.learn("classify", first)["labels"], ["negative", "positive"])

    def test_labels_can_be_given_in_an_order_and_stored_in_half_the_bytes(self):
        train = self.file("rows.tsv", CLASSIFY)
        for out, weights in [("f32", "f32"), ("f16", "f16")]:
            report = self.train("finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train", train,
                                "--labels", "positive,negative", "--epochs", 1, "--dtype", weights, "-o", out)
            self.assertEqual(report["labels"], ["positive", "negative"])
            self.assertNotIn("scores", report)
        self.assertLess(len(self.weights("f16")), 0.6 * len(self.weights("f32")))

    def test_both_texts_of_a_pair_are_read(self):
        report = self.learn("pair", PAIRS, "--new-head")
        self.assertGreater(report["scores"]["accuracy"], 95)
        self.assertEqual(self.answer("--text", "the film", "--pair", "it is worst")[0]["label"], "no")

    def test_numbers_are_learnt(self):
        report = self.learn("regress", SCORED, kind="regression", epochs=30)
        self.assertGreater(report["scores"]["spearman"], 85)
        best, worst = self.answer("--text", "the film is best", "--text", "the film is worst")
        self.assertGreater(best["score"], worst["score"] + 1)

    def test_any_number_of_labels_is_learnt_for_a_text(self):
        report = self.learn("multi_label", LISTED, kind="masked_lm", epochs=30)
        self.assertGreater(report["scores"]["micro_f1"], 90)
        both, none = self.answer("--text", "dog under tree", "--text", "the river")
        self.assertEqual(set(both["scores"]), {"animal", "plant"})
        self.assertGreater(min(both["scores"].values()), 0.5)
        self.assertLess(max(none["scores"].values()), 0.5)

    def test_tags_in_iob1_are_learnt_as_iob2(self):
        report = self.learn("tag", TAGGED, kind="masked_lm")
        self.assertEqual(report["labels"], ["O", "B-LOC", "B-PER", "I-PER"])
        self.assertGreater(report["scores"]["entity_f1"], 95)
        answer, = self.answer("--text", "john mary went to paris", verb="convert")
        self.assertEqual([(span["text"], span["label"]) for span in answer["spans"]], [("john mary", "PER"), ("paris", "LOC")])

    def test_sentence_vectors_are_learnt_from_scored_pairs(self):
        report = self.learn("embed", ALIKE, kind="embedding")
        self.assertGreater(report["scores"]["spearman"], 60)  # 64.6 where most scores are equal
        self.check_embedding_model()

    def test_sentence_vectors_are_learnt_from_pairs_alone(self):
        # A masked LM has no pooling of its own, and this data no scores: what is judged is who finds whom.
        report = self.learn("embed", ALIKE_ONLY, kind="masked_lm", epochs=5)
        self.assertEqual(report["labels"], [])
        self.assertGreater(report["scores"]["retrieval_accuracy"], 20)  # of 25: each pair is there four times
        self.check_embedding_model()

    def check_embedding_model(self):
        self.assertTrue(Path("out/modules.json").exists())
        answer, = self.answer("--text", "the film")
        self.assertAlmostEqual(sum(value * value for value in answer["embedding"]), 1, places=4)
        inspected = self.ok_json("inspect", "model.espl")
        self.assertEqual((inspected["task"], inspected["pooling"], inspected["normalize"]), ("embed", "mean", True))

    def test_an_untrained_model_takes_a_head_for_any_task_and_what_was_trained_trains_on(self):
        train = self.file("rows.tsv", CLASSIFY)
        self.ok("new", "--vocab", self.models.checkpoint("sequence"), "--layers", 1, "--hidden", 16, "--heads", 2, "-o", "new")
        self.train("finetune", "new/", "--task", "classify", "--train", train, "--epochs", 1, "-o", "one/")
        report = self.train("finetune", "./one/", "--task", "classify", "--train", train, "--epochs", 1, "-o", "two/")
        self.assertEqual((report["start"], report["output"], report["labels"]), ("one", "two", ["negative", "positive"]))

    def test_what_an_earlier_run_left_is_replaced_by_force(self):
        embedding = self.file("pairs.tsv", ALIKE)
        self.train("finetune", self.models.checkpoint("embedding"), "--task", "embed", "--train", embedding, "--epochs", 1,
                   "-o", "out")
        train = self.file("rows.tsv", CLASSIFY)
        self.train("finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train", train, "--epochs", 1,
                   "-o", "out", "--force")
        self.assertIn("label", self.answer("--text", "the film")[0])

    def test_class_weights_count(self):
        train = self.file("rows.tsv", CLASSIFY)
        weights = set()
        for index, value in enumerate(["balanced", "1,1", "9,1"]):
            self.train("finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train", train, "--epochs", 1,
                       "--class-weights", value, "-o", f"out{index}")
            weights.add(self.weights(f"out{index}"))
        self.assertEqual(len(weights), 2)  # the two classes are of one size, so balanced is 1,1


class Pretrain(TrainingTest):
    SHAPE = ["--layers", 1, "--hidden", 16, "--heads", 2]

    def test_text_alone_makes_a_model_with_a_vocabulary_of_its_own(self):
        path = self.folder / "text.txt.gz"
        path.write_bytes(gzip.compress(TEXT.encode()))
        report = self.train("pretrain", "--train", path, "--eval", path, "--vocab-size", 80, *self.SHAPE, "--epochs", 20,
                            "-o", "out")

        self.assertEqual((report["stage"], report["documents"]), ("pretrain", len(TEXT.splitlines())))
        log = lines_of_json(Path("out/training/log.jsonl"))
        losses = [line["epoch_loss"] for line in log if "epoch_loss" in line]
        self.assertLess(losses[-1], losses[0])
        self.assertTrue(report["scores"])
        self.assertNotIn("/", json.dumps({**report, "energy": ""}))
        self.ok("quantize", "out", "-o", "model.espl")
        answer, = self.ok_lines("run", "model.espl", "--text", "the [MASK] is good")
        self.assertEqual(len(answer["masks"]), 1)

    def test_a_trained_model_goes_on_with_new_text_and_then_learns_a_task(self):
        text, rows = self.file("text.txt", TEXT), self.file("rows.tsv", CLASSIFY)
        start_folder = self.models.checkpoint("masked_lm")
        report = self.train("pretrain", "--start", start_folder, "--train", text, "--max-steps", 4, "-o", "adapted")
        self.assertEqual((report["start"], report["steps"]), ("masked_lm", 4))
        self.assertEqual(Path("adapted/vocab.txt").read_bytes(), (start_folder / "vocab.txt").read_bytes())
        self.train("finetune", "adapted", "--task", "classify", "--train", rows, "--epochs", 1, "-o", "out")

    def test_a_vocabulary_is_learnt_once_and_used_by_name(self):
        text = self.file("text.txt", TEXT)
        # Fewer than were allowed: every word is a piece by then.
        self.assertIn("105 pieces", self.ok("vocab", text, "-o", "vocabulary", "--vocab-size", 150))
        self.fails(4, "vocab", text, "-o", "vocabulary", says="--force")
        self.assertEqual(self.ok_json("tokenize", "vocabulary", "--text", "The garden")["tokens"],
                         ["[CLS]", "the", "garden", "[SEP]"])
        for place in ["vocabulary", "vocabulary/vocab.txt"]:
            self.train("pretrain", "--train", text, "--vocab", place, *self.SHAPE, "--max-steps", 2, "-o", "out", "--force")
            self.assertEqual(Path("out/vocab.txt").read_bytes(), Path("vocabulary/vocab.txt").read_bytes())

    def test_bad_text_is_refused_by_its_line(self):
        shape = [*self.SHAPE, "-o", "out"]
        vocabulary = self.models.checkpoint("masked_lm")
        for extra in [[], ["--vocab", vocabulary], ["--start", vocabulary]]:
            damaged = self.file("text.txt", b"good\ntree\n\xff\xfe\n")
            self.refused(3, "pretrain", "--train", damaged, *extra, *shape, says="line 3")
            self.refused(3, "pretrain", "--train", damaged, *extra, *shape, says="UTF-8")
            for content in ["", "\n \n\n"]:
                empty = self.file("text.txt", content)
                self.refused(3, "pretrain", "--train", empty, *extra, *shape, says="text")
        self.refused(3, "pretrain", "--train", "nope.txt", *shape, says="nope.txt")
        damaged = self.file("text.txt", b"good\ntree\n\xff\xfe\n")
        self.assertIn("UTF-8", self.fails(3, "vocab", damaged, "-o", "out", says="line 3"))
        self.fails(2, "vocab", self.file("text.txt", TEXT), "-o", "out", "--vocab-size", 10, says="too small")
        self.assertFalse(Path("out").exists())

    def test_impossible_shapes_and_vocabularies_are_refused(self):
        text = self.file("text.txt", TEXT)
        self.refused(2, "pretrain", "--train", text, "--hidden", 30, "--heads", 4, "-o", "out", says="--hidden 30")
        self.refused(2, "pretrain", "--train", text, "--start", self.models.checkpoint("masked_lm"), "--vocab",
                     self.models.checkpoint("masked_lm"), "-o", "out", says="leave --vocab away")
        self.refused(3, "pretrain", "--train", text, "--vocab", self.file("vocab.txt", "a\nb\n"), "-o", "out",
                     says="vocab.txt")


class Programs(TrainingTest):
    VERBS = {TRAIN: ["vocab", "new", "pretrain", "finetune"], DISTILL: ["distill"], PRUNE: ["prune"]}

    def test_every_verb_explains_itself_with_examples_first(self):
        for program, verbs in self.VERBS.items():
            overview = self.ok("--help", program=program)
            self.assertEqual(overview, self.ok(program=program))
            for verb in verbs:
                self.assertIn(f"  {verb} ", overview)
                text = self.ok(verb, "--help")
                self.assertEqual(text, self.ok(verb, "--help", program=program))
                self.assertLess(text.index(f"  espalier {verb}"), text.index("--help"))
                for line in text.splitlines():
                    self.assertTrue(len(line) <= 100 or line.startswith("usage: "), line)

    def test_the_markdown_tables_hold_every_option_of_the_help(self):
        for program, verbs in self.VERBS.items():
            markdown = self.ok("help", "--markdown", program=program)
            for verb in verbs:
                options = [line.split()[0].rstrip(",") for line in self.ok(verb, "--help").splitlines()
                           if line.startswith("  -") and not line.startswith("  -h")]
                self.assertGreater(len(options), 5)
                section = markdown.split(f"### `espalier {verb}`")[1].split("###")[0]
                # The options of every training stand in one table of their own.
                section += markdown.split("### `espalier training`")[1] if "`--seed`" not in section else ""
                for option in options:
                    self.assertIn(f"`{option}", section)

    def test_versions_name_libtorch(self):
        for program in self.VERBS:
            self.assertRegex(self.ok("--version", program=program),
                             rf"^{program.name} \d+\.\d+\.\d+ \((GNU|Clang) .*\)\nLibTorch \d+\.\d+")

    def test_mistakes_get_suggestions(self):
        self.fails(2, "finetun", says="did you mean 'finetune'?")
        self.fails(2, "finetun", program=TRAIN, says="espalier-train: unknown command 'finetun'; did you mean 'finetune'?")
        self.fails(2, "finetune", "d", "--task", "clasify", "--train", "x", "-o", "y", says="did you mean 'classify'?")
        self.fails(2, "finetune", "d", "--epoch", "3", says="did you mean '--epochs'?")
        self.fails(2, "distill", "--teacher", "d", "--preset", "tinybird", says="did you mean 'tinybert'?")
        self.fails(2, "finetune", "d", "--task", "tag", "-o", "y", says="--train is required")

    def test_a_device_that_is_not_here_is_exit_6(self):
        train = self.file("rows.tsv", CLASSIFY)
        arguments = ["finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train", train, "-o", "out",
                     "--max-steps", 1]
        if start(*arguments, "--device", "cuda", "-t", 1).returncode == 0:
            self.skipTest("this LibTorch has a GPU")
        self.refused(6, *arguments, "--device", "cuda", says="use --device cpu")

    def test_bfloat16_is_refused_where_the_processor_cannot_multiply_in_it(self):
        if "avx512_bf16" in Path("/proc/cpuinfo").read_text():
            self.skipTest("this processor can")
        self.refused(6, "finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train",
                     self.file("rows.tsv", CLASSIFY), "-o", "out", "--bf16", says="leave --bf16 away")


if __name__ == "__main__":
    unittest.main()
