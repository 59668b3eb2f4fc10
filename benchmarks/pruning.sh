#!/bin/sh
# What pruning costs and gains: the calls behind the table "What pruning reaches" in benchmarks/README.md.
#
#   benchmarks/pruning.sh OUT ROW...
#   rows: untrained (all methods that do not train), recover-2 recover-4 recover-8 recover-16, layers, embedding, vocab,
#         speedup, chain, ner-2 ner-5, measure, table
#
# DATA     folder with sst2/ ner/ text/ (what ESPALIER_DATA names, and below it data/)
# START    a model fine-tuned on SST-2
# TAGGER   one fine-tuned on CoNLL-2003, as the row conll of training.sh makes it; for ner-2 and ner-5
# THREADS  of each run; two runs of one thread each get more done on two cores than one run of two
# OPTIONS  of every run besides its own, such as --bf16
#
# Each finished run is a folder of OUT with training.json; called again, finished ones are left and broken ones go on.
# `measure` sets every finished model beside the whole one, `table` prints what that gave as Markdown.
set -eu
here=$(dirname "$0")
out=$1
shift
: "${DATA:?folder of the data}" "${START:?a model fine-tuned on SST-2}" "${THREADS:=2}"
mkdir -p "$out"

. "$here/run_once.sh"

sst2="--train $DATA/sst2/train.tsv --eval $DATA/sst2/dev.tsv"
conll="--train $DATA/ner/conll2003/eng.train --eval $DATA/ner/conll2003/eng.testa"
learn="--learning-rate 2e-4 --freeze-embeddings"

row_untrained() {
  for cut in fisher-1.5 fisher-2 kprune-3 kprune-4 taylor-2 magnitude-2 random-2; do
    run "$cut" prune "$START" --method "${cut%-*}" --target-flops "${cut#*-}" $sst2
  done
}

row_recover_2() {
  run recover-2 prune "$START" --method fisher --target-flops 2 --recover-epochs 3 $sst2 $learn
}

row_recover_4() {
  run recover-4 prune "$START" --method kprune --target-flops 4 --recover-epochs 3 $sst2 $learn
}

# The cut before training and the one during it.
row_recover_8() {
  run recover-8 prune "$START" --method kprune --target-flops 8 --recover-epochs 3 $sst2 $learn
  run gradual-8 prune "$START" --method gradual --target-flops 8 --recover-epochs 3 $sst2 $learn
}

row_recover_16() {
  run gradual-16 prune "$START" --method gradual --target-flops 16 --recover-epochs 3 $sst2 $learn
}

row_layers() {
  run layers-3 prune "$START" --method layers --keep-layers 3 --recover-epochs 3 $sst2 $learn
}

row_embedding() {
  run embedding-128 prune "$START" --method embedding --rank 128 --recover-epochs 1 --learning-rate 1e-4 $sst2
}

row_vocab() {
  run vocab prune "$START" --method vocab --corpus "$DATA/sst2/train.tsv" --check-text "$DATA/text/books_en.txt.gz" $sst2
}

row_speedup() {
  run speedup-2 prune "$START" --method fisher --target-speedup 2 $sst2
}

# prune, finetune, prune, distill, quantize: to the multiply-adds of recover-4, with as many epochs.
row_chain() {
  run chain-a prune "$START" --method fisher --target-flops 2 $sst2
  run chain-b finetune "$out/chain-a" --task classify --epochs 1 $sst2 $learn
  run chain-c prune "$out/chain-b" --method kprune --target-flops 2 $sst2
  run chain distill --teacher "$START" --student "$out/chain-c" --preset hidden --epochs 2 $sst2 $learn
  espalier quantize "$out/chain" -o "$out/chain/model.espl" --force
}

row_ner_2() {
  : "${TAGGER:?a model fine-tuned on CoNLL-2003}"
  run ner-2 prune "$TAGGER" --method fisher --target-flops 2 --recover-epochs 4 --learning-rate 2e-4 --freeze-embeddings $conll
}

row_ner_5() {
  : "${TAGGER:?a model fine-tuned on CoNLL-2003}"
  run ner-5 prune "$TAGGER" --method kprune --target-flops 5 --recover-epochs 4 --learning-rate 2e-4 --freeze-embeddings $conll
}

# Of every model here, beside the whole one: scores and answers in fp32 on the development set, answers in int8 on text of
# another domain (every fifteenth line of the books, no labels), time in int8 on sentences of 5 to 64 tokens.
row_measure() {
  { echo sentence; gzip -dc "$DATA/text/books_en.txt.gz" | awk 'length($0) > 40 && ++n % 15 == 0 && m++ < 1000' | tr '\t' ' '; } \
    > "$out/books.tsv"
  for card in "$out"/*/training.json; do
    folder=$(dirname "$card")
    case $card in
      */chain-?/*|*/vocab/*) continue ;;
      */ner-*) whole=${TAGGER:?a model fine-tuned on CoNLL-2003} dev=$DATA/ner/conll2003/eng.testa ;;
      *) whole=$START dev=$DATA/sst2/dev.tsv ;;
    esac
    dense=$out/whole-$(basename "$whole").espl
    if [ ! -f "$dense" ]; then
      espalier quantize "$whole" -o "$dense"
    fi
    if [ ! -f "$folder/dev.json" ]; then
      espalier compare "$whole" "$folder" --data "$dev" --format json -r 1 -t "$THREADS" > "$folder/dev.json"
      espalier compare "$dense" "$folder/model.espl" --data "$out/books.tsv" --format json -r 1 -t "$THREADS" > "$folder/books.json"
    fi
    espalier compare "$dense" "$folder/model.espl" --format json -r 40 -t "$THREADS" > "$folder/mix32.json"
  done
}

row_table() {
  python3 "$here/pruning_table.py" "$out"
}

for row in "$@"; do
  "row_$(echo "$row" | tr - _)"
done
