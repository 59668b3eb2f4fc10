"""Writes golden.hpp: inputs drawn with a fixed seed, and what other implementations say of them.

    pip install scikit-learn==1.9.1 scipy==1.17.1 statsmodels==0.15.0
    python3 make_golden.py > golden.hpp && clang-format -i golden.hpp

Entities are counted by a port of conlleval's rules in its own, streaming form: chunk starts and
ends are told from neighbouring tags and hits from both sides ending at once. The library instead
lists entities and compares the lists, so that the two share no code path.
"""
import random

import numpy as np
from scipy import stats
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

rng = random.Random(7)


def array(kind, name, values):
    if kind == "std::string_view":
        body = ", ".join(f'"{v}"' for v in values)
    else:
        body = ", ".join(repr(v) + ("F" if kind == "float" else "") for v in values)
    print(f"inline constexpr std::array<{kind}, {len(values)}> {name} = {{{body}}};")


def value(name, number):
    print(f"inline constexpr double {name} = {float(number)!r};")


def split(tag):
    letter, _, kind = tag.partition("-")
    return letter, kind


def ends(before, tag):
    (b, bt), (t, tt) = split(before), split(tag)
    return b != "O" and (t in "BO" or bt != tt)


def starts(before, tag):
    (b, bt), (t, tt) = split(before), split(tag)
    return t != "O" and (t == "B" or b == "O" or bt != tt)


def count_chunks(gold, predicted):
    n_gold = n_predicted = n_correct = 0
    inside = False
    g0 = p0 = "O"
    for g, p in zip(gold + ["O"], predicted + ["O"]):
        if inside:
            if ends(g0, g) and ends(p0, p) and split(g0)[1] == split(p0)[1]:
                inside, n_correct = False, n_correct + 1
            elif ends(g0, g) != ends(p0, p) or split(g)[1] != split(p)[1]:
                inside = False
        if starts(g0, g) and starts(p0, p) and split(g)[1] == split(p)[1]:
            inside = True
        n_gold += starts(g0, g)
        n_predicted += starts(p0, p)
        g0, p0 = g, p
    return n_gold, n_predicted, n_correct


def ece(scores, right):
    """In percent, of ten bins."""
    edges = np.linspace(0, 1, 11)
    total = np.histogram(scores, edges, weights=scores)[0]
    hits = np.histogram(scores, edges, weights=np.asarray(right, float))[0]
    return 100 * np.abs(total - hits).sum() / len(scores)


