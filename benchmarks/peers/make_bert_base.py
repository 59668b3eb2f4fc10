#!/usr/bin/env python3
"""Makes a checkpoint of BERT-base's shape with seeded random weights: speed does not depend on what the weights say.

usage: make_bert_base.py TOKENIZER_FOLDER OUT_FOLDER [--seed 0]

TOKENIZER_FOLDER is any checkpoint with the vocabulary of 30522 pieces; its tokenizer files are copied. Its accuracy
means nothing. Needs the Python packages torch and transformers.
"""
import argparse
import pathlib
import shutil

import torch
from transformers import BertConfig, BertForSequenceClassification

from prepare import TOKENIZER_FILES


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizer_folder", type=pathlib.Path)
    parser.add_argument("out_folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    arguments.out_folder.mkdir(parents=True, exist_ok=True)
    # CTranslate2's converter asks for the kind of positions, which transformers 5 no longer writes by itself.
    config = BertConfig(num_labels=2, position_embedding_type="absolute")
    BertForSequenceClassification(config).eval().save_pretrained(arguments.out_folder)
    for name in TOKENIZER_FILES:
        if (arguments.tokenizer_folder / name).exists():
            shutil.copyfile(arguments.tokenizer_folder / name, arguments.out_folder / name)


if __name__ == "__main__":
    main()
