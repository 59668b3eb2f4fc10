#!/usr/bin/env bash
# The checks that take minutes to hours, each a part with a line of its own in the table at the end; one that fails does not
# stop the others. Started by tools/test.sh --long.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'TEXT'
usage: tools/test.sh --long [--lean] [OPTION]...
  --lean            leave LibTorch and the commands that train out
  --fuzz-seconds S  of each fuzz target, two at a time where there are two processors (300)
  --soak-seconds S  of the eight threads (600)
  --kills N         moments at which each command that writes is killed (200)
  --only PART,...   of: fuzz, tsan, soak, shapes, reload, kill, safetensors, valgrind, coverage
  --skip PART,...   all but these
What fuzzing has found and run so far is kept below build/asan/fuzz; tests/long/fuzz.py build/asan --summary shows it.
TEXT
}
refuse() {
  usage >&2
  printf 'test: %s\n' "$1" >&2
  exit 2
}

all_parts=fuzz,tsan,soak,shapes,reload,kill,safetensors,valgrind,coverage
preset=release
fuzz_seconds=300
soak_seconds=600
kills=200
only=$all_parts
skip=
while (($#)); do
  case $1 in
    --lean) preset=lean; shift; continue ;;
    -h | --help) usage; exit 0 ;;
    --fuzz-seconds | --soak-seconds | --kills)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || refuse "$1 takes a whole number"
      declare "$(sed 's/^--//; s/-/_/' <<<"$1")=$2" ;;
    --only) only=${2:-} ;;
    --skip) skip=${2:-} ;;
    *) refuse "unknown option '$1'" ;;
  esac
  shift 2 || refuse "an option needs a value"
