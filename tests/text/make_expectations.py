#!/usr/bin/env python3
"""Writes data/unicode.txt and data/golden.json: what the reference tokenizer does, for tests to compare
with. Run it again only to add cases or to follow a newer reference.

usage: make_expectations.py            Needs: pip install tokenizers==0.22.1
"""
import json
import pathlib

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

DATA = pathlib.Path(__file__).parent / "data"
SURROGATES = range(0xD800, 0xE000)
HANGUL = range(0xAC00, 0xD7A4)


def bert_normalizer(**changes):
    flags = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**flags, **changes})


CLEAN = bert_normalizer(clean_text=True)
CJK = bert_normalizer(handle_chinese_chars=True)
STRIP = bert_normalizer(strip_accents=True)
LOWER = bert_normalizer(lowercase=True)
NFD = normalizers.NFD()
WORDS = pre_tokenizers.BertPreTokenizer()


def class_letters(char):
    """d dropped, s white space, p punctuation, c Chinese, m nonspacing mark, n nonstarter."""
    framed = "a" + char + "b"
    words = [word for word, _ in WORDS.pre_tokenize_str(framed)]
    alone = NFD.normalize_str(char) == char
    letters = ""
    if CLEAN.normalize_str(framed) == "ab":
        letters += "d"
    if words == ["a", "b"]:
        letters += "s"
    if words == ["a", char, "b"]:
        letters += "p"
    if CJK.normalize_str(char) != char:
        letters += "c"
    if alone and STRIP.normalize_str(char) == "":
        letters += "m"
    # A nonstarter changes places with a mark of class 1 behind it, or of class 240 before it.
    moves = (NFD.normalize_str(char + "\u0334") != char + "\u0334"
             or NFD.normalize_str("\u0345" + char) != "\u0345" + char)
    if alone and moves:
        letters += "n"
    return letters


def hangul_parts(code_point):
    index = code_point - HANGUL.start
    parts = [0x1100 + index // 588, 0x1161 + index % 588 // 28]
    return "".join(map(chr, parts + ([0x11A7 + index % 28] if index % 28 else [])))


def write_unicode():
    classes, mappings = [], []
    for code_point in range(0x110000):
        if code_point in SURROGATES:
            continue
        char = chr(code_point)
        letters = class_letters(char)
        if letters and classes and classes[-1][1:] == [code_point - 1, letters]:
            classes[-1][1] = code_point
        elif letters:
            classes.append([code_point, code_point, letters])
        parts = NFD.normalize_str(char)
        if code_point in HANGUL:
            assert parts == hangul_parts(code_point)  # the test does this arithmetic itself
        elif parts != char:
            mappings.append(("=", char, parts))
        lower = LOWER.normalize_str(char)
        if lower != char:
            mappings.append((">", char, lower))
    with open(DATA / "unicode.txt", "w") as out:
        print("# Made by make_expectations.py with tokenizers 0.22.1: first last class letters;", file=out)
        print("# character = canonical decomposition (Hangul syllables left out); character > lower case", file=out)
        for first, last, letters in classes:
            print(f"{first:X} {last:X} {letters}", file=out)
        for sign, char, parts in mappings:
            print(f"{ord(char):X} {sign} {' '.join(f'{ord(part):X}' for part in parts)}", file=out)


PIECES = ("[PAD] [UNK] [CLS] [SEP] [MASK] a b c d e f g h i n o r s t u x z un ##a ##b ##c ##d ##e ##f "
          "##g ##h ##i ##n ##o ##r ##s ##t ##u ##x affable the able ##able aff ##aff Ünder Cafe Café cafe "
          "##é É é i̇ ##̇ İ I ss ß , . ! - ' # ## = < ` ; 中 文 豈 \uf900 ｱ か ##゙ が ᄀ ##ᅡ ##ᆨ 각 ά ς σ Σ "
          "hello Hello world 😀 𝅘 𝅥 ##𝅥 ##\u302e \u302e a\u302e ##\U0001e000 ꟛ Ƛ \u2028 \u00ad ##\x85 x\x01").split(" ")

TEXTS = [
    "", " ", "\t\n\r \u3000\u00a0", "Hello, world!", "unaffable", "the unaffable-able's #1 ##a", "qqq unq aq",
    "Café CAFÉ cafe\u0301 Cafe\u0301s", "İI ıi i\u0307", "Ünder ünder", "straße SS ß ẞ",
    "中文 hello中文hello", "豈\uf900\U0002f800", "각 한글 \u1100\u1161\u11a8", "が か\u3099 ｶﾞ", "\u2260\u226e\u1fef\u037e\u0387",
    "a\x00b\x01c\x7fd\u200be\ufeff\ufffdf", "a\u2028b\u2029c\x85d\x0be\x0cf", "\u00ad\u00ada\u00adb",
    "[CLS] a [SEP][MASK]b[PAD]", "[cls] [MASK [MASK]] [[MASK]", "a[UNK]b",
    "a" * 100, "a" * 101, "é" * 100 + " " + "é" * 101, "\u0301" * 150 + "a", "\u0301a\u0301\u0323\u0301b",
    "x\u0301\u302ea", "x\u302e\u0301a", "\u0344\u302e\u0301x", "e\u0301\u0323\U0001e000\u0327x",
    "\U0001d15e\U0001d160", "\U0001d158\U0001d165\u0301\U0001d16e", "\ua7da\ua7dc\u1c89",
    "\u0890\u08e2\U00013430 \u166d \U000111c9 \u061d \u2e43 \u2e52 \U00011938", "a\u0378b \U000e0fff \ue000c\U0010fffd",
    "😀😀 a😀b", "Σίσυφος ΣΑΣ ά Ά", "hello\u0301 HE\u0301LLO!", "=\u0338 <\u0338a", "\u1715\u1734a\u1734", "#@%^ a_b a|b a~b a`b",
    "\u24b6 \u2160 ⅷ ª º", "a\u200db\u200cc", "\u0e01\u0e33 \u0e40\u0e01", "\u0915\u094d\u0937\u093f",
]


def bert(normalizer, added=()):
    """A BERT tokenizer over PIECES."""
    vocab = {piece: index for index, piece in enumerate(PIECES)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    for token in added:
        tokenizer.add_tokens([AddedToken(**token)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])])
    return tokenizer


