#!/usr/bin/env bash
# Compresses a real checkpoint and shows what that costs and gains, from a fresh clone, in one command.
#   tools/demo.sh                       all-MiniLM-L6-v2, fetched; needs no LibTorch
#   tools/demo.sh DIR [EVAL_FILE]       a Hugging Face BERT checkpoint of yours, and labelled data to judge it on
#   tools/demo.sh --full                the whole story with LibTorch: fine-tunes it to tell what customers want (sentences
#                                       of ours), distils it to three layers, quantizes, and shows all four models
# Leaves the models in build/demo/. Progress goes to stderr, the result to stdout.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,7s/^# \{0,1\}//p' tools/demo.sh; }
say() { printf 'demo: %s\n' "$*" >&2; }
die() {  # die EXIT_CODE MESSAGE
  say "$2"
  exit "$1"
}
absolute() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s/%s' "$called_from" "$1" ;; esac; }

full=no
preset=lean
setup_options=(--lean --demo)
targets=(espalier_cli espalier_run)
places=()
for argument in "$@"; do
  case $argument in
    --full)
      full=yes preset=release setup_options=(--demo)
      targets+=(espalier_train_program espalier_distill_program)
      ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; die 2 "unknown option '$argument'" ;;
    *) places+=("$(absolute "$argument")") ;;
  esac
done
[[ $full == no || ${#places[@]} == 0 ]] || die 2 "--full has a checkpoint and data of its own; leave names away"
((${#places[@]} <= 2)) || die 2 "at most a checkpoint folder and a data file, got ${#places[@]} names"
checkpoint=${places[0]:-.deps/all-minilm-l6-v2}
data=${places[1]:-}
[[ ${#places[@]} == 0 || -f $checkpoint/config.json ]] ||
  die 3 "'$checkpoint' has no config.json; name a checkpoint folder in Hugging Face layout"
[[ -z $data || -f $data ]] || die 3 "there is no file '$data'; name a TSV, CSV, JSONL or CoNLL file with labels"

tools/setup.sh "${setup_options[@]}"
say "building (preset $preset)"
cmake --preset "$preset" >&2
cmake --build --preset "$preset" -j "$(nproc)" --target "${targets[@]}" >&2

out=build/demo
mkdir -p "$out"
programs=build/$preset/bin
PATH=$PWD/$programs:$PATH

# Fine-tune, distil, quantize, compare. The checkpoint knows English, so the English sentences of the data are taken.
tell_the_whole_story() {
  local part model
  for part in train dev test; do
    awk -F'\t' 'NR == 1 || $3 == "en"' "tests/data/intents/$part.tsv" >"$out/intents.$part.tsv"
  done
  say "fine-tuning $checkpoint to tell eight intents apart"
  espalier finetune "$checkpoint" --task classify --train "$out/intents.train.tsv" --eval "$out/intents.dev.tsv" \
    --freeze-embeddings --learning-rate 2e-4 --batch-size 16 --epochs 6 -o "$out/teacher" --force >&2
  say "distilling it to three layers"
  espalier distill --teacher "$out/teacher" --student-layers 3 --train "$out/intents.train.tsv" \
    --eval "$out/intents.dev.tsv" --freeze-embeddings --learning-rate 2e-4 --batch-size 16 --epochs 10 \
    -o "$out/student" --force >&2
  say "converting, quantizing, asking and timing all four"
  for model in teacher student; do
    espalier convert "$out/$model" -o "$out/$model.fp32.espl" --force >&2
    espalier quantize "$out/$model" -o "$out/$model.int8.espl" --force >&2
    for part in fp32 int8; do
      espalier evaluate "$out/$model.$part.espl" --data "$out/intents.test.tsv" \
        --compare "$out/teacher.fp32.espl" --format json >"$out/$model.$part.evaluation.json"
      espalier bench "$out/$model.$part.espl" -b 1 -s 16 -t "$(nproc)" --warmup 5 -r 50 --format json \
        >"$out/$model.$part.one.json"
    done
  done
  python3 -B tools/demo_report.py --full "$out"
}

if [[ $full == yes ]]; then
  tell_the_whole_story
  cat <<TEXT

The models are in $out, the programs in $programs. Ask one:
  $programs/espalier run $out/student.int8.espl --text "my parcel has not come yet"
TEXT
  exit 0
fi

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
