#!/usr/bin/env python3
"""Times espalier beside ONNX Runtime, OpenVINO, CTranslate2 and PyTorch on the same token ids and threads, in one run.

usage: encoder.py CHECKPOINT INT8.espl FP32.espl --espalier build/release/bin/bench_ids [--work DIR] [--threads 2]
                  [--rounds 9] [--turn-ms 300] [--rows TEXT,...] [--workloads NAME,...] [--data DEV.tsv]
                  [--calibration TRAIN.tsv] [--bf16 BF16.espl] [--json FILE]

CHECKPOINT is what both .espl files were made of. Every runtime is a process of its own; in each round, for each
workload, all take one turn of some calls, in an order that rotates. A figure is the median over the rounds of the
medians of the turns; a ratio is the median of the ratios within the rounds, with the lowest and the highest.
With --data the accuracy of the very files timed, their flips and their KL to PyTorch fp32 stand beside the times.
Needs the Python packages torch transformers onnx onnxscript onnxruntime openvino nncf ctranslate2.
"""
import argparse
import collections
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import accuracy
import prepare
import workloads

# OpenMP runtimes keep their threads spinning for up to 0.2 s after a call; the next turn waits for that to end.
SETTLE_S = 0.25
N_CALIBRATION = 300
RECTANGLES = ("1x16", "1x128", "1x384", "8x128", "mix32")  # one shape each: what a model of static shapes can be given

NAMES = {"espalier": "espalier", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
         "openvino-static": "OpenVINO static", "ctranslate2": "CTranslate2", "pytorch": "PyTorch"}

# command: of its process; path: what it read; packed: never pads; only: the workloads it takes, or None for all.
Row = collections.namedtuple("Row", "name precision command path packed only")