ADDED = [
    dict(content="[L]", lstrip=True, normalized=False),
    dict(content="[R]", rstrip=True, normalized=False),
    dict(content="[B]", lstrip=True, rstrip=True, normalized=False),
    dict(content="[W]", single_word=True, normalized=False),
    dict(content="abc", single_word=True, normalized=False),
    dict(content="abcd", normalized=False),
    dict(content="Élan", normalized=True),
    dict(content="中x", normalized=True),
    dict(content="hello", normalized=True, single_word=True),
    dict(content="t t", normalized=True, lstrip=True, rstrip=True),
    dict(content="  ", normalized=False, rstrip=True),
]
ADDED_TEXTS = [
    "a  [L]  b", "a [R] \u3000 b", "[B][B] [B]", "a [B] [L] [R] c", "a[W]b a [W] b [W]", "abc abcd abcde xabc abc_ abc\u0301",
    "abc\u24b6 abc\u200d abc-abc", "Élan élan ELAN e\u0301lan xelany", "a中x中 x中x", "hello hellos Hello, othello HELLO\u0301",
    "a  t t  b", "at tb\u0301", "     a   b  ", " [L]   [R]   ", "[L", "\u3000[L]\u00a0[R]\u00a0", "中[L]文", "t\u0301 t\x01 \u0301",
]


def cases(tokenizer, texts):
    result = []
    for text in texts:
        encoding = tokenizer.encode(text)
        result.append({"text": text, "ids": encoding.ids, "offsets": encoding.offsets})
    return result


def write_golden():
    groups = []
    configurations = [dict(lowercase=True), dict(lowercase=False), dict(lowercase=True, strip_accents=False),
                      dict(lowercase=False, strip_accents=True),
                      dict(lowercase=True, clean_text=False, handle_chinese_chars=False)]
    for flags in configurations:
        for added, texts in (((), TEXTS), (ADDED, ADDED_TEXTS + TEXTS)):
            if added and "strip_accents" in flags:
                continue
            tokenizer = bert(normalizers.BertNormalizer(**flags), added)
            groups.append({"tokenizer": json.loads(tokenizer.to_str()), "cases": cases(tokenizer, texts)})
    with open(DATA / "golden.json", "w") as out:
        json.dump(groups, out, ensure_ascii=True, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    write_unicode()
    write_golden()
