"""Nothing is lost: runs that are stopped go on to the same bits, by the command they print, and a full disk costs
neither a finished model nor a saved run."""
import json
import shutil
import signal
import unittest
from pathlib import Path

from training import CLASSIFY, TEXT, TrainingTest, file_that_fills_at, lines_of_json

EPOCHS = 150  # more lines than a pipe holds, see TrainingTest.stop()
FEW_STEPS = ["--batch-size", 20]  # two in an epoch


class Stopped(TrainingTest):
    def finetuning(self, train="rows.tsv", epochs=EPOCHS):
        path = self.file(train, CLASSIFY)
        return ["finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train", path.name, "--eval",
                path.name, "--epochs", epochs, *FEW_STEPS]

    def test_ctrl_c_and_the_printed_command_cost_no_bit(self):
        # The quotes of the printed command are part of the test.
        out = "it's \"mine\" & $HOME"
        card = self.stopped_and_resumed(signal.SIGINT, 130, out, *self.finetuning("all rows.tsv"))

        self.assertGreaterEqual(card["resumed_after_step"], 4)
        self.assertEqual(card["scores"], json.loads(Path("whole/training.json").read_text())["scores"])
        steps = [line["step"] for line in lines_of_json(Path(out) / "training" / "log.jsonl") if "loss" in line]
        self.assertEqual((steps, steps[-1]), (sorted(set(steps)), card["steps"]))

    def test_sigterm_and_pretraining_too(self):
        self.file("text.txt", TEXT)
        self.file("more text.txt", CLASSIFY)
        self.stopped_and_resumed(signal.SIGTERM, 143, "out", "pretrain", "--train", "text.txt", "--train", "more text.txt",
                                 "--eval", "text.txt",
                                 "--vocab-size", 80, "--layers", 1, "--hidden", 16, "--heads", 2, "--epochs", EPOCHS,
                                 "--batch-size", 32)

    def test_distilling_with_projections_too(self):
        self.file("rows.tsv", CLASSIFY)
        self.stopped_and_resumed(signal.SIGINT, 130, "out", "distill", "--teacher", self.models.checkpoint("sequence"),
                                 "--student-layers", 1, "--student-hidden", 16, "--preset", "tinybert", "--train",
                                 "rows.tsv", "--eval", "rows.tsv", "--epochs", EPOCHS, *FEW_STEPS)

    def test_a_stopped_run_is_guarded_and_only_the_same_run_goes_on(self):
        arguments = self.finetuning()
        status, said = self.stop(signal.SIGINT, *arguments, "-o", "out")
        self.assertEqual(status, 130, said)
        self.assertIn("interrupted", said)
        state = Path("out/training/state.safetensors").read_bytes()

        self.refused(4, *arguments, "-o", "out", says="--resume goes on with it")
        for options in [["--seed", 2], ["--dropout", 0], ["--weight-decay", 0], ["--new-head"]]:
            message = self.refused(2, *arguments, *options, "--resume", "-o", "out", says=options[0])
            self.assertIn("--force in place of --resume", message)
        self.file("rows.tsv", CLASSIFY.replace("garden", "orchard"))
        self.refused(2, *arguments, "--resume", "-o", "out", says="--train")
        self.assertEqual(Path("out/training/state.safetensors").read_bytes(), state)

        self.file("rows.tsv", CLASSIFY)
        self.assertEqual(self.resume(said).returncode, 0)

    def test_the_vocabulary_counts_among_what_must_be_the_same(self):
        self.file("text.txt", TEXT)
        shutil.copy(self.models.checkpoint("masked_lm") / "vocab.txt", "vocab.txt")
        arguments = ["pretrain", "--train", "text.txt", "--eval", "text.txt", "--vocab", "vocab.txt", "--layers", 1,
                     "--hidden", 16, "--heads", 2, "--batch-size", 32, "--epochs", EPOCHS, "-o", "out"]
        status, said = self.stop(signal.SIGINT, *arguments)
        self.assertEqual(status, 130, said)

        vocabulary = Path("vocab.txt").read_text().splitlines()
        vocabulary[-1], vocabulary[-2] = vocabulary[-2], vocabulary[-1]
        self.file("vocab.txt", "\n".join(vocabulary) + "\n")
        self.refused(2, *arguments, "--resume", says="--vocab")


class FullDisk(TrainingTest):
    def full_disk(self, *arguments):
        """The run cannot save: a state is three times the weights."""
        model = self.models.checkpoint("sequence") / "model.safetensors"
        return self.refused(4, *arguments, says="", preexec_fn=file_that_fills_at(2 * model.stat().st_size))

    def check_no_leftovers(self):
        self.assertEqual([path for path in Path("out").rglob("*") if ".espalier-" in path.name], [])

    def finetuning(self, epochs, train="rows.tsv"):
        return ["finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train", train, "--eval", train,
                "--epochs", epochs, *FEW_STEPS, "-o", "out"]

    def test_an_earlier_model_in_the_same_folder_stays_whole(self):
        self.file("rows.tsv", CLASSIFY)
        self.train(*self.finetuning(2))
        before = {path: path.read_bytes() for path in Path("out").iterdir() if path.is_file()}

        message = self.full_disk(*self.finetuning(3), "--force", "--save-minutes", 0)
        self.assertIn("state.safetensors", message)
        self.assertEqual({path: path.read_bytes() for path in Path("out").iterdir() if path.is_file()}, before)
        self.check_no_leftovers()

    def test_an_earlier_save_of_the_same_run_stays_whole(self):
        self.file("rows.tsv", CLASSIFY)
        arguments = self.finetuning(EPOCHS)
        self.train(*arguments[:-1], "whole")
        status, said = self.stop(signal.SIGINT, *arguments)
        self.assertEqual(status, 130, said)
        state = Path("out/training/state.safetensors").read_bytes()

        self.full_disk(*arguments, "--resume", "--save-minutes", 0)
        self.assertEqual(Path("out/training/state.safetensors").read_bytes(), state)
        self.check_no_leftovers()
        self.assertEqual(self.resume(said).returncode, 0)
        self.assertEqual(self.weights("out"), self.weights("whole"))

    def test_a_model_that_cannot_be_written_at_the_end_is_written_by_resume(self):
        self.file("rows.tsv", CLASSIFY)
        self.train(*self.finetuning(2)[:-1], "whole")
        Path("out/model.safetensors").mkdir(parents=True)
        said = self.refused(4, *self.finetuning(2), "--force", says="model.safetensors")
        self.assertIn("with --resume", said)
        Path("out/model.safetensors").rmdir()

        self.train(*self.finetuning(2), "--resume")
        self.assertEqual(self.weights("out"), self.weights("whole"))


if __name__ == "__main__":
    unittest.main()
