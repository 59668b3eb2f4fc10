"""A made-up results.json with everything that a report can show, names that want to break out of the page, and a
model that could not be made."""
HOSTILE = "a<b>&\"c'd</script>"


def model(name, n_bytes, score, ms, joules, heads, neurons, weights="int8", runtime="espalier"):
    layers = [{"heads": h, "intermediate": n, "weights": dict.fromkeys(("qkv", "out", "up", "down"), weights)}
              for h, n in zip(heads, neurons)]
    return {
        "name": name, "runtime": runtime, "status": "done", "file": f"{name}.espl", "bytes": n_bytes,
        "checksum": "0123456789abcdef", "precision": weights, "n_parameters": n_bytes // 2,
        "multiply_adds_per_token": 10_760_000, "commands": [f"espalier quantize base -o {name}.espl"],
        "build": {"seconds": 12.5, "joules": 400.0, "energy_source": "estimated"},
        "structure": {"hidden": 384, "head_dim": 32, "vocabulary": 30522, "embedding_rank": None, "layers": layers},
        "score": {"value": score, "low": score - 1.9, "high": score + 1.7},
        "scores": {"accuracy": score, "f1": score},
        "difference": {"points": score - 90.14, "low": score - 90.9, "high": score - 89.4, "flips": 23,
                       "flips_percent": 2.64, "kl": 0.0012, "mcnemar_p": 0.62},
        "score_calibration": {"ece_percent": 3.456, "brier": 0.14567, "bins": [
            {"low": i / 10, "high": i / 10 + 0.1, "n": 0 if i < 5 else 10 * i, "mean_score": i / 10 + 0.05,
             "share": min(1, i / 10 + 0.02)} for i in range(10)]},
        "confusion": [[381, 47], [39, 405]],
        "slices": [{"group": "label", "value": HOSTILE, "n": 428, "score": 88.1, "score_95": [85.0, 91.1],
                    "before": 89.0, "difference": -0.9, "difference_95": [-2.0, 0.3]}],
        "flips": [{"line": 17, "text": f"{HOSTILE} and a charming journey", "label": "positive", "before": "positive",
                   "after": "negative", "became": "wrong"},
                  {"line": 40, "text": "很好的电影", "label": "positive", "before": "negative", "after": "positive",
                   "became": "right"}],
        "attribution": {"n_texts": 50, "n_skipped": 2, "mean_spearman": 0.912, "mean_top5_overlap": 0.84, "texts": [
            {"line": 17, "label": HOSTILE, "same_answer": False, "spearman": -0.25, "top5_overlap": 0.4, "words": [
                {"text": f"charming{HOSTILE}", "a": 2.125, "b": -0.75}, {"text": "journey", "a": -0.5, "b": 0.125}],
             "words_left_out": 12},
            {"line": 40, "label": "positive", "same_answer": True, "spearman": None, "top5_overlap": 1.0, "words": [
                {"text": "很好", "a": 0.0, "b": 0.0}]}]},
        "latency": {"p50_ms": ms, "p90_ms": ms * 1.1, "p99_ms": ms * 1.3, "mean_ms": ms, "sd_ms": ms / 20,
                    "texts_per_s": 32000 / ms, "tokens_per_s": 971000 / ms},
        "speed": {"times": 61.2 / ms, "p10": 60 / ms, "p90": 63 / ms},
        "energy": {"joules_per_1000_texts": joules, "kwh_per_million_texts": joules / 3600,
                   "grams_co2e_per_million_texts": joules / 3600 * 481, "energy_source": "estimated",
                   "source": "CPU time", "reason": "no counter"},
        "payback": {"texts": 15400, "energy_source": "estimated", "reason": ""},
    }


