#!/usr/bin/env bash
# Sets up what is missing, builds everything and runs every test.
#   tools/test.sh [--lean] [arguments of ctest, such as -R tokenizer]
#   tools/test.sh --long [--lean] [options; --help lists them]
# --lean leaves LibTorch and what needs it out. --long runs instead what takes hours: fuzzing, ThreadSanitizer, soaks,
# kill -9 at hundreds of moments, safetensors verdicts beside those of their package, valgrind, coverage of the loaders.
# Tests that measure on real checkpoints and data sets take their folder from ESPALIER_DATA and report themselves
# skipped without it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ${1:-} == --long ]]; then
  shift
  if [[ " $* " != *" --help "* && " $* " != *" -h "* ]]; then
    if [[ " $* " == *" --lean "* ]]; then tools/setup.sh --lean --long; else tools/setup.sh --long; fi
  fi
  exec tests/long/run.sh "$@"
fi
preset=release
setup_options=()
if [[ ${1:-} == --lean ]]; then
  preset=lean
  setup_options=(--lean)
  shift
fi
jobs=$(nproc)

tools/setup.sh "${setup_options[@]}"
# A warning stops CI, but not a user whose compiler knows more warnings than ours.
cmake --preset "$preset" ${CI:+-DESPALIER_WERROR=ON}
cmake --build --preset "$preset" -j "$jobs"
ctest --preset "$preset" -j "$jobs" "$@"
