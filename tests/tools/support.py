"""Starts the programs as a user would and makes the tiny models that the tests ask.

The programs come from the environment that ctest sets: ESPALIER_CLI, ESPALIER_RUN, ESPALIER_MAKE_TINY_CHECKPOINT."""
import json
import os
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

CLI = os.environ.get("ESPALIER_CLI", "espalier")
RUN = os.environ.get("ESPALIER_RUN", "espalier-run")
MAKE_TINY = os.environ.get("ESPALIER_MAKE_TINY_CHECKPOINT", "make_tiny_checkpoint")

VERBS = ["convert", "quantize", "compress", "sensitivity", "run", "evaluate", "bench", "compare", "profile", "tradeoff", "report",
         "inspect", "verify", "export", "tokenize", "sys"]


def start(*arguments, program=CLI, **keywords):
    """The finished program, its output as text."""
    keywords.setdefault("stdin", subprocess.DEVNULL)
    if "input" in keywords:
        del keywords["stdin"]
    return subprocess.run([program, *map(str, arguments)], stdout=keywords.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, encoding="utf-8", timeout=300, **keywords)


class ProgramTest(unittest.TestCase):
    """A test in a temporary folder of its own."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = Path(self._folder.name)

    def ok(self, *arguments, **keywords):
        """What the program printed; the test fails when it does."""
        done = start(*arguments, **keywords)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def ok_json(self, *arguments, **keywords):
        """The object that --format json prints."""
        report = json.loads(self.ok(*arguments, "--format", "json", **keywords))
        self.assertEqual(report["schema_version"], 1)
        return report

    def ok_lines(self, *arguments, **keywords):
        """The objects of a program that prints one a line."""
        return [json.loads(line) for line in self.ok(*arguments, **keywords).splitlines()]

    def fails(self, code, *arguments, says, **keywords):
        """Checks exit code and message: one line, nothing on standard output, no file named in it by accident."""
        done = start(*arguments, **keywords)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout or "", "")
        self.assertIn(says, done.stderr)
        return done.stderr

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path


class Models:
    """Checkpoints and model files made once a test program, in a folder that lives as long as it."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)

    def checkpoint(self, kind):
        """sequence, tokens, masked_lm or embedding; or regression or multi_label, made from sequence."""
        folder = self.folder / kind
        if folder.exists():
            return folder
        plain = {"regression": "sequence", "multi_label": "sequence"}.get(kind, kind)
        subprocess.run([MAKE_TINY, folder, plain], check=True)
        config = json.loads((folder / "config.json").read_text())
        if kind == "multi_label":
            config["problem_type"] = "multi_label_classification"
        if kind == "regression":
            config["problem_type"] = "regression"
            config["id2label"], config["label2id"] = {"0": "LABEL_0"}, {"LABEL_0": 0}
            keep_first_label(folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    def model(self, kind, precision="int8"):
        """The model file of a checkpoint."""
        path = self.folder / f"{kind}.{precision}.espl"
        if not path.exists():
            done = start("convert", self.checkpoint(kind), "-o", path, "--precision", precision)
            if done.returncode != 0:
                raise RuntimeError(done.stderr)
        return path


def keep_first_label(path):
    """Cuts the classifier of a safetensors file down to its first row."""
    content = path.read_bytes()
    size, = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    kept = b""
    header.pop("__metadata__", None)
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if name.startswith("classifier."):
            end = begin + (end - begin) // entry["shape"][0]
            entry["shape"][0] = 1
        entry["data_offsets"] = [len(kept), len(kept) + end - begin]
        kept += data[begin:end]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + kept)


def tensors(folder):
    """{name: (type, shape, bytes)} of a folder's safetensors file."""
    content = (folder / "model.safetensors").read_bytes()
    size, = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])]) for name, entry in header.items()}


def write_tensors(folder, entries):
    """Writes {name: (type, shape, bytes)} as a folder's safetensors file."""
    header, data = {}, b""
    for name, (dtype, shape, values) in entries.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def cut_heads(folder, layer, n_heads, head_width=8):
    """Takes all but the first heads from a layer of a checkpoint, and says so in its config.json."""
    kept, entries = n_heads * head_width, tensors(folder)
    for name, (dtype, shape, values) in entries.items():
        row = len(values) // shape[0]
        if f"layer.{layer}.attention.self." in name:
            entries[name] = dtype, [kept, *shape[1:]], values[:kept * row]
        if f"layer.{layer}.attention.output.dense.weight" in name:
            columns = b"".join(values[at:at + 4 * kept] for at in range(0, len(values), row))
            entries[name] = dtype, [shape[0], kept], columns
    write_tensors(folder, entries)
    config = json.loads((folder / "config.json").read_text())
    layers = [{"heads": [0, 1, 2, 3], "intermediate": 64} for _ in range(config["num_hidden_layers"])]
    layers[layer]["heads"] = list(range(n_heads))
    config["espalier"] = {"layers": layers}
    (folder / "config.json").write_text(json.dumps(config))
