"""kill -9 at any moment of a command that writes: what was there before is there whole, or what was to be written is, and the
same command, called again, ends as if nothing had happened. ESPALIER_KILLS moments a command (10), at random, seeded; and one
at each call that changes the disk, where ESPALIER_KILL_AT_CALL_LIBRARY names the library that does that."""
import json
import os
import random
import shutil
import subprocess
import time
import unittest
from pathlib import Path

from support import CLI, Models, ProgramTest, start, tensors, write_tensors
from training import CLASSIFY, TRAIN, quick

KILLS = int(os.environ.get("ESPALIER_KILLS", "10"))
LONG = KILLS > 10
AT_CALL = os.environ.get("ESPALIER_KILL_AT_CALL_LIBRARY", "")
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

    def kill_at_calls(self, words, before, after):
        """Kills the command before its first call that changes the disk, then before its second, until it has no more.
        before() makes the folder as it was, after() looks at what is left; the number of calls."""
        for n_calls in range(1, 1000):
            before()
            environment = dict(os.environ, LD_PRELOAD=AT_CALL, ESPALIER_KILL_AT_CALL=str(n_calls))
            done = start(*words, env=environment)
            after()
            if done.returncode == 0:
                return n_calls - 1
            self.assertEqual(done.returncode, -9, done.stderr)
        self.fail("a command of a thousand calls")

    def say(self, n_killed, **counts):
        """A line for whoever counts: how many commands were still at work, and what they left."""
        name = self.id().rpartition("test_")[2]
        left = "".join(f", {number} {what.replace('_', ' ')}" for what, number in counts.items())
        places = f"{n_killed} calls" if name.endswith("at_every_call") else f"{KILLS} moments, {n_killed} at work"
        print(f"killed: {name} at {places}{left}", flush=True)

    def check_replaced(self, out, old, words, check=lambda: None):
        """A command that replaces the file `out`: old or new, and never anything beside it for long. words: with --force.
        check: what a reader of the file does."""
        self.ok(*words)
        new, names = out.read_bytes(), sorted(os.listdir(out.parent))
        self.assertNotEqual(old, new)
        n_killed = n_old = 0
        for delay in self.moments(words):
            out.write_bytes(old)
            n_killed += self.kill_at(delay, words)
            left = out.read_bytes()
            self.assertIn(left, (old, new))
            n_old += left == old
            check()
        self.assertGreater(n_killed, 0)
        self.ok(*words)
        self.assertEqual(out.read_bytes(), new)
        self.assertEqual(sorted(os.listdir(out.parent)), names)  # what killed ones left is gone
        self.say(n_killed, old_whole=n_old, new_whole=KILLS - n_old)

    def out(self, name):
        """A file in a folder of its own."""
        folder = self.folder / "out"
        folder.mkdir()
        return folder / name

    def check_model(self, *arguments):
        out = self.out("m.espl")
        self.check_replaced(out, models.model("sequence", "bf16").read_bytes(), [*arguments, "-o", out, "--force"],
                            lambda: self.ok("verify", out))

    def test_quantize(self):
        self.check_model("quantize", models.checkpoint("sequence"))

    def test_convert(self):
        self.check_model("convert", models.checkpoint("sequence"))

    def test_report(self):
        out = self.out("r.html")
        self.check_replaced(out, b"an older page", ["report", models.model("sequence"), "-o", out, "--force"])

    def test_evaluate(self):
        out, rows = self.out("answers.jsonl"), self.file("rows.tsv", CLASSIFY)
        self.check_replaced(out, b"{}\n", ["evaluate", models.model("sequence"), "--data", rows, "--predictions", out,
                                           "--force"])

    @unittest.skipUnless(LONG, "takes long")
    def test_sensitivity(self):
        out, rows = self.out("chart.svg"), self.file("rows.tsv", CLASSIFY)
        self.check_replaced(out, b"<svg/>", ["sensitivity", models.checkpoint("sequence"), "--data", rows, "--limit", 4,
                                             "-t", 1, "--svg", out, "--force"])

    def test_compress(self):
        rows = self.file("rows.tsv", CLASSIFY)
        self.check_model("compress", models.checkpoint("sequence"), "--preset", "light", "--eval", rows,
                        "--work", self.folder / "work")

    def test_export(self):
        """A folder: killed, it is not there, or it is refused, or it holds the same as ever."""
        file = models.model("sequence")
        whole, out, again = self.folder / "whole", self.folder / "out", self.folder / "again.espl"
        self.ok("export", file, "-o", whole)
        moments = self.moments(["export", file, "-o", self.folder / "timed"])
        n_killed = n_whole = 0
        for delay in moments:
            shutil.rmtree(out, ignore_errors=True)
            n_killed += self.kill_at(delay, ["export", file, "-o", out])
            if start("convert", out, "-o", again, "--force").returncode == 0:
                self.assertEqual({name: content for name, content in content(out).items() if not name.startswith(".")},
                                 content(whole))
                n_whole += 1
        self.assertGreater(n_killed, 0)
        self.ok("export", file, "-o", out, "--force")
        self.assertEqual(content(out), content(whole))
        self.say(n_killed, whole=n_whole, refused=KILLS - n_whole)

    def export_over(self):
        """(command, before, after, counts) of an export over another checkpoint: killed, the folder holds the old one or the
        new one, or is refused. It never answers as a mixture of the two."""
        old, new, out = self.folder / "old", self.folder / "new", self.folder / "out"
        file, again = self.folder / "other.espl", self.folder / "again.espl"
        self.ok("export", models.model("sequence"), "-o", old)
        self.ok("convert", self.retrained(), "-o", file)
        self.ok("export", file, "-o", new)
        contents, counts = [content(old), content(new)], {"old_whole": 0, "new_whole": 0, "refused": 0}

        def before():
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(old, out)

        def after():
            if start("convert", out, "-o", again, "--force").returncode != 0:
                counts["refused"] += 1
                return
            left = {name: held for name, held in content(out).items() if not name.startswith(".")}
            self.assertIn(left, contents)
            counts[["old_whole", "new_whole"][contents.index(left)]] += 1

        return ["export", file, "-o", out, "--force"], before, after, counts

    def test_export_over_another_checkpoint(self):
        words, before, after, counts = self.export_over()
        before()
        n_killed = 0
        for delay in self.moments(words):
            before()
            n_killed += self.kill_at(delay, words)
            after()
        self.assertGreater(n_killed, 0)
        self.say(n_killed, **counts)

    @unittest.skipUnless(AT_CALL, "no library that kills")
    def test_export_over_another_checkpoint_at_every_call(self):
        words, before, after, counts = self.export_over()
        n_calls = self.kill_at_calls(words, before, after)
        self.assertGreater(n_calls, 20)
        self.assertTrue(all(counts.values()), counts)
        self.say(n_calls, **counts)

    @unittest.skipUnless(AT_CALL, "no library that kills")
    def test_quantize_at_every_call(self):
        out = self.out("m.espl")
        words = ["quantize", models.checkpoint("sequence"), "-o", out, "--force"]
        old = models.model("sequence", "bf16").read_bytes()
        self.ok(*words)
        new, counts = out.read_bytes(), {"old_whole": 0, "new_whole": 0}

        def after():
            self.assertIn(out.read_bytes(), (old, new))
            counts["old_whole" if out.read_bytes() == old else "new_whole"] += 1

        n_calls = self.kill_at_calls(words, lambda: out.write_bytes(old), after)
        self.assertGreater(n_calls, 3)
        self.assertTrue(all(counts.values()), counts)
        self.assertEqual(os.listdir(out.parent), ["m.espl"])  # what killed ones left is gone
        self.say(n_calls, **counts)

    def retrained(self):
        """The checkpoint of the others with other labels and weights, as another run of training would leave it."""
        folder = self.folder / "retrained"
        shutil.copytree(models.checkpoint("sequence"), folder)
        config = json.loads((folder / "config.json").read_text())
        config["id2label"], config["label2id"] = {"0": "bad", "1": "good"}, {"bad": 0, "good": 1}
        (folder / "config.json").write_text(json.dumps(config))
        entries = tensors(folder)
        for name, (dtype, shape, values) in entries.items():
            if name.startswith("classifier."):
                entries[name] = dtype, shape, values[:-4] + bytes(4)
        write_tensors(folder, entries)
        return folder

    @unittest.skipUnless(LONG, "takes long")
    def test_tradeoff(self):
        """A folder of many files: each is whole or not there. Below work/ a stage that has not ended may have begun one."""
        rows, out = self.file("rows.tsv", CLASSIFY), self.folder / "out"
        words = ["tradeoff", models.checkpoint("sequence"), "--eval", rows, "--quick", "-t", 1, "-r", 3]
        n_killed = n_files = 0
        for delay in self.moments([*words, "-o", self.folder / "timed"]):
            shutil.rmtree(out, ignore_errors=True)
            n_killed += self.kill_at(delay, [*words, "-o", out])
            for file in (path for path in sorted(out.glob("*")) if path.is_file() and not path.name.startswith(".")):
                n_files += 1
                if file.suffix == ".espl":
                    self.ok("verify", file)
                elif file.suffix == ".json":
                    json.loads(file.read_text())
                elif file.suffix == ".html":
                    self.assertTrue(file.read_text().rstrip().endswith("</html>"))
        self.assertGreater(n_killed, 0)
        self.ok(*words, "-o", out)  # goes on with what the last one left
        self.say(n_killed, files_whole=n_files)

    @unittest.skipUnless(TRAIN.exists(), "a build without LibTorch")
    def test_finetune(self):
        """Saved after every step or so; what was saved is gone on with, to the bits of a run that was left alone."""
        rows = self.file("rows.tsv", CLASSIFY)
        arguments = quick(["finetune", models.checkpoint("sequence"), "--task", "classify", "--train", rows, "--epochs", 40,
                           "--save-minutes", 0.0005])
        whole, out = self.folder / "whole", self.folder / "out"
        n_killed = n_resumed = 0
        for delay in self.moments([*arguments, "-o", whole]):
            shutil.rmtree(out, ignore_errors=True)
            n_killed += self.kill_at(delay, [*arguments, "-o", out])
            if (out / "training" / "state.safetensors").exists():
                self.ok(*arguments, "-o", out, "--resume")
                n_resumed += 1
            else:
                self.ok(*arguments, "-o", out, "--force")
            self.assertEqual((out / "model.safetensors").read_bytes(), (whole / "model.safetensors").read_bytes())
        if KILLS >= 10:
            self.assertGreater(n_resumed, 0)
        self.say(n_killed, resumed=n_resumed)


if __name__ == "__main__":
    unittest.main()
