"""kill -9 at any moment of a command that writes: what was there before is there whole, or what was to be written is, and the
same command, called again, ends as if nothing had happened. ESPALIER_KILLS moments a command (10), at random, seeded."""
import os
import random
import shutil
import subprocess
import time
import unittest
from pathlib import Path

from support import CLI, Models, ProgramTest, start
from training import CLASSIFY, TRAIN, quick

KILLS = int(os.environ.get("ESPALIER_KILLS", "10"))
models = Models()


def content(path):
    """Every file below a path, by name; of a file itself its bytes."""
    if path.is_file():
        return path.read_bytes()
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


class Killed(ProgramTest):
    def kill_at(self, delay, arguments):
        """Whether the command was still running."""
        with subprocess.Popen([CLI, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as program:
            time.sleep(delay)
            program.kill()
            return program.wait() == -9

    def moments(self, arguments):
        """Random delays within the command's own time."""
        begin = time.monotonic()
        self.ok(*arguments)
        took = time.monotonic() - begin
        dice = random.Random(9)
        return [dice.uniform(0, took) for _ in range(KILLS)]

    def check_file(self, *arguments):
        """A command that replaces a model file: old or new, and never anything beside it for long."""
        out = self.folder / "out" / "m.espl"
        out.parent.mkdir()
        self.ok(*arguments, "-o", out)
        new, names = out.read_bytes(), sorted(os.listdir(out.parent))
        old = models.model("sequence", "bf16").read_bytes()
        self.assertNotEqual(old, new)
        n_killed = 0
        for delay in self.moments([*arguments, "-o", out, "--force"]):
            out.write_bytes(old)
            n_killed += self.kill_at(delay, [*arguments, "-o", out, "--force"])
            self.assertIn(out.read_bytes(), (old, new))
            self.ok("verify", out)
        self.assertGreater(n_killed, 0)
        self.ok(*arguments, "-o", out, "--force")
        self.assertEqual(out.read_bytes(), new)
        self.assertEqual(sorted(os.listdir(out.parent)), names)  # what killed ones left is gone

    def test_quantize(self):
        self.check_file("quantize", models.checkpoint("sequence"))

    def test_convert(self):
        self.check_file("convert", models.checkpoint("sequence"))

    def test_compress(self):
        rows = self.file("rows.tsv", CLASSIFY)
        self.check_file("compress", models.checkpoint("sequence"), "--preset", "light", "--eval", rows,
                        "--work", self.folder / "work")

    def test_export(self):
        """A folder: killed, it is not there, or it opens and holds the same weights as ever."""
        file = models.model("sequence")
        whole, out = self.folder / "whole", self.folder / "out"
        self.ok("export", file, "-o", whole)
        moments = self.moments(["export", file, "-o", self.folder / "timed"])
        for delay in moments:
            shutil.rmtree(out, ignore_errors=True)
            self.kill_at(delay, ["export", file, "-o", out])
            if (out / "config.json").exists() and (out / "model.safetensors").exists():
                self.assertEqual((out / "model.safetensors").read_bytes(), (whole / "model.safetensors").read_bytes())
        self.ok("export", file, "-o", out, "--force")
        self.assertEqual(content(out), content(whole))

    @unittest.skipUnless(TRAIN.exists(), "a build without LibTorch")
    def test_finetune(self):
        """Saved after every step or so; what was saved is gone on with, to the bits of a run that was left alone."""
        rows = self.file("rows.tsv", CLASSIFY)
        arguments = quick(["finetune", models.checkpoint("sequence"), "--task", "classify", "--train", rows, "--epochs", 40,
                           "--save-minutes", 0.0005])
        whole, out = self.folder / "whole", self.folder / "out"
        n_resumed = 0
        for delay in self.moments([*arguments, "-o", whole]):
            shutil.rmtree(out, ignore_errors=True)
            self.kill_at(delay, [*arguments, "-o", out])
            if (out / "training" / "state.safetensors").exists():
                self.ok(*arguments, "-o", out, "--resume")
                n_resumed += 1
            else:
                self.ok(*arguments, "-o", out, "--force")
            self.assertEqual((out / "model.safetensors").read_bytes(), (whole / "model.safetensors").read_bytes())
        if KILLS >= 10:
            self.assertGreater(n_resumed, 0)


if __name__ == "__main__":
    unittest.main()
