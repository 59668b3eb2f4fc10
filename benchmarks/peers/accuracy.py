"""Labelled sentences as token ids, and how well the answers to them hold against the labels and against fp32."""
import math


def read_tsv(path, limit=None):
    """(text, label) of a file with a header line and the columns sentence, label."""
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    return [(row[0].strip(), int(row[1])) for row in rows[:limit]]


def token_ids(tokenizer, texts, max_length=128):
    return [tokenizer(text, truncation=True, max_length=max_length)["input_ids"] for text in texts]


def log_softmax(logits):
    top = max(logits)
    total = math.log(sum(math.exp(logit - top) for logit in logits)) + top
    return [logit - total for logit in logits]


def kl(reference, other):
    """KL divergence of one answer from the reference, in nats."""
    p, q = log_softmax(reference), log_softmax(other)
    return sum(math.exp(a) * (a - b) for a, b in zip(p, q))


def scores(logits, reference, labels):
    """accuracy_percent, flips (answers other than the reference's), kl (mean), max_abs_logit_diff."""
    best = [max(range(len(row)), key=row.__getitem__) for row in logits]
    best_reference = [max(range(len(row)), key=row.__getitem__) for row in reference]
    n_right = sum(answer == label for answer, label in zip(best, labels))
    return {
        "n": len(labels),
        "accuracy_percent": 100 * n_right / len(labels),
        "flips": sum(a != b for a, b in zip(best, best_reference)),
        "kl": sum(map(kl, reference, logits)) / len(labels),
        "max_abs_logit_diff": max(abs(a - b) for one, other in zip(logits, reference) for a, b in zip(one, other)),
    }
