"""Pruned models: every method's is smaller, runs, and can be pruned, trained and quantized further; what cannot be
asked for is refused; an interrupted recovery goes on."""
import json
import signal
import unittest
from pathlib import Path

from training import CLASSIFY, TAGGED, TrainingTest

WIDTHS = ["random", "magnitude", "taylor", "fisher", "kprune"]


class Prune(TrainingTest):
    _dense = None

    def setUp(self):
        super().setUp()
        self.rows = self.file("rows.tsv", CLASSIFY)

    def dense(self):
        """Two layers that know the task, trained once."""
        if Prune._dense is None:
            folder = self.models.folder / "dense"
            self.ok("new", "--vocab", self.models.checkpoint("sequence"), "--layers", 2, "--hidden", 32, "--heads", 4, "-o",
                    "untrained")
            self.train("finetune", "untrained", "--task", "classify", "--train", self.rows, "--eval", self.rows, "--epochs",
                       15, "-o", folder)
            Prune._dense = folder
        return Prune._dense

    def prune(self, *arguments, model=None, out="out", **keywords):
        return self.train("prune", model or self.dense(), "--train", self.rows, "--eval", self.rows, "--neuron-multiple", 8,
                          "-o", out, *arguments, **keywords)

    def test_every_method_makes_widths_smaller_and_its_model_runs(self):
        for method in WIDTHS:
            with self.subTest(method=method):
                card = self.prune("--method", method, "--target-flops", 2, "--force")
                self.assertEqual((card["stage"], card["method"], card["start"]), ("prune", method, "dense"))
                before, after = card["before"]["encoder_multiply_adds"], card["after"]["encoder_multiply_adds"]
                self.assertLessEqual(after, before / 2)
                self.assertGreater(after, before / 2.5)
                self.assertLess(card["after"]["parameters"], card["before"]["parameters"])
                self.assertGreater(card["speed"]["speedup"], 0)
                self.assertNotIn("/", json.dumps(card))
                self.assertIn("espalier", json.loads(Path("out/config.json").read_text()))
                self.assertEqual(card["scores"], card["after"]["scores"])
                score = self.ok_json("evaluate", "out", "--data", self.rows)["accuracy"]
                self.assertAlmostEqual(score, card["scores"]["accuracy"], places=4)
                self.ok("verify", "out/model.espl")
                self.ok_lines("run", "out/model.espl", "--text", "the film is best")

    def test_a_target_of_one_changes_no_bit(self):
        for method in WIDTHS:
            with self.subTest(method=method):
                card = self.prune("--method", method, "--target-flops", 1, "--force")
                self.assertEqual(self.weights("out"), self.weights(self.dense()))
                self.assertEqual((card["distance"]["flips"], card["distance"]["kl"]), (0, 0))

    def test_the_same_call_gives_the_same_bits(self):
        for method in ["random", "kprune"]:
            for out in ["one", "two"]:
                self.prune("--method", method, "--target-flops", 2, "--force", out=out)
            self.assertEqual(self.weights("one"), self.weights("two"))

    def test_layers_are_taken_out(self):
        for choice in ["spread", "first", "last", "contribution"]:
            card = self.prune("--method", "layers", "--keep-layers", 1, "--layer-choice", choice, "--force")
            self.assertEqual(len(card["after"]["layers"]), 1)
        self.ok("verify", "out/model.espl")

    def test_a_vocabulary_shrinks_and_covered_texts_have_the_same_answers(self):
        card = self.prune("--method", "vocab", "--check-text", self.file("other.txt", "the film is best\nabove the sea\n"))
        self.assertLess(card["after"]["pieces"], card["before"]["pieces"])
        self.assertEqual(card["segmentation"]["rows.tsv"]["changed_texts"], 0)
        self.assertEqual(card["segmentation"]["other.txt"]["texts"], 2)
        self.ok("quantize", self.dense(), "-o", "dense.espl")
        distance = self.ok_json("evaluate", "out/model.espl", "--data", self.rows, "--compare", "dense.espl")
        self.assertEqual(distance["max_abs_logit_diff"], 0)

    def test_a_table_of_words_becomes_two_factors(self):
        card = self.prune("--method", "embedding", "--rank", 8)
        self.assertLess(card["after"]["parameters"], card["before"]["parameters"])
        self.assertEqual(json.loads(Path("out/config.json").read_text())["espalier"]["embedding_rank"], 8)
        self.ok("verify", "out/model.espl")

    def test_recovery_learns_from_the_model_as_it_was(self):
        card = self.prune("--method", "magnitude", "--target-flops", 3, "--recover-epochs", 6)
        self.assertEqual(card["steps"], 30)
        self.assertGreaterEqual(card["scores"]["accuracy"], 90)
        self.assertEqual(sorted(path.name for path in Path("out/training").iterdir()), ["log.jsonl", "loss.svg"])

    def test_gradual_cuts_while_it_trains(self):
        card = self.prune("--method", "gradual", "--target-flops", 3, "--recover-epochs", 8)
        before, after = card["before"]["encoder_multiply_adds"], card["after"]["encoder_multiply_adds"]
        self.assertLessEqual(after, before / 3)
        self.assertGreater(after, before / 4)
        self.assertEqual(card["cost"]["after"], after)
        self.assertGreaterEqual(card["scores"]["accuracy"], 90)
        self.ok("verify", "out/model.espl")

    def test_an_interrupted_gradual_run_goes_on(self):
        rows = ["--train", self.rows, "--neuron-multiple", 8, "--method", "gradual", "--target-flops", 2, "--recover-epochs", 60]
        card = self.stopped_and_resumed(signal.SIGTERM, 143, "cut", "prune", self.dense(), *rows)
        self.assertEqual(card["steps"], 300)

    def test_recovery_may_have_another_teacher(self):
        card = self.prune("--method", "layers", "--keep-layers", 1, "--recover-epochs", 2, "--teacher", self.dense())
        self.assertEqual(card["teacher"], "dense")

    def test_a_chain_of_five_calls_runs(self):
        self.prune("--target-flops", 1.5, out="a")
        self.train("finetune", "a", "--task", "classify", "--train", self.rows, "--epochs", 1, "-o", "b")
        self.prune("--method", "taylor", "--target-flops", 1.5, model="b", out="c")
        self.train("distill", "--teacher", self.dense(), "--student", "c", "--train", self.rows, "--epochs", 1, "-o", "d")
        self.ok("quantize", "d", "-o", "e.espl")
        self.ok_lines("run", "e.espl", "--text", "the film is best")

    def test_taggers_are_pruned(self):
        train = self.file("rows.conll", TAGGED)
        self.ok("new", "--vocab", self.models.checkpoint("tokens"), "--layers", 1, "--hidden", 32, "--heads", 4, "-o",
                "untrained")
        self.train("finetune", "untrained", "--task", "tag", "--train", train, "--epochs", 2, "-o", "tagger")
        card = self.train("prune", "tagger", "--train", train, "--eval", train, "--target-flops", 1.5, "--neuron-multiple", 8,
                          "--recover-epochs", 1, "-o", "out")
        self.assertIn("entity_f1", card["scores"])

    def test_an_interrupted_recovery_goes_on_without_cutting_again(self):
        rows = ["--train", self.rows, "--neuron-multiple", 8, "--target-flops", 2, "--recover-epochs", 60]
        card = self.stopped_and_resumed(signal.SIGINT, 130, "cut", "prune", self.dense(), *rows)
        self.assertEqual(card["steps"], 300)
        self.assertFalse(Path("cut/training/cut").exists())

    def test_a_speed_up_is_measured_once_and_kept(self):
        cache = self.folder / "cache"
        environment = {"XDG_CACHE_HOME": str(cache)}
        self.prune("--target-speedup", 1.01, "--force", env=environment)
        kept = [path for path in cache.rglob("*") if path.is_file()]
        self.assertEqual(len(kept), 1)
        before = kept[0].read_bytes()
        card = self.prune("--target-speedup", 1.01, "--force", env=environment)
        self.assertEqual(kept[0].read_bytes(), before)
        self.assertLessEqual(card["cost"]["after"], card["cost"]["budget"])

    def test_what_cannot_be_is_refused(self):
        prune = ["prune", self.dense(), "-o", "out"]
        rows = ["--train", self.rows]
        self.refused(2, *prune, *rows, says="needs one of --target-speedup, --target-flops and --target-size")
        self.refused(2, *prune, *rows, "--target-flops", 2, "--target-size", 2, says="needs one of")
        self.refused(2, *prune, *rows, "--target-flops", 0.5, says="would make the model larger")
        self.refused(2, *prune, "--target-flops", 2, says="looks at training examples; name them with --train")
        self.refused(2, *prune, *rows, "--target-flops", 2, "--method", "gradual", says="say how long with --recover-epochs")
        self.refused(2, *prune, "--method", "layers", says="needs --keep-layers")
        self.refused(2, *prune, "--method", "layers", "--keep-layers", 9, says="layers; as many or fewer can stay")
        self.refused(2, *prune, "--method", "layers", "--keep-layers", 1, "--target-flops", 2, says="has no target")
        self.refused(2, *prune, "--method", "layers", "--keep-layers", 1, "--layer-choice", "contribution",
                     says="give --train")
        self.refused(2, *prune, "--method", "embedding", says="needs --rank")
        self.refused(2, *prune, "--method", "embedding", "--rank", 400, says="rank")
        self.refused(2, *prune, "--method", "vocab", says="--corpus")
        self.refused(2, *prune, *rows, "--target-size", 900, says="cannot be reached")
        self.refused(2, *prune, *rows, "--target-flops", 2, "--teacher", self.dense(), says="add --recover-epochs")


if __name__ == "__main__":
    unittest.main()
