#!/usr/bin/env python3
"""Turns what encoder.py --json wrote into models of a trade-off, so that `espalier report` sets them beside ours.

usage: as_results.py PEERS.json RESULTS.json -o OTHERS.json [--workload mix32]

Sizes, times, accuracy and flips are those of encoder.py's own run, in which all runtimes take turns; the speed of a row
is against espalier's fp32 in that run. Rows of espalier itself are left out: RESULTS.json has them. Energy is not
measured there, so there is none.
"""
import argparse
import json
import math
import pathlib
import statistics

Z_95 = 1.959963984540054


def wilson(share, n):
    """The interval of 95 % of a share of n, in percent."""
    centre = (share + Z_95 ** 2 / (2 * n)) / (1 + Z_95 ** 2 / n)
    half = Z_95 / (1 + Z_95 ** 2 / n) * math.sqrt(share * (1 - share) / n + Z_95 ** 2 / (4 * n * n))
    return 100 * (centre - half), 100 * (centre + half)


def percentile(values, percent):
    values = sorted(values)
    place = (len(values) - 1) * percent / 100
    low = math.floor(place)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (place - low)


def model(name, row, own_ms, reference_score, workload):
    """own_ms: espalier's fp32, round by round."""
    runtime, _, precision = name.rpartition(" ")
    ms = row["ms"][workload]
    speeds = [ours / theirs for ours, theirs in zip(own_ms, ms)]
    entry = {
        "name": name, "runtime": runtime, "status": "done", "bytes": round(row["file_mb"] * 1e6),
        "precision": precision, "commands": [],
        "latency": {"p50_ms": statistics.median(ms), "p90_ms": percentile(ms, 90), "mean_ms": statistics.mean(ms),
                    "sd_ms": statistics.stdev(ms) if len(ms) > 1 else 0},
        "speed": {"times": statistics.median(speeds), "p10": percentile(speeds, 10), "p90": percentile(speeds, 90)},
        "energy": {"energy_source": "unavailable", "reason": "encoder.py measures no energy"},
    }
    found = row["fidelity"]
    if found:
        accuracy = found["accuracy_percent"]
        low, high = wilson(accuracy / 100, found["n"])
        entry["score"] = {"value": accuracy, "low": low, "high": high}
        entry["difference"] = {"points": accuracy - reference_score, "flips": found["flips"],
                               "flips_percent": 100 * found["flips"] / found["n"], "kl": found["kl"]}
    return entry


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--workload", default="mix32")
    arguments = parser.parse_args()
    peers = json.loads(arguments.peers.read_text())
    results = json.loads(arguments.results.read_text())
    reference = next(entry for entry in results["models"] if entry["name"] == results["reference"])
    scored = {row["fidelity"]["n"] for row in peers["rows"].values() if row["fidelity"]}
    if scored - {results["data"]["rows"]}:
        raise SystemExit(f"{arguments.peers} is scored on {scored} rows, {arguments.results} on "
                         f"{results['data']['rows']}; give encoder.py the same --data")
    own_ms = peers["rows"]["espalier fp32"]["ms"][arguments.workload]
    models = [model(name, row, own_ms, reference["score"]["value"], arguments.workload)
              for name, row in peers["rows"].items()
              if not name.startswith("espalier") and row["ms"].get(arguments.workload)]
    notes = ["Other runtimes: times of a run of their own, in which all runtimes take turns; their answers are held "
             "against PyTorch in fp32, speeds against espalier in fp32."]
    notes += [f"{name}: {row['runtime']}, {row['precision']}" for name, row in peers["rows"].items()
              if not name.startswith("espalier")]
    others = {key: results[key] for key in ("schema_version", "kind")} | {"notes": notes, "models": models}
    arguments.output.write_text(json.dumps(others, indent=1) + "\n")


if __name__ == "__main__":
    main()
