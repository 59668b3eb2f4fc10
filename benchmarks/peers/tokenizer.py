#!/usr/bin/env python3
"""Times Hugging Face's `tokenizers` package on the work of bench_tokenizer: the same file, line by line,
one core. With --ours PROGRAM the two take turns and the ratio of the medians is printed.

usage: tokenizer.py VOCAB_FOLDER TEXT_FILE [--rounds N] [--ours build/.../bench_tokenizer]
Needs: pip install tokenizers==0.22.1
"""
import argparse
import json
import os
import statistics
import subprocess
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tokenizers  # noqa: E402  (the switch above is read on import)


def load(folder):
    with_json = os.path.join(folder, "tokenizer.json")
    if os.path.exists(with_json):
        tokenizer = tokenizers.Tokenizer.from_file(with_json)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer
    config_path = os.path.join(folder, "tokenizer_config.json")
    config = json.load(open(config_path)) if os.path.exists(config_path) else {}
    return tokenizers.BertWordPieceTokenizer(
        os.path.join(folder, "vocab.txt"), lowercase=config.get("do_lower_case", True))


def run_round(tokenizer, lines):
    n_tokens = id_sum = 0
    seconds = 0.0
    for line in lines:
        start = time.perf_counter()
        encoding = tokenizer.encode(line)
        seconds += time.perf_counter() - start
        ids = encoding.ids
        n_tokens += len(ids)
        id_sum += sum(ids)
    return seconds, n_tokens, id_sum


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ours", help="bench_tokenizer, to take turns with")
    arguments = parser.parse_args()

    data = open(arguments.file, "rb").read()
    lines = data.decode("utf-8").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    tokenizer = load(arguments.folder)
    run_round(tokenizer, lines[: len(lines) // 10])
    theirs, ours, same = [], [], True
    for _ in range(arguments.rounds):
        seconds, n_tokens, id_sum = run_round(tokenizer, lines)
        theirs.append(len(data) / 1e6 / seconds)
        if arguments.ours:
            out = subprocess.run([arguments.ours, arguments.folder, arguments.file, "1"],
                                 check=True, capture_output=True, text=True).stdout
            report = json.loads(out)
            ours.append(report["mb_per_s"])
            same = same and (report["tokens"], report["id_sum"]) == (n_tokens, id_sum)
    result = {"package": "tokenizers " + tokenizers.__version__,
              "mb_per_s": round(statistics.median(theirs), 2),
              "lowest": round(min(theirs), 2), "highest": round(max(theirs), 2)}
    if ours:
        result.update(ours_mb_per_s=round(statistics.median(ours), 2), ours_lowest=min(ours),
                      ours_highest=max(ours), same_ids=same,
                      ratio=round(statistics.median(ours) / statistics.median(theirs), 1))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
