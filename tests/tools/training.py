"""What the tests of the training programs share: toy data that a tiny model learns in a second, runs that
are stopped in the middle, and a disk that fills."""
import contextlib
import fcntl
import json
import os
import resource
import shlex
import signal
import subprocess
from pathlib import Path

from support import CLI, Models, ProgramTest

TRAIN = Path(CLI).with_name("espalier-train")
DISTILL = Path(CLI).with_name("espalier-distill")
PRUNE = Path(CLI).with_name("espalier-prune")
QUANTIZE = Path(CLI).with_name("espalier-quantize")

NOUNS = ["film", "movie", "garden", "tree", "river", "house", "city", "apple", "play", "dog"]
SCORES = {"worst": 0, "bad": 1, "good": 4, "best": 5}

# One thread: more than the machine has left would wait for each other.
QUICK = {"-t": 1, "--batch-size": 8, "--learning-rate": 2e-3, "--max-length": 16}


def table(header, rows):
    """A TSV file's text."""
    return "".join("\t".join(map(str, row)) + "\n" for row in [header, *rows])


def judged_texts(names=("negative", "positive")):
    """Forty texts with a label that one word decides."""
    return [(f"the {noun} is {word}", names[score > 2]) for noun in NOUNS for word, score in SCORES.items()]


CLASSIFY = table(["text", "label"], judged_texts())
PAIRS = table(["text_a", "text_b", "label"],
              [("the " + noun, "it is " + word, "yes" if score > 2 else "no")
               for noun in NOUNS for word, score in SCORES.items()])
SCORED = table(["text", "score"], [(f"the {noun} is {word}", score) for noun in NOUNS for word, score in SCORES.items()])
LISTED = table(["text", "labels"], [("apple tree", "plant"), ("dog and cat", "animal"), ("dog under tree", "plant,animal"),
                                    ("bank of paris", ""), ("pear tree", "plant"), ("cat on apple", "animal, plant"),
                                    ("quick fox", "animal"), ("the river", "")] * 4)
ALIKE = table(["text_a", "text_b", "score"],
              [(f"the {first}", f"a {second}", 5 if first == second else 0)
               for first in NOUNS[:6] for second in NOUNS[:6]])
ALIKE_ONLY = table(["text_a", "text_b"], [(f"the {noun}", f"this {noun} is here") for noun in NOUNS] * 4)
# IOB1: B- only where an entity follows another of its kind.
TAGGED = "".join(f"{word} {tag}\n" if word else "\n" for word, tag in [
    ("john", "I-PER"), ("mary", "I-PER"), ("went", "O"), ("to", "O"), ("paris", "I-LOC"), ("", ""),
    ("paris", "I-LOC"), ("berlin", "B-LOC"), ("grow", "O"), ("", ""),
    ("the", "O"), ("tree", "O"), ("of", "O"), ("berlin", "I-LOC"), ("", ""),
    ("john", "I-PER"), ("mary", "I-PER"), ("said", "O"), ("so", "O"), ("", "")] * 8)
TEXT = "".join(f"the {noun} is {word} and the {noun} of {city} was {word}\n"
               for noun in NOUNS for word in SCORES for city in ["paris", "berlin"])


def quick(arguments):
    """The arguments, with those of QUICK that they leave open."""
    return [*arguments, *(word for name, value in QUICK.items() if name not in arguments for word in (name, value))]


def lines_of_json(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def file_that_fills_at(n_bytes):
    """For preexec_fn: no file of the child grows past n_bytes; writing on fails, as on a full disk."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
    return limit


class TrainingTest(ProgramTest):
    """Runs training programs in the test's folder, by relative paths."""

    models = Models()

    def setUp(self):
        super().setUp()
        home = contextlib.ExitStack()
        home.callback(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.addCleanup(home.close)

    def train(self, verb, *arguments, **keywords):
        """The report of a run that ends well."""
        return self.ok_json(verb, *quick(arguments), **keywords)

    def refused(self, code, verb, *arguments, says, **keywords):
        """Checks that a run ends with `code` and its message, and that nothing new lies in the folder."""
        before = set(os.listdir())
        message = self.fails(code, verb, *quick(arguments), "-q", says=says, **keywords)
        self.assertEqual(set(os.listdir()), before)
        self.assertEqual(len(message.splitlines()), 1, message)
        self.assertTrue(message.startswith(f"espalier {verb}: "), message)
        return message

    def weights(self, out):
        return (Path(out) / "model.safetensors").read_bytes()

    def stop(self, number, verb, *arguments):
        """Sends a signal in the middle of a run; its exit code and standard error.

        The run cannot end before: its pipe has room for a few lines only, and until the signal nobody reads on."""
        with subprocess.Popen([CLI, verb, *map(str, quick(arguments))], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as program:
            fcntl.fcntl(program.stderr, fcntl.F_SETPIPE_SZ, 4096)
            said = b""
            while b"epoch 2/" not in said:
                piece = program.stderr.read(64)
                self.assertTrue(piece, said.decode())
                said += piece
            os.kill(program.pid, number)
            out, rest = program.communicate(timeout=300)
            self.assertEqual(out, b"")
            return program.returncode, (said + rest).decode()

    def resume(self, stderr):
        """Runs the command that a stopped run printed, as a user would paste it."""
        lines = stderr.splitlines()
        command = lines[next(number for number, line in enumerate(lines) if line.endswith("to go on:")) + 1]
        self.assertEqual(shlex.split(command)[-1], "--resume")
        path = f"{Path(CLI).resolve().parent}:{os.environ['PATH']}"
        return subprocess.run(["sh", "-c", command], env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="utf-8", timeout=300)

    def stopped_and_resumed(self, number, code, out, verb, *arguments):
        """Stops a run into `out` and resumes it; it must end with the bits of one that was left alone."""
        self.train(verb, *arguments, "-o", "whole")
        status, said = self.stop(number, verb, *arguments, "-o", out)
        self.assertEqual(status, code, said)
        self.assertFalse((Path(out) / "model.safetensors").exists())
        done = self.resume(said)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("going on after step ", done.stderr)
        self.assertEqual(self.weights(out), self.weights("whole"))
        self.assertFalse((Path(out) / "training" / "state.safetensors").exists())
        return json.loads((Path(out) / "training.json").read_text())