def results():
    full = ([12] * 6, [1536] * 6)
    cut = ([10, 7, 4, 6, 3, 2], [1100, 800, 620, 512, 300, 128])
    fp32 = model("fp32", 91_092_616, 90.14, 61.2, 5.1, *full, weights="fp32")
    for key in ("build", "difference", "flips", "slices", "attribution", "payback"):
        del fp32[key]
    return {
        "schema_version": 1, "kind": "trade_off", "version": "0.1.0", "seed": 1, "quick": False,
        "command": "espalier tradeoff base --train train.tsv --eval dev.tsv -o out",
        "checkpoint": {"name": f"base {HOSTILE}", "bytes": 45_439_980},
        "task": "classify", "labels": ["negative", HOSTILE],
        "metric": {"key": "accuracy", "name": "accuracy", "unit": "%"},
        "data": {"name": f"dev {HOSTILE}.tsv", "rows": 872, "xxh3": "a4f8c762f170bdf6"},
        "train": {"name": "train.tsv", "rows": 67349, "xxh3": "b4f8c762f170bdf6"},
        "machine": {"cpu": f"CPU {HOSTILE}", "instruction_set": "avx2", "processors": 2, "threads": 2},
        "timing": {"workload": "random pieces", "sentences": 32, "tokens": 971, "rounds": 30, "order": "in turns",
                   "control": {"runs": 3, "p50_ms": 1.234, "p90_ms": 1.3, "spread_percent": 5.349, "drift_percent": -0.75, "steady": False,
                               "verdict": f"not steady {HOSTILE}"}},
        "energy": {"energy_source": "estimated", "source": "CPU time", "reason": "no counter can be read here",
                   "grid": {"region": "WORLD", "grams_per_kwh": 481.0, "source": "a year's mean"}, "pue": 1.2},
        "reference": "fp32", "notes": ["Nothing learnt from the rows that score."],
        "models": [
            fp32,
            model("int8", 23_615_240, 90.25, 29.9, 2.5, *full),
            model("int4", 12_796_808, 90.02, 30.1, 2.5, *full, weights="int4 g64"),
            model("pruned", 19_100_000, 89.1, 20.4, 1.7, *cut),
            model("balanced", 9_912_345, 89.6, 12.3, 0.98, *cut),
            model("small", 5_312_345, 87.9, 7.1, 0.55, *cut),
            model(f"other {HOSTILE}", 91_500_000, 90.14, 70.2, 6.0, [], [], runtime=f"runtime {HOSTILE}"),
            model("onnx int8", 23_500_000, 89.9, 33.3, 2.9, [], [], runtime="onnx"),
            {"name": "tiny", "runtime": "espalier", "status": "failed", "commands": [],
             "reason": f"stage 1-prune ended with exit code 6 {HOSTILE}"},
        ],
    }


SENSITIVITY = {
    "schema_version": 1, "model": "base", "task": "classify", "data": "dev.tsv", "n": 300, "answers": 300,
    "saved_bytes": 10_620_000,
    "all_int8": {"kl": 0.0011, "flips": 3}, "attention": {"kl": 0.0002, "flips": 1},
    "parts": [{"name": f"layer.{i}.ffn.down", "saved_bytes": 1_770_000, "alone_int8": {"kl": 0.0002 * (i + 1), "flips": i},
               "alone_fp32": {"kl": 0.0011 - 0.0001 * i, "flips": 2}} for i in range(6)],
}

CALIBRATION = {
    "schema_version": 1, "file": "m.espl",
    "calibration": {"file": "train.tsv", "sentences": 256, "tokens": 6000, "method": "entropy",
                    "inputs": [{"name": f"layer.{i}.attention.qkv", "codes": "per tensor", "seen": [-3.1, 4.2],
                                "range": [-2.9, 3.8], "sqnr_db": 30.5 + i, "per_token_sqnr_db": 36.25,
                                "clipped_share": 0.00012} for i in range(3)]},
}

COMPARISON = {
    "schema_version": 1, "a": {"name": "fp32.espl"}, "b": {"name": "int8.espl"},
    "attribution": {"n_texts": 30, "n_skipped": 0, "mean_spearman": 0.5, "mean_top5_overlap": 0.75, "texts": [
        {"line": number + 2, "text": "a very long film", "label": "positive", "same_answer": True, "spearman": number / 10,
         "top5_overlap": 1.0, "words": [{"text": f"word{word}", "segment": 0, "start_byte": 0, "end_byte": 4, "a": 1.5, "b": 1.25}
                                        for word in range(70)]} for number in range(9)]},
}


def tagged():
    """Of a model that tags words: entities, flips that name the word, slices by entity and by a column."""
    found = results()
    found["task"], found["labels"] = "tag", ["O", "B-PER", f"B-{HOSTILE}"]
    found["metric"] = {"key": "entity_f1", "name": "entity F1", "unit": "%"}
    for one in found["models"][:-1]:
        for key in ("confusion", "score_calibration", "attribution"):
            one.pop(key, None)
        one["entities"] = {name: {"precision": 91.25, "recall": 88.5, "f1": 89.853, "gold": 1842, "predicted": 1786}
                           for name in ("PER", HOSTILE)}
        if "flips" in one:
            one["flips"] = [{"line": 12, "text": "EU rejects German call", "word": f"German{HOSTILE}", "label": "B-MISC",
                             "before": "B-MISC", "after": "O", "became": "wrong"}]
            one["slices"] = [{"group": group, "value": value, "n": 922, "score": 80.5, "score_95": [78.0, 83.0],
                              "before": 82.0, "difference": -1.5, "difference_95": [-2.5, -0.5]}
                             for group, value in (("entity", HOSTILE), ("part of speech", "NNP"))]
    return found
