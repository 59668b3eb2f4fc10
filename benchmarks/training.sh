#!/bin/sh
# What training reaches: the calls behind the table "What training reaches" in benchmarks/README.md.
#
#   benchmarks/training.sh OUT ROW...      rows: sst2 conll stsb mrpc chinese chinese-read student few-labels masked-lm
#
# DATA     folder with sst2/ mrpc/ stsb/ ner/ chinese/ text/ vocab/ (what ESPALIER_DATA names, and below it data/)
# MINILM   all-MiniLM-L6-v2, as `tools/setup.sh --demo` fetches it
# TEACHER  a MiniLM fine-tuned on SST-2
# THREADS  of each run; two runs of one thread each get more done on two cores than one run of two
# SEEDS    for the rows that are means: "1 2 3"
# OPTIONS  of every run besides its own, such as --bf16
#
# Each finished run is a folder of OUT with training.json; called again, finished ones are left and broken ones go on.
set -eu
out=$1
shift
: "${DATA:?folder of the data}" "${MINILM:=.deps/all-minilm-l6-v2}" "${THREADS:=2}" "${SEEDS:=1 2 3}"
mkdir -p "$out"

. "$(dirname "$0")/run_once.sh"

sst2="--task classify --train $DATA/sst2/train.tsv --eval $DATA/sst2/dev.tsv"

row_sst2() {
  run sst2 finetune "$MINILM" $sst2 --epochs 3 --learning-rate 1e-4 --freeze-embeddings
}

row_conll() {
  run conll finetune "$MINILM" --task tag --train "$DATA/ner/conll2003/eng.train" --eval "$DATA/ner/conll2003/eng.testa" \
    --epochs 4 --learning-rate 2e-4 --freeze-embeddings
}

row_stsb() {
  run stsb finetune "$MINILM" --task regress --train "$DATA/stsb/train.tsv" --eval "$DATA/stsb/dev.tsv" \
    --text-column sentence1 --pair-column sentence2 --epochs 5 --batch-size 16 --learning-rate 1e-4 --freeze-embeddings
}

row_mrpc() {
  run mrpc finetune "$MINILM" --task pair --train "$DATA/mrpc/train.tsv" --eval "$DATA/mrpc/dev.tsv" \
    --text-column '#1 String' --pair-column '#2 String' --label-column Quality --epochs 5 --batch-size 16 \
    --learning-rate 1e-4 --freeze-embeddings
}

# From scratch, and after a masked LM has read the reviews, an encyclopedia and web pages three times.
row_chinese() {
  chinese_start
  run chinese finetune "$out/chinese-start" $reviews --epochs 8 --learning-rate 3e-4
}

row_chinese_read() {
  chinese_start
  awk -F '\t' 'NR > 1 { print $2 }' "$DATA/chinese/chnsenticorp/train.tsv" > "$out/reviews.txt"
  run chinese-masked-lm pretrain --start "$out/chinese-start" --train "$out/reviews.txt" --train "$DATA/text/wiki_zh_paragraphs.txt.gz" \
    --train "$DATA/text/cluecorpus_sampled_zh.txt.gz" --epochs 3 --learning-rate 1e-3 --dropout 0
  run chinese-read finetune "$out/chinese-masked-lm" $reviews --epochs 4 --learning-rate 3e-4
}

chinese_start() {
  reviews="--task classify --train $DATA/chinese/chnsenticorp/train.tsv --eval $DATA/chinese/chnsenticorp/dev_clean.tsv --max-length 200"
  if [ ! -d "$out/chinese-start" ]; then
    espalier new --vocab "$DATA/vocab/bert-base-chinese.txt" --layers 4 --hidden 256 --heads 8 -o "$out/chinese-start"
  fi
}

# A student of half the teacher's layers, once with its answers and once on the labels alone.
row_student() {
  for seed in $SEEDS; do
    run "student-$seed" distill --teacher "$TEACHER" --student-layers 3 --train "$DATA/sst2/train.tsv" --eval "$DATA/sst2/dev.tsv" \
      --epochs 3 --learning-rate 1e-4 --freeze-embeddings --seed "$seed" --cache "$out/answers"
  done
}

# 2,000 labels and the rest of the training text without any: what the teacher is for.
row_few_labels() {
  if [ ! -f "$out/few.tsv" ]; then
    awk -v few="$out/few.tsv" -v rest="$out/rest.txt" -F '\t' '
      NR == 1 { print > few; next }
      (NR * 7919) % 67349 < 2000 { print > few; next }
      { print $1 > rest }' "$DATA/sst2/train.tsv"
  fi
  run few-labels-alone distill --teacher "$TEACHER" --student-layers 3 --without-teacher --train "$out/few.tsv" \
    --eval "$DATA/sst2/dev.tsv" --epochs 10 --learning-rate 1e-4 --freeze-embeddings
  run few-labels distill --teacher "$TEACHER" --student-layers 3 --train "$out/few.tsv" --unlabelled "$out/rest.txt" \
    --eval "$DATA/sst2/dev.tsv" --epochs 3 --learning-rate 1e-4 --freeze-embeddings --cache "$out/answers"
  for name in few-labels-alone few-labels; do
    espalier convert "$out/$name" -o "$out/$name.espl" --force
  done
  espalier evaluate "$out/few-labels.espl" --data "$DATA/sst2/dev.tsv" --compare "$out/few-labels-alone.espl"
}

# A small net that has read books first, beside the same net with random weights; word pieces are learnt from the books.
row_masked_lm() {
  run masked-lm pretrain --train "$DATA/text/books_en.txt.gz" --vocab-size 8000 --layers 2 --hidden 128 --heads 2 --epochs 10 \
    --batch-size 16 --max-length 64 --dropout 0 --learning-rate 1e-3
  if [ ! -d "$out/random" ]; then
    espalier new --vocab "$out/masked-lm/vocab.txt" --layers 2 --hidden 128 --heads 2 -o "$out/random"
  fi
  for seed in $SEEDS; do
    for start in random masked-lm; do
      run "from-$start-$seed" finetune "$out/$start" $sst2 --epochs 2 --learning-rate 5e-4 --seed "$seed"
    done
  done
}

for row in "$@"; do
  "row_$(echo "$row" | tr - _)"
done
