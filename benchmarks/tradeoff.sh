#!/bin/sh
# A trade-off: espalier's candidates of one checkpoint, and the same checkpoint in other runtimes.
#
#   benchmarks/tradeoff.sh CHECKPOINT OUT [--quick]
#
# TRAIN    labelled rows to learn from (not with --quick)
# EVAL     labelled rows to score by: a header line, sentence and label between tabs
# BIN      folder of the programs espalier and bench_ids; else build/release/bin
# PYTHON   an interpreter with the packages that peers/encoder.py names; empty: no other runtimes
# THREADS  of every runtime
#
# Writes OUT/results.json, report.html and the model files, OUT/all.html with the other runtimes beside, and the table
# OUT/table.md. Called again, what is trained and scored is taken from OUT. Minutes with --quick, hours with
# training.
set -eu
checkpoint=$1
out=$2
shift 2
: "${EVAL:?labelled rows to score by}" "${BIN:=build/release/bin}" "${PYTHON:=}" "${THREADS:=2}" "${TRAIN:=}"
peers=$(dirname "$0")/peers

"$BIN/espalier" tradeoff "$checkpoint" --eval "$EVAL" ${TRAIN:+--train "$TRAIN"} --threads "$THREADS" -o "$out" "$@"

others=
if [ -n "$PYTHON" ]; then
  "$PYTHON" "$peers/encoder.py" "$checkpoint" "$out/int8.espl" "$out/fp32.espl" --espalier "$BIN/bench_ids" \
    --threads "$THREADS" --workloads mix32 --data "$EVAL" ${TRAIN:+--calibration "$TRAIN"} --json "$out/peers.json"
  "$PYTHON" "$peers/as_results.py" "$out/peers.json" "$out/results.json" -o "$out/others.json"
  others=$out/others.json
fi
"$BIN/espalier" report "$out" ${others:+"$others"} -o "$out/all.html" --force
"$BIN/espalier" report "$out" ${others:+"$others"} -o "$out/table.md" --force
