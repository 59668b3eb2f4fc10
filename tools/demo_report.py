"""Prints the demo's result from what the programs wrote; tools/demo.sh calls it with that folder.

Reads PRECISION.{espl,answers.jsonl,one.json,mixed.json} and, where there was labelled data, PRECISION.evaluation.json,
for PRECISION fp32 and int8. With --full: MODEL.PRECISION.{espl,evaluation.json,one.json} of teacher and student, and
what training them left in MODEL/. Python's standard library only."""
import itertools
import json
import math
import sys
from pathlib import Path

PRECISIONS = ("fp32", "int8")


def cosine(left, right):
    product = sum(a * b for a, b in zip(left, right))
    return product / math.sqrt(sum(a * a for a in left) * sum(b * b for b in right))


def read_answers(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def fidelity(answers, other):
    """(what is compared, its figure) between two models' answers to the same sentences."""
    if "embedding" in answers[0]:
        cosines = [cosine(one["embedding"], two["embedding"]) for one, two in zip(answers, other)]
        return "mean cosine to fp32", f"{sum(cosines) / len(cosines):.4f}"
    key = "label" if "label" in answers[0] else "spans"
    # Of spans, what is found counts; how sure the model is of it may differ.
    found = [[[{name: value for name, value in span.items() if name != "score"} for span in answer[key]]
              if key == "spans" else answer.get(key) for answer in side] for side in (answers, other)]
    same = sum(one == two for one, two in zip(*found))
    return "same answers as fp32", f"{same} of {len(answers)}"


def largest_logit_difference(answers, other):
    return max(abs(a - b) for one, two in zip(answers, other) for a, b in zip(one["logits"], two["logits"]))


def evaluation_rows(folder):
    """Rows of the table that labelled data gives, [] without it."""
    files = [folder / f"{precision}.evaluation.json" for precision in PRECISIONS]
    if not all(file.exists() for file in files):
        return []
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    rows = []
    for key, name in [("accuracy", "accuracy %"), ("f1", "F1 %"), ("entity_f1", "entity F1 %"), ("mcc", "MCC"),
                      ("spearman", "Spearman"), ("flips", "answers unlike fp32"), ("kl", "KL to fp32")]:
        if all(key in evaluation for evaluation in found):
            digits = {"flips": ".0f", "kl": ".4f"}.get(key, ".2f")
            rows.append((f"{name} (n = {found[0]['n']})", *(format(evaluation[key], digits) for evaluation in found)))
    return rows


def table(folder, answers):
    rows = [("", *PRECISIONS)]
    sizes = [(folder / f"{precision}.espl").stat().st_size / 1e6 for precision in PRECISIONS]
    rows.append(("file size, MB (10^6 bytes)", *(f"{size:.1f}" for size in sizes)))
    for kind, name in (("one", "one sentence of {seq} tokens, ms"), ("mixed", "a mixed batch of {batch}, ms")):
        benches = [json.loads((folder / f"{precision}.{kind}.json").read_text(encoding="utf-8"))["rows"][0]
                   for precision in PRECISIONS]
        rows.append((name.format(**benches[0]), *(f"{bench['p50_ms']:.2f}" for bench in benches)))
    name = fidelity(answers["fp32"], answers["fp32"])[0]
    rows.append((f"{name} ({len(answers['fp32'])} sentences)",
                 *(fidelity(answers[precision], answers["fp32"])[1] for precision in PRECISIONS)))
    if all("logits" in answer and not isinstance(answer["logits"][0], list) for answer in answers["fp32"]):
        rows.append(("largest logit difference to fp32",
                     *(f"{largest_logit_difference(answers[precision], answers['fp32']):.3f}"
                       for precision in PRECISIONS)))
    return rows + evaluation_rows(folder)


def print_table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for number, row in enumerate(rows):
        print("  ".join([f"{row[0]:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:]))]))
        if number == 0:
            print("-" * (sum(widths) + 2 * (len(widths) - 1)))


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def print_whole_story(folder):
    """Four models side by side, then what it took to train them."""
    models = [(model, precision) for model in ("teacher", "student") for precision in PRECISIONS]
    evaluations = [read_json(folder / f"{model}.{precision}.evaluation.json") for model, precision in models]
    sizes = [(folder / f"{model}.{precision}.espl").stat().st_size / 1e6 for model, precision in models]
    benches = [read_json(folder / f"{model}.{precision}.one.json")["rows"][0] for model, precision in models]
    print_table([
        ("", *(" ".join(names) for names in models)),
        ("file size, MB (10^6 bytes)", *(f"{size:.1f}" for size in sizes)),
        (f"accuracy % (n = {evaluations[0]['n']})", *(f"{found['accuracy']:.1f}" for found in evaluations)),
        ("answers unlike teacher fp32", *(str(found["flips"]) for found in evaluations)),
        (f"one sentence of {benches[0]['seq']} tokens, ms", *(f"{bench['p50_ms']:.2f}" for bench in benches)),
    ])
    print()
    for model in ("teacher", "student"):
        card = read_json(folder / model / "training.json")
        energy = card["energy"]
        cost = f"{energy['joules'] / 1000:.1f} kJ {energy['tag']}" if energy["joules"] else "energy unavailable"
        print(f"training the {model}: {card['steps']} steps, {card['seconds']:.0f} s, {cost}")


def print_nearest_pairs(sentences, answers):
    vectors = [answer["embedding"] for answer in answers["int8"]]
    pairs = sorted(((cosine(vectors[one], vectors[two]), one, two)
                    for one, two in itertools.combinations(range(len(vectors)), 2)), reverse=True)
    print("\nnearest pairs, by the int8 model (fp32 beside it):")
    for similarity, one, two in pairs[:5]:
        full = cosine(answers["fp32"][one]["embedding"], answers["fp32"][two]["embedding"])
        print(f"  {similarity:.3f} ({full:.3f})  {sentences[one]}\n{'':17}{sentences[two]}")


def print_answers(sentences, answers):
    print("\nanswers of the int8 model:")
    for sentence, answer in zip(sentences, answers["int8"]):
        if "label" in answer:
            text = f"{answer['label']} {answer['score']:.3f}"
        else:
            text = ", ".join(f"{span['text']} [{span['label']}]" for span in answer.get("spans", [])) or "-"
        print(f"  {text:<24}  {sentence}")


def main():
    if sys.argv[1] == "--full":
        return print_whole_story(Path(sys.argv[2]))
    folder = Path(sys.argv[1])
    sentences = (folder / "sentences.txt").read_text(encoding="utf-8").splitlines()
    answers = {precision: read_answers(folder / f"{precision}.answers.jsonl") for precision in PRECISIONS}
    print_table(table(folder, answers))
    if "embedding" in answers["int8"][0]:
        print_nearest_pairs(sentences, answers)
    else:
        print_answers(sentences, answers)


main()
