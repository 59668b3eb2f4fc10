#!/usr/bin/env python3
"""Times fine-tuning steps of espalier beside the same model in Python PyTorch (transformers), taking turns.

usage: training.py CHECKPOINT TRAIN.tsv --espalier build/release/bin/espalier [--tokens 12] [--batch 32] [--steps 40]
                   [--rounds 5] [--threads 2] [--text-column sentence] [--freeze-embeddings] [--json FILE]

Both train on the rows of TRAIN.tsv that are `--tokens` long, so every batch of both has one shape and no padding: forward
and backward pass, gradient clipping and a fused AdamW step, dropout 0.1, fp32. A turn of espalier is the time of a run
of 10 + STEPS steps less that of a run of 10; a turn of PyTorch is STEPS steps after 10. A figure is the median over the
rounds; the ratio is the median of the ratios within the rounds, with the lowest and the highest.
Needs the Python packages torch and transformers; states both LibTorch versions, which should be one.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

WARM_UP_STEPS = 10


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("--espalier", required=True, type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=12)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--text-column", default="sentence")
    parser.add_argument("--freeze-embeddings", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    return parser.parse_args()


class PyTorch:
    """A process of its own for each turn would time the import; the loop is timed inside this one."""

    def __init__(self, options, rows):
        import torch
        import transformers

        self.torch = torch
        torch.set_num_threads(options.threads)
        torch.manual_seed(1)
        self.options = options
        self.model = transformers.AutoModelForSequenceClassification.from_pretrained(options.checkpoint, num_labels=2)
        self.model.train()
        if options.freeze_embeddings:
            self.model.base_model.embeddings.word_embeddings.weight.requires_grad_(False)
        tokenizer = transformers.AutoTokenizer.from_pretrained(options.checkpoint)
        encoded = tokenizer([row["text"] for row in rows], return_tensors="pt")
        labels = torch.tensor([int(row["label"]) for row in rows])
        size = options.batch
        self.batches = [({key: value[at:at + size] for key, value in encoded.items() if key != "attention_mask"},
                         labels[at:at + size]) for at in range(0, len(rows) - size + 1, size)]
        self.parameters = [value for value in self.model.parameters() if value.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=2e-5, weight_decay=0.01, fused=True)

    def steps(self, count):
        for step in range(count):
            inputs, labels = self.batches[step % len(self.batches)]
            loss = self.torch.nn.functional.cross_entropy(self.model(**inputs).logits, labels)
            loss.backward()
            self.torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            loss.item()

    def seconds(self):
        self.steps(WARM_UP_STEPS)
        start = time.perf_counter()
        self.steps(self.options.steps)
        return time.perf_counter() - start


class Espalier:
    def __init__(self, options, data):
        self.options = options
        self.data = data

    def run(self, steps):
        with tempfile.TemporaryDirectory() as folder:
            command = [self.options.espalier, "finetune", self.options.checkpoint, "--task", "classify", "--new-head",
                       "--train", self.data, "-o", folder, "--max-steps", str(steps), "--epochs", "1000",
                       "--batch-size", str(self.options.batch), "--threads", str(self.options.threads), "--quiet",
                       *(["--freeze-embeddings"] if self.options.freeze_embeddings else [])]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            return json.loads((pathlib.Path(folder) / "training.json").read_text())["seconds"]

    def seconds(self):
        return self.run(WARM_UP_STEPS + self.options.steps) - self.run(WARM_UP_STEPS)


def rows_of_length(options):
    """The first rows that the tokenizer makes exactly so many tokens of."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(options.checkpoint)
    wanted = options.batch * (WARM_UP_STEPS + options.steps)
    rows = []
    with open(options.train, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if len(tokenizer(row[options.text_column])["input_ids"]) == options.tokens:
                rows.append({"text": row[options.text_column], "label": row["label"]})
            if len(rows) == wanted:
                break
    if len(rows) < options.batch:
        sys.exit(f"training.py: only {len(rows)} rows have {options.tokens} tokens; choose another --tokens")
    return rows[:len(rows) - len(rows) % options.batch]


def main():
    options = arguments()
    # Both read it at their start: whether threads that wait for each other spin or sleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    rows = rows_of_length(options)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as data:
        data.write("text\tlabel\n" + "".join(f"{row['text']}\t{row['label']}\n" for row in rows))
        data.flush()
        pytorch, espalier = PyTorch(options, rows), Espalier(options, data.name)
        ours, theirs = [], []
        for turn in range(options.rounds):
            for who in ((espalier, ours), (pytorch, theirs))[::1 if turn % 2 == 0 else -1]:
                who[1].append(who[0].seconds() / options.steps)
    ratios = [their / our for our, their in zip(ours, theirs)]
    report = {"batch": options.batch, "tokens": options.tokens, "threads": options.threads,
              "pytorch": pytorch.torch.__version__, "espalier_steps_per_s": 1 / statistics.median(ours),
              "pytorch_steps_per_s": 1 / statistics.median(theirs), "ratio": statistics.median(ratios),
              "ratio_lowest": min(ratios), "ratio_highest": max(ratios)}
    print(f"{options.batch} x {options.tokens} tokens, {options.threads} threads, steps/s: "
          f"espalier {report['espalier_steps_per_s']:.2f}, PyTorch {pytorch.torch.__version__} "
          f"{report['pytorch_steps_per_s']:.2f}; espalier / PyTorch {report['ratio']:.2f} "
          f"({report['ratio_lowest']:.2f} to {report['ratio_highest']:.2f})")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


main()