class Worker:
    """A runtime's process: a request a line, an answer a line."""

    def __init__(self, row, threads):
        self.row = row
        self.messages = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(row.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=self.messages, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
        self.about = self.ask(op="about")

    def ask(self, **request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.messages.seek(0)
            last = self.messages.read().strip().splitlines()[-1:]
            raise RuntimeError(f"{self.row.name} ended: {''.join(last)}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def make_row(kind, precision, arguments, calibration):
    """Makes the row's files where they are missing."""
    name, threads = f"{NAMES[kind]} {precision}", str(arguments.threads)
    if kind == "espalier":
        model = getattr(arguments, precision)
        return Row(name, precision, [arguments.espalier, str(model), threads], model, True, None)
    model = prepare.model_for(kind, precision, arguments.checkpoint, arguments.work, calibration)
    program = str(pathlib.Path(__file__).with_name("runtimes.py"))
    command = [sys.executable, program, kind, precision, str(model), threads]
    return Row(name, precision, command, model, False, RECTANGLES if kind == "openvino-static" else None)


def start_workers(arguments, calibration):
    """A runtime that cannot be had is left out, with its reason on standard error."""
    workers = []
    for kind in NAMES:
        for precision in ("int8", "bf16", "fp32"):
            name = f"{NAMES[kind]} {precision}"
            if precision == "bf16" and (kind != "espalier" or arguments.bf16 is None):
                continue
            if arguments.rows and not any(part in name for part in arguments.rows.split(",")):
                continue
            try:
                workers.append(Worker(make_row(kind, precision, arguments, calibration), arguments.threads))
                print("{}: {runtime}, {precision}".format(name, **workers[-1].about), file=sys.stderr, flush=True)
            except Exception as error:  # whatever a library throws: the others are still worth comparing
                print(f"{name}: left out: {error}", file=sys.stderr, flush=True)
    return workers


def measure(workers, chosen, arguments):
    """{workload: {row: [median ms of each round]}}"""
    repeats, times = {}, {name: {} for name in chosen}
    for name, work in chosen.items():
        for worker in workers:
            if worker.row.only and name not in worker.row.only:
                continue
            worker.ask(op="set", name=name, calls=work["packed_calls" if worker.row.packed else "calls"])
            one_ms = min(worker.ask(op="time", name=name, repeats=3)["ms"])
            repeats[name, worker.row.name] = max(3, min(300, int(arguments.turn_ms / one_ms)))
            times[name][worker.row.name] = []
    for turn in range(arguments.rounds):
        for name in chosen:
            first = turn % len(workers)
            for worker in workers[first:] + workers[:first]:
                if worker.row.name in times[name]:
                    time.sleep(SETTLE_S)
                    worker.ask(op="time", name=name, repeats=2)  # the caches are its own again
                    answer = worker.ask(op="time", name=name, repeats=repeats[name, worker.row.name])
                    times[name][worker.row.name].append(statistics.median(answer["ms"]))
        print(f"round {turn + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
    return times


def scores_of(workers, sentences, labels):
    """{row: scores}; a row of static shapes has those of the same file with any shape."""
    logits, by_path = {}, {}
    for worker in workers:
        if not worker.row.only:
            worker.ask(op="set", name="data", calls=[[sentence] for sentence in sentences])
            logits[worker.row.name] = worker.ask(op="logits", name="data")["logits"]
            by_path[worker.row.path] = worker.row.name
    if "PyTorch fp32" not in logits:
        print("no accuracy: its reference, the row PyTorch fp32, is left out", file=sys.stderr)
        return {}
    scores = {name: accuracy.scores(rows, logits["PyTorch fp32"], labels) for name, rows in logits.items()}
    return scores | {worker.row.name: scores[by_path[worker.row.path]] for worker in workers
                     if worker.row.only and worker.row.path in by_path}


def size_mb(path):
    path = pathlib.Path(path)
    if path.suffix == ".xml":  # OpenVINO's weights lie beside its graph
        return (path.stat().st_size + path.with_suffix(".bin").stat().st_size) / 1e6
    if path.is_dir():  # CTranslate2, or a checkpoint
        weights = [path / name for name in ("model.bin", "model.safetensors") if (path / name).exists()]
        return sum(file.stat().st_size for file in weights) / 1e6
    return path.stat().st_size / 1e6


def ratio_of(times, over, under):
    """How many times faster the row `under` is than the best of the rows `over`: (median, low, high, best) or None."""
    over = [row for row in over if row in times]
    if not over or under not in times:
        return None
    best = min(over, key=lambda row: statistics.median(times[row]))
    ratios = [a / b for a, b in zip(times[best], times[under])]
    return statistics.median(ratios), min(ratios), max(ratios), best


def comparisons(workers):
    others = [worker.row for worker in workers if not worker.row.name.startswith("espalier")]
    return {
        "best other int8 ÷ espalier int8": ([row.name for row in others if row.precision == "int8"], "espalier int8"),
        "best other fp32 ÷ espalier fp32": ([row.name for row in others if row.precision == "fp32"], "espalier fp32"),
        "espalier fp32 ÷ espalier int8": (["espalier fp32"], "espalier int8"),
    }


def table(workers, times, scores):
    names = list(times)
    head = ["ms", "MB", *names] + (["accuracy %", "flips", "KL to fp32"] if scores else [])
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    for worker in workers:
        row = worker.row.name
        cells = [row, f"{size_mb(worker.row.path):.1f}"]
        cells += [f"{statistics.median(times[name][row]):.2f}" if row in times[name] else "–" for name in names]
        if row in scores:
            cells += [f"{scores[row]['accuracy_percent']:.2f}", str(scores[row]["flips"]), f"{scores[row]['kl']:.5f}"]
        elif scores:
            cells += ["–"] * 3
        lines.append("| " + " | ".join(cells) + " |")
    for title, (over, under) in comparisons(workers).items():
        ratios = [ratio_of(times[name], over, under) for name in names]
        if any(ratios):
            cells = ["–" if ratio is None else "{:.2f} ({:.2f}–{:.2f})".format(*ratio[:3]) for ratio in ratios]
            lines.append("| " + " | ".join([f"**{title}**", "", *cells] + [""] * (3 if scores else 0)) + " |")
    lines += ["", "What each row computed in, as the runtime itself says:", ""]
    lines += [f"- {worker.row.name}: {worker.about['runtime']}, {worker.about['precision']}" for worker in workers]
    return "\n".join(lines)


def report(workers, times, scores, arguments, chosen):
    processor = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": (processor or [platform.machine()])[0], "threads": arguments.threads, "rounds": arguments.rounds,
        "workloads": {name: {"tokens": sum(map(len, sum(work["calls"], []))),
                             "padded_tokens": sum(len(call) * max(map(len, call)) for call in work["calls"]),
                             "calls": len(work["calls"])} for name, work in chosen.items()},
        "rows": {worker.row.name: worker.about | {
            "file_mb": size_mb(worker.row.path), "fidelity": scores.get(worker.row.name),
            "ms": {name: times[name].get(worker.row.name) for name in times}} for worker in workers},
        "ratios": {title: {name: ratio_of(times[name], *pair) for name in times}
                   for title, pair in comparisons(workers).items()},
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("int8", type=pathlib.Path)
    parser.add_argument("fp32", type=pathlib.Path)
    parser.add_argument("--espalier", required=True, help="the program bench_ids")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/peers"),
                        help="where the other runtimes' files are kept, one folder a checkpoint")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--turn-ms", type=float, default=300, help="about the time that one turn takes")
    parser.add_argument("--bf16", type=pathlib.Path, help="the same checkpoint in bf16: one row more")
    parser.add_argument("--rows", help="only rows whose name holds one of these texts")
    parser.add_argument("--workloads", help="only these")
    parser.add_argument("--data", type=pathlib.Path, help="labelled sentences: accuracy, flips, KL; real ids")
    parser.add_argument("--calibration", type=pathlib.Path, help="training sentences for OpenVINO's quantization")
    parser.add_argument("--json", type=pathlib.Path, help="write everything measured here")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(arguments.checkpoint)
    data = accuracy.read_tsv(arguments.data) if arguments.data else []
    sentences = accuracy.token_ids(tokenizer, [text for text, _ in data])
    frame = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.vocab_size)
    chosen = workloads.workloads(workloads.pool_of(sentences), frame)
    if arguments.workloads:
        chosen = {name: chosen[name] for name in arguments.workloads.split(",")}
    if arguments.calibration:
        texts = [text for text, _ in accuracy.read_tsv(arguments.calibration, N_CALIBRATION)]
        calibration = accuracy.token_ids(tokenizer, texts)
    else:
        calibration = workloads.sentences_of(workloads.MIX * (N_CALIBRATION // len(workloads.MIX)), {}, frame)
    workers = start_workers(arguments, calibration)
    times = measure(workers, chosen, arguments)
    scores = scores_of(workers, sentences, [label for _, label in data]) if data else {}
    print(table(workers, times, scores))
    if arguments.json:
        arguments.json.write_text(json.dumps(report(workers, times, scores, arguments, chosen), indent=1) + "\n")
    for worker in workers:
        worker.close()


if __name__ == "__main__":
    main()
