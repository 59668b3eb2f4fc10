"""Quantization-aware training: what is trained is what the file answers, it starts from the file's own codes, goes on
after a stop to the same bits, and refuses what it cannot learn from."""
import json
import signal
import unittest
from pathlib import Path

from training import CLASSIFY, QUANTIZE, TAGGED, TrainingTest


class Qat(TrainingTest):
    def setUp(self):
        super().setUp()
        self.rows = self.file("rows.tsv", CLASSIFY)

    def dense(self):
        """Random, so that rounding it shows."""
        return self.models.checkpoint("sequence")

    def qat(self, *arguments, rate=1e-4, out="out"):
        return self.train("quantize", "--qat", self.dense(), "--train", self.rows, "--eval", self.rows, "-o", out,
                          "--learning-rate", rate, *arguments)

    def test_the_file_answers_as_the_model_that_was_trained(self):
        card = self.qat("--epochs", 3)
        self.assertEqual((card["stage"], card["start"]), ("qat", "sequence"))
        # Far nearer than rounding moves an answer, which does show.
        self.assertGreater(card["before"]["distance"]["kl"], 1e-6)
        self.assertLess(card["file"]["distance"]["kl"], card["before"]["distance"]["kl"] / 5)
        self.assertGreater(card["after"]["distance"]["kl"], card["before"]["distance"]["kl"])
        self.assertNotIn(str(Path.cwd()), json.dumps(card))
        score = self.ok_json("evaluate", "out/model.espl", "--data", self.rows)["accuracy"]
        self.assertAlmostEqual(score, card["after"]["scores"]["accuracy"], places=4)
        self.ok("verify", "out/model.espl")
        # The folder is a checkpoint for the next stage.
        self.ok("quantize", "out", "-o", "again.espl")

    def test_training_without_steps_away_from_the_start_changes_little(self):
        card = self.qat("--epochs", 1, "--weight-decay", 0, rate=1e-9)
        self.assertLess(abs(card["after"]["distance"]["kl"] - card["before"]["distance"]["kl"]),
                        0.5 * card["before"]["distance"]["kl"] + 1e-6)

    def test_parts_can_be_kept_from_being_rounded(self):
        every = self.qat("--epochs", 1)
        kept = self.qat("--epochs", 1, "--keep", "ffn", "--tensor-type", "embedding=bf16", out="kept")
        self.assertGreater(kept["int8_bytes"], every["int8_bytes"])
        self.assertLess(kept["file"]["distance"]["kl"], 1e-6)

    def test_a_tagger_and_a_teacher(self):
        rows = self.file("tags.conll", TAGGED.replace("LOC", "PER"))
        self.train("quantize", "--qat", self.models.checkpoint("tokens"), "--train", rows, "--eval", rows, "--teacher",
                   self.models.checkpoint("tokens"), "--epochs", 1, "-o", "tagger")
        self.ok("verify", "tagger/model.espl")

    def test_a_stopped_run_goes_on_to_the_same_bits(self):
        self.stopped_and_resumed(signal.SIGINT, 130, "out", "quantize", "--qat", self.dense(), "--train", "rows.tsv",
                                 "--eval", "rows.tsv", "--epochs", 60, "--batch-size", 20)
        self.assertEqual(Path("out/model.espl").read_bytes(), Path("whole/model.espl").read_bytes())

    def test_help_has_examples_first_and_fits_the_screen(self):
        for verb in ["quantize", "quantize --qat"]:
            text = self.ok(verb, "--help", program=QUANTIZE)
            self.assertIn(f"  {verb} ", self.ok("--help", program=QUANTIZE))
            self.assertLess(text.index("  espalier quantize"), text.index("--help"))
            for line in text.splitlines():
                self.assertTrue(len(line) <= 100 or line.startswith("usage: "), line)
        self.assertEqual(text, self.ok("quantize", "--qat", "--help"))

    def test_what_cannot_be_learnt_from_is_refused(self):
        self.fails(2, "quantize", "--qat", self.dense(), "-o", "out", says="--train")
        self.fails(2, "quantize", "--qat", self.dense(), "--train", self.rows, "-o", "out", "--keep", "nothing",
                   says="nothing")
        self.fails(3, "quantize", "--qat", "absent", "--train", self.rows, "-o", "out", says="absent")
        self.assertFalse(Path("out").exists())


if __name__ == "__main__":
    unittest.main()