done
for name in ${only//,/ } ${skip//,/ }; do
  [[ ,$all_parts, == *,$name,* ]] || refuse "there is no part '$name'"
done

jobs=$(nproc)
here=tests/long
logs=build/long
mkdir -p "$logs"
readonly skipped=77  # an exit status, as of CTest

# ---- building ---------------------------------------------------------------------------------------
configured=()
build() {  # build PRESET TARGET...
  local preset=$1
  shift
  if [[ " ${configured[*]} " != *" $preset "* ]]; then
    cmake --preset "$preset" >/dev/null || return 1
    configured+=("$preset")
  fi
  cmake --build --preset "$preset" -j "$jobs" --target "$@"
}
programs=build/$preset/bin

# ---- the parts: each prints what it does, and last a line "result: ..." for the table ----------------
targets_named() {  # targets_named PRESET REGEX: names of programs that the build of a preset knows
  cmake --preset "$1" >/dev/null && ninja -C "build/$1" -t targets all | sed -nE "s/^($2): phony$/\1/p" | sort
}

run_fuzz() {
  local targets
  mapfile -t targets < <(targets_named asan '(fuzz|replay)_[a-z_]+')
  build asan "${targets[@]}" && python3 -B "$here/fuzz.py" build/asan --seconds "$fuzz_seconds" --jobs "$jobs"
}

# What runs threads: the interface in both languages, the runtime, teams, and the soak.
run_tsan() {
  local targets log=$logs/tsan.ctest
  mapfile -t targets < <(targets_named tsan 'test_(api|abi|runtime|base_thread_team)[a-z_]*')
  build tsan "${targets[@]}" soak || return 1
  # Each after the other: with its threads, every program takes all processors.
  TSAN_OPTIONS=halt_on_error=0 ctest --preset tsan -R '^(api|abi|runtime|base_thread_team|long)' \
    -E 'abi.exported_symbols' 2>&1 | tee "$log"
  local status=${PIPESTATUS[0]}
  printf 'result: %s; %d reports\n' "$(sed -nE 's/.* tests passed, ([0-9]+) tests failed out of ([0-9]+)/\2 tests, \1 failed/p' \
    "$log")" "$(grep -c 'WARNING: ThreadSanitizer' "$log")"
  return "$status"
}

run_soak_program() {  # run_soak_program ARGUMENT...
  local log=$logs/soak.$1 status
  build "$preset" soak || return 1
  "$programs/soak" "$@" --memory | tee "$log"
  status=${PIPESTATUS[0]}
  printf 'result: %s\n' "$(sed -nE 's/^(soak|shapes|reload|memory): //p' "$log" | paste -sd ';')"
  return "$status"
}
run_soak() { run_soak_program answers --seconds "$soak_seconds"; }
run_shapes() { run_soak_program shapes --calls 1000000; }
run_reload() { run_soak_program reload --times 10000; }

run_kill() {
  local log=$logs/kill status training=()
  [[ $preset == lean ]] || training=(espalier_train_program)
  build "$preset" espalier_cli espalier_run make_tiny_checkpoint kill_at_call "${training[@]}" || return 1
  ESPALIER_KILLS=$kills ESPALIER_CLI=$PWD/$programs/espalier ESPALIER_RUN=$PWD/$programs/espalier-run \
    ESPALIER_MAKE_TINY_CHECKPOINT=$PWD/$programs/make_tiny_checkpoint \
    ESPALIER_KILL_AT_CALL_LIBRARY=$PWD/build/$preset/lib/libkill_at_call.so \
    python3 -B tests/tools/test_killed.py 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  printf 'result: %s commands killed at %s places\n' "$(grep -c 'killed: ' "$log")" \
    "$(sed -nE 's/.*killed: .* at ([0-9]+) .*/\1/p' "$log" | awk '{ sum += $1 } END { print sum + 0 }')"
  return "$status"
}

run_safetensors() {
  local environment=build/long/venv
  build "$preset" safetensors_verdict || return 1
  if ! "$environment/bin/python" -c 'import safetensors' 2>/dev/null; then
    if ! { rm -rf "$environment" && python3 -m venv "$environment" &&
      "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --only-binary=:all: \
        --require-hashes -r "$here/requirements.txt"; }; then
      echo 'result: the safetensors package cannot be fetched here'
      return "$skipped"
    fi
  fi
  "$environment/bin/python" -B tests/compress/checkpoint/differential.py "$programs/safetensors_verdict" 100000
}

run_valgrind() {
  if ! command -v valgrind >/dev/null; then
    echo 'result: there is no valgrind here; tools/setup.sh --long installs it'
    return "$skipped"
  fi
  local tests
  mapfile -t tests < <(targets_named "$preset" 'test_abi_[a-z_]+')
  build "$preset" espalier_cli make_tiny_checkpoint "${tests[@]}" || return 1
  python3 -B "$here/memcheck.py" "$programs" "${tests[@]}"
}

run_coverage() {
  if ! command -v llvm-profdata >/dev/null; then
    echo 'result: there is no llvm-profdata here; tools/setup.sh --long installs it'
    return "$skipped"
  fi
  local programs=(replay_model_file replay_safetensors test_checkpoint_safetensors safetensors_verdict)
  mapfile -O "${#programs[@]}" -t programs < <(targets_named coverage 'test_format_[a-z_]+')
  build coverage "${programs[@]}" && python3 -B "$here/coverage.py" build/coverage build/asan/fuzz "${programs[@]}"
}

# ---- one after the other ------------------------------------------------------------------------------
table=()
n_failed=0
part() {  # part NAME
  local name=$1 start=$SECONDS status verdict log=$logs/$1.log
  [[ ,$only, == *,$name,* && ,$skip, != *,$name,* ]] || return 0
  printf '\n==== %s\n' "$name"
  "run_$name" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  case $status in
    0) verdict=passed ;;
    "$skipped") verdict=skipped ;;
    *) verdict=FAILED; n_failed=$((n_failed + 1)) ;;
  esac
  table+=("$(printf '%-12s %-8s %6d s  %s' "$name" "$verdict" "$((SECONDS - start))" \
    "$(sed -n 's/^result: //p' "$log" | tail -n 1)")")
}
for name in ${all_parts//,/ }; do part "$name"; done

printf '\n==== long tests\n'
printf '%s\n' "${table[@]}"
printf '%d parts, %d failed\n' "${#table[@]}" "$n_failed"
((n_failed == 0 && ${#table[@]} > 0))
