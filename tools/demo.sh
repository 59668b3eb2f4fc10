#!/usr/bin/env bash
# Compresses a real checkpoint and shows what that costs and gains, from a fresh clone, in one command.
#   tools/demo.sh                       all-MiniLM-L6-v2, fetched; needs no LibTorch
#   tools/demo.sh DIR [EVAL_FILE]       a Hugging Face BERT checkpoint of yours, and labelled data to judge it on
#   tools/demo.sh --full ...            the same with the programs built by preset `release`
# Leaves the models in build/demo/. Progress goes to stderr, the result to stdout.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,6s/^# \{0,1\}//p' tools/demo.sh; }
say() { printf 'demo: %s\n' "$*" >&2; }
die() {  # die EXIT_CODE MESSAGE
  say "$2"
  exit "$1"
}
absolute() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s/%s' "$called_from" "$1" ;; esac; }

preset=lean
setup_options=(--lean --demo)
places=()
for argument in "$@"; do
  case $argument in
    --full) preset=release setup_options=(--demo) ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; die 2 "unknown option '$argument'" ;;
    *) places+=("$(absolute "$argument")") ;;
  esac
done
((${#places[@]} <= 2)) || die 2 "at most a checkpoint folder and a data file, got ${#places[@]} names"
checkpoint=${places[0]:-.deps/all-minilm-l6-v2}
data=${places[1]:-}
[[ ${#places[@]} == 0 || -f $checkpoint/config.json ]] ||
  die 3 "'$checkpoint' has no config.json; name a checkpoint folder in Hugging Face layout"
[[ -z $data || -f $data ]] || die 3 "there is no file '$data'; name a TSV, CSV, JSONL or CoNLL file with labels"

tools/setup.sh "${setup_options[@]}"
say "building (preset $preset)"
cmake --preset "$preset" >&2
cmake --build --preset "$preset" -j "$(nproc)" --target espalier_cli espalier_run >&2

out=build/demo
mkdir -p "$out"
programs=build/$preset/bin
PATH=$PWD/$programs:$PATH

# Twelve sentences of ours, four subjects: a good embedding puts each beside its kin.
cat >"$out/sentences.txt" <<'TEXT'
The orchard needs pruning before the first frost.
Cut the fruit trees back while they are dormant.
A ladder and sharp shears are all the gardener needs.
The last train to the coast leaves at nine.
We missed our connection and waited on the platform.
Tickets for the night ferry are sold out.
Her new novel was praised for its quiet humour.
The critics admired how funny and gentle the book is.
I gave up on the story after fifty dull pages.
The patient was told to rest and drink plenty of water.
Doctors advise sleep and fluids for a mild fever.
The clinic opens early on weekdays.
TEXT

say "compressing $checkpoint"
espalier convert "$checkpoint" -o "$out/fp32.espl" --force >&2
espalier quantize "$checkpoint" -o "$out/int8.espl" --force >&2

say "asking and timing both models"
# Thirty-two sentences as a service sees them: most are short, a few are long; 1,000 tokens in all.
mixed=6,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,28,30,32,35,38,42,47,54,64,80,96,125
for precision in fp32 int8; do
  model=$out/$precision.espl
  espalier run "$model" --input "$out/sentences.txt" --logits --format jsonl >"$out/$precision.answers.jsonl"
  espalier bench "$model" -b 1 -s 16 -t "$(nproc)" --warmup 5 -r 50 --format json >"$out/$precision.one.json"
  espalier bench "$model" --lengths "$mixed" -t "$(nproc)" --warmup 3 -r 20 --format json \
    >"$out/$precision.mixed.json"
  rm -f "$out/$precision.evaluation.json"
  if [[ -n $data ]]; then
    espalier evaluate "$model" --data "$data" --compare "$out/fp32.espl" --format json \
      >"$out/$precision.evaluation.json"
  fi
done

python3 -B tools/demo_report.py "$out"
cat <<TEXT

The programs are in $programs. For a checkpoint folder of your own:
  export PATH="$PWD/$programs:\$PATH"
  espalier quantize my-bert/ -o my-bert.espl
  espalier evaluate my-bert.espl --data my-test.tsv --format json
  espalier run my-bert.espl --text "the text you care about"
TEXT
