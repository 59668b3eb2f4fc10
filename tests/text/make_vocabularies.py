#!/usr/bin/env python3
"""Writes data/vocabularies.json: the vocabularies that WordPieceTrainer of the reference makes of small texts, for a
test to compare with piece by piece.

The reference breaks ties by ids, but gives the "##" characters theirs in the order of a hash table, so that two runs of
it differ. Here every character's id is fixed by naming the characters as special tokens, in our order; all that is
learnt stays its own.

usage: make_vocabularies.py            Needs: pip install tokenizers==0.23.3
       make_vocabularies.py TEXT.gz N FLAG=0|1...     the vocabulary of N pieces of a real text, on stdout
"""
import collections
import gzip
import json
import pathlib
import sys

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

DATA = pathlib.Path(__file__).parent / "data"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MAX_WORD_CHARS = 100

ENGLISH = [
    "The lower the tide, the slower the towing; the lowest tide shows the towers below.",
    "Slowly the widest river widens, and wider still the newest bridges over it are newly widened.",
    "Renewing a bridge renews the road: roads, bridged and unbridged, are showing the newest towers.",
    "Aaaa! aaaaaa, aaa; bananas, a banana, ananas & banana-bananas.",
    "Café, cafés, CAFÉ and cafe\u0301; naïve, naïveté; Ünder, ünder; straße. [MASK] [UNK] ##er 2024, 2025 and 20250.",
    "", " \t ", "x" * 100 + " " + "y" * 101 + " x\x00y\u200bz \ufffd",
]
CHINESE = [
    "今天天气很好，我们去公园散步。", "公园里的天气好极了，hello公园 hello天气！", "昨天的天气不好；ABC123公司今天很忙。",
    "日本語のひらがなとカタカナ、ひらがなは日本の文字。", "한국어 한국 한글",
]
CASES = [
    (ENGLISH, 120, dict(lowercase=True), {}),
    (ENGLISH, 400, dict(lowercase=True), dict(min_frequency=2)),
    (ENGLISH, 170, dict(lowercase=False), dict(min_frequency=1)),
    (ENGLISH, 160, dict(lowercase=True, strip_accents=False), dict(min_frequency=3)),
    (ENGLISH, 100, dict(lowercase=True), dict(min_frequency=2, limit_alphabet=18)),
    (CHINESE, 150, dict(lowercase=True), dict(min_frequency=1)),
    (CHINESE, 200, dict(lowercase=True, handle_chinese_chars=False), dict(min_frequency=2)),
]


def flags_of(flags):
    return {**dict(lowercase=True, strip_accents=None, handle_chinese_chars=True), **flags}


def count_words(lines, normalizer):
    words = collections.Counter()
    for line in lines:
        cleaned = normalizer.normalize_str(line)
        words.update(word for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(cleaned))
    # Ours leaves out what a tokenizer would not look at.
    return {word: count for word, count in words.items() if len(word) <= MAX_WORD_CHARS}


def characters(words, limit):
    counts = collections.Counter()
    for word, count in words.items():
        for char in word:
            counts[char] += count
    ranked = sorted(counts, key=lambda char: (-counts[char], char))
    if limit is not None and limit < len(ranked):
        assert counts[ranked[limit - 1]] > counts[ranked[limit]], "the reference keeps any of these: choose another limit"
    kept = sorted(ranked[:limit])
    later = {char for word in words for char in word[1:]}
    return kept + ["##" + char for char in kept if char in later]


def train(lines, n_pieces, flags, options):
    words = count_words(lines, normalizers.BertNormalizer(**flags_of(flags)))
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    # Words are given as they are, one "text" each: the lengths that are left out cannot be told to the reference.
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=n_pieces, show_progress=False,
        special_tokens=SPECIAL + characters(words, options.get("limit_alphabet")), **options)
    tokenizer.train_from_iterator(((word + " ") * count for word, count in words.items()), trainer)
    return sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)


def write_cases():
    result = []
    for lines, n_pieces, flags, options in CASES:
        flags = flags_of(flags)
        flags["strip_accents"] = flags["lowercase"] if flags["strip_accents"] is None else flags["strip_accents"]
        result.append({"lines": lines, "n_pieces": n_pieces, **flags, "min_count": options.get("min_frequency", 0),
                       "max_characters": options.get("limit_alphabet", 0),
                       "vocabulary": train(lines, n_pieces, flags, options)})
    with open(DATA / "vocabularies.json", "w") as out:
        json.dump(result, out, ensure_ascii=True, indent=0, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        write_cases()
    else:
        with gzip.open(sys.argv[1], "rt", encoding="utf-8", newline="\n") as text:
            given = {name: value == "1" for name, value in (flag.split("=") for flag in sys.argv[3:])}
            print("\n".join(train(text.read().split("\n"), int(sys.argv[2]), given, dict(min_frequency=2))))
