"""Prints what `benchmarks/pruning.sh OUT measure` left as a Markdown table, one row a model.

    python3 benchmarks/pruning_table.py OUT
"""
import json
import math
import sys
from pathlib import Path

HEAD = ["run", "multiply-adds", "speed (10th to 90th percentile)", "score", "flips, KL", "books: flips, KL", "int8 file", "epochs"]


def wilson(share, n):
    """95 % interval of a share that was seen on n rows, in points (Wilson 1927)."""
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return f"{100 * (middle - half):.1f} to {100 * (middle + half):.1f}"


def score(scores):
    name, value = next(iter(scores["b"].items()))
    if name == "accuracy":
        return f"{value:.2f} ({wilson(value / 100, scores['n'])})"
    return f"{name} {value:.2f}, whole {scores['a'][name]:.2f}"


def answers(scores):
    return f"{scores['flips']} of {scores['n']}, {scores['kl']:.3f}"


def training(card):
    if "seconds" not in card:
        return "none"
    epochs = card["options"].get("recover-epochs") or card["options"].get("epochs")
    return f"{epochs} in {card['seconds'] / 60:.0f} min"


def row(folder):
    card, dev, books, mix32 = (json.loads((folder / f"{name}.json").read_text()) for name in ("training", "dev", "books", "mix32"))
    latency = mix32["latency"]
    return [folder.name,
            f"{1 / dev['b_over_a']['multiply_adds_per_token']:.2f} x",
            f"{latency['speedup']:.2f} x ({latency['speedup_p10']:.2f} to {latency['speedup_p90']:.2f})",
            score(dev["scores"]), answers(dev["scores"]), answers(books["scores"]), f"{mix32['b']['bytes'] / 1e6:.1f} MB",
            training(card)]


def main():
    print("| " + " | ".join(HEAD) + " |")
    print("|" + "---|" * len(HEAD))
    for folder in sorted(path.parent for path in Path(sys.argv[1]).glob("*/mix32.json")):
        print("| " + " | ".join(row(folder)) + " |")


if __name__ == "__main__":
    main()