def main():
    print("// Made by make_golden.py; not edited by hand.\n#pragma once\n")
    print("#include <array>\n#include <cstddef>\n#include <cstdint>\n#include <string_view>\n")
    print("namespace espalier::measure::golden {\n")

    # Five classes, of which class 4 never occurs.
    gold = [rng.choice([0, 0, 0, 1, 2, 3]) for _ in range(60)]
    predicted = [g if rng.random() < 0.6 else rng.randrange(4) for g in gold]
    array("std::size_t", "kGold", gold)
    array("std::size_t", "kPredicted", predicted)
    value("kAccuracy", 100 * metrics.accuracy_score(gold, predicted))
    value("kMacroF1", 100 * metrics.f1_score(gold, predicted, average="macro"))
    value("kMcc", metrics.matthews_corrcoef(gold, predicted))
    two_gold, two_predicted = [int(g > 0) for g in gold], [int(p > 0) for p in predicted]
    value("kBinaryF1", 100 * metrics.f1_score(two_gold, two_predicted))
    value("kBinaryMcc", metrics.matthews_corrcoef(two_gold, two_predicted))

    bits = [int(rng.random() < 0.3) for _ in range(60)]
    guessed = [b if rng.random() < 0.85 else 1 - b for b in bits]
    array("std::uint8_t", "kGoldBits", bits)
    array("std::uint8_t", "kPredictedBits", guessed)
    rows, guesses = np.array(bits).reshape(20, 3), np.array(guessed).reshape(20, 3)
    value("kMicroF1", 100 * metrics.f1_score(rows, guesses, average="micro"))
    value("kExactMatch", 100 * metrics.accuracy_score(rows, guesses))

    scores = [rng.randrange(0, 21) / 4 for _ in range(40)]
    guesses = [round(s + rng.gauss(0, 1), 1) for s in scores]
    array("double", "kScores", scores)
    array("double", "kPredictedScores", guesses)
    value("kPearson", stats.pearsonr(scores, guesses)[0])
    value("kSpearman", stats.spearmanr(scores, guesses)[0])
    array("double", "kRanks", stats.rankdata(guesses).tolist())

    reference = np.round(np.array([rng.gauss(0, 3) for _ in range(30)]), 3).astype(np.float32)
    candidate = np.round(reference + [rng.gauss(0, 1.5) for _ in range(30)], 3).astype(np.float32)
    array("float", "kReferenceLogits", [float(x) for x in np.round(reference.astype(float), 3)])
    array("float", "kCandidateLogits", [float(x) for x in np.round(candidate.astype(float), 3)])
    p = np.exp(reference.astype(float).reshape(10, 3))
    q = np.exp(candidate.astype(float).reshape(10, 3))
    value("kMeanKl", np.mean([stats.entropy(a, b) for a, b in zip(p, q)]))
    value("kFlips", np.sum(p.argmax(1) != q.argmax(1)))
    value("kMaxDifference", np.abs(reference.astype(float) - candidate.astype(float)).max())
    a, b = reference.astype(float).reshape(10, 3), candidate.astype(float).reshape(10, 3)
    value("kMeanCosine", np.mean(np.diag(metrics.pairwise.cosine_similarity(a, b))))

    value("kMcnemar5And12", mcnemar([[0, 5], [12, 0]], exact=True).pvalue)
    value("kMcnemar900And1000", mcnemar([[0, 900], [1000, 0]], exact=True).pvalue)
    value("kPointOf5And12", stats.binom.pmf(5, 17, 0.5))
    value("kPointOf6And6", stats.binom.pmf(6, 12, 0.5))
    low, high = proportion_confint(786, 872, method="wilson")
    value("kWilsonLow", 100 * low)
    value("kWilsonHigh", 100 * high)

    timings = [round(rng.expovariate(0.2) + 3, 3) for _ in range(37)]
    array("double", "kTimings", timings)
    value("kTimingP50", np.percentile(timings, 50))
    value("kTimingP90", np.percentile(timings, 90))
    value("kTimingP99", np.percentile(timings, 99))
    value("kTimingMean", np.mean(timings))
    value("kTimingSd", np.std(timings, ddof=1))

    # Any mixture of IOB1 and IOB2, in sentences of 10 words.
    tags = ["O", "O", "B-X", "I-X", "I-X", "B-Y", "I-Y"]
    gold = [rng.choice(tags) for _ in range(600)]
    predicted = [g if rng.random() < 0.8 else rng.choice(tags) for g in gold]
    array("std::string_view", "kGoldTags", gold)
    array("std::string_view", "kPredictedTags", predicted)
    counts = [count_chunks(gold[i : i + 10], predicted[i : i + 10]) for i in range(0, 600, 10)]
    array("std::size_t", "kEntityCounts", [sum(c) for c in zip(*counts)])

    # ECE is worked out with numpy's histogram; scores with three decimals keep off the bins' edges.
    scores = np.array([[rng.expovariate(1) for _ in range(3)] for _ in range(40)])
    scores = np.round(scores / scores.sum(1, keepdims=True), 3) + [2e-4, 2e-4, 2e-4]
    scores[:, 2] = 1 - scores[:, 0] - scores[:, 1]
    scores = np.round(scores, 6)
    gold = np.array([rng.choices(range(3), weights=row)[0] for row in scores])
    cells = np.eye(3)[gold].ravel()
    array("float", "kProbabilities", [float(x) for x in scores.ravel()])
    array("std::size_t", "kProbableGold", [int(x) for x in gold])
    array("std::uint8_t", "kProbableCells", [int(x) for x in cells])
    value("kClassBrier", metrics.brier_score_loss(gold, scores))
    value("kClassEce", ece(scores.max(1), scores.argmax(1) == gold))
    value("kCellBrier", metrics.brier_score_loss(cells, scores.ravel()))
    value("kCellEce", ece(scores.ravel(), cells))
    print("\n}  // namespace espalier::measure::golden")


main()
