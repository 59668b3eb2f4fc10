"""Holds the intents data set to what its README.md promises: form, counts, split, and no near-duplicates.

No check of the labels themselves: only a reader can tell whether a sentence asks for what its label says."""
import re
import unicodedata
import unittest
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
HEADER = "text\tlabel\tlanguage"
SPLITS = {"train": 0.70, "dev": 0.15, "test": 0.15}  # share of the rows of each intent and language
SHARE_TOLERANCE = 0.02  # one row of the smallest cell allowed, 1/60, is 0.017
MIN_ROWS = 1200
MIN_ROWS_PER_CELL = 60  # a cell is one intent in one language
N_INTENTS = 8
WORDS_EN = range(3, 36)
CHARACTERS_ZH = range(4, 61)
# Two sentences on one topic reach 0.43 here; a changed name, number or greeting leaves well over 0.5.
NEAR_DUPLICATE = 0.5
HAN = re.compile(r"[\u4e00-\u9fff]")


class Row(NamedTuple):
    text: str
    label: str
    language: str


def rows_of(content):
    """The rows of a split's bytes. Raises ValueError with the line where the form is not the one promised."""
    text = content.decode("utf-8")  # UnicodeDecodeError is a ValueError and names the byte
    if not text.endswith("\n"):
        raise ValueError("the last line has no newline")
    header, *lines = text[:-1].split("\n")
    if header != HEADER:
        raise ValueError(f"line 1: the header is {header!r}, not {HEADER!r}")
    rows = []
    for number, line in enumerate(lines, start=2):
        fields = line.split("\t")
        if len(fields) != 3:
            raise ValueError(f"line {number}: expected 3 fields, got {len(fields)}")
        if not all(character.isprintable() for field in fields for character in field):
            raise ValueError(f"line {number}: a control or other unprintable character")
        if '"' in line:
            raise ValueError(f"line {number}: a quotation mark, which readers of quoted fields would take for theirs")
        rows.append(Row(*fields))
    return rows


def problem_of(row):
    """What is wrong with a row by itself, or None."""
    if row.text != unicodedata.normalize("NFC", row.text).strip():
        return "not NFC, or with space around it"
    if row.language != ("zh" if HAN.search(row.text) else "en"):
        return f"language {row.language!r} is not that of the text"
    if row.language == "en" and len(row.text.split()) not in WORDS_EN:
        return f"{len(row.text.split())} words"
    if row.language == "zh" and len(row.text) not in CHARACTERS_ZH:
        return f"{len(row.text)} characters"
    return None


def trigrams(text):
    """The character trigrams of the letters and digits of `text`, case and width folded; the whole if it is shorter."""
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
    return {letters[start:start + 3] for start in range(max(1, len(letters) - 2))}


def near_duplicates(texts, threshold):
    """(Jaccard similarity of the trigrams, text, earlier text) for each pair that reaches `threshold`, which is > 0."""
    found = []
    sets = [trigrams(text) for text in texts]
    holders = defaultdict(list)  # trigram -> the earlier texts that have it: pairs that share none are never met
    for later, grams in enumerate(sets):
        shared = Counter(earlier for gram in grams for earlier in holders[gram])
        for earlier, n_shared in shared.items():
            similarity = n_shared / (len(grams) + len(sets[earlier]) - n_shared)
            if similarity >= threshold:
                found.append((similarity, texts[later], texts[earlier]))
        for gram in grams:
            holders[gram].append(later)
    return found


def table(splits):
    """The README's table of counts, a line for each intent and language, for {split: rows}."""
    counts = {split: Counter((row.label, row.language) for row in rows) for split, rows in splits.items()}
    lines = []
    for cell in sorted(set().union(*counts.values())):
        numbers = [counts[split][cell] for split in SPLITS]
        lines.append("| " + " | ".join([*cell, *map(str, numbers), str(sum(numbers))]) + " |")
    return lines


class Intents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.splits = {split: rows_of((FOLDER / f"{split}.tsv").read_bytes()) for split in SPLITS}
        cls.rows = [row for rows in cls.splits.values() for row in rows]

    def test_every_row_is_well_formed(self):
        problems = [f"{split}.tsv:{number}: {problem_of(row)}: {row.text}" for split, rows in self.splits.items()
                    for number, row in enumerate(rows, start=2) if problem_of(row)]
        self.assertEqual(problems, [], "\n" + "\n".join(problems))

    def test_there_are_enough_rows_of_each_intent_in_each_language(self):
        cells = Counter((row.label, row.language) for row in self.rows)
        self.assertGreaterEqual(len(self.rows), MIN_ROWS)
        self.assertEqual(len(cells), 2 * N_INTENTS)
        self.assertGreaterEqual(min(cells.values()), MIN_ROWS_PER_CELL, cells)

    def test_each_intent_and_language_is_split_alike(self):
        cells = Counter((row.label, row.language) for row in self.rows)
        for split, share in SPLITS.items():
            counts = Counter((row.label, row.language) for row in self.splits[split])
            for cell, n_rows in cells.items():
                with self.subTest(split=split, cell=cell):
                    self.assertAlmostEqual(counts[cell] / n_rows, share, delta=SHARE_TOLERANCE)

    def test_no_two_rows_are_near_duplicates(self):
        found = near_duplicates([row.text for row in self.rows], NEAR_DUPLICATE)
        self.assertEqual(found, [])

    def test_the_readme_gives_these_counts(self):
        readme = (FOLDER / "README.md").read_text(encoding="utf-8")
        promised = [line for line in readme.splitlines() if re.match(r"\| \w+ \| (en|zh) \|", line)]
        self.assertEqual(promised, table(self.splits))


class TheChecksBite(unittest.TestCase):
    def test_a_broken_form_is_refused(self):
        good = f"{HEADER}\nWhere is it?\ttrack_order\ten\n".encode()
        self.assertEqual(rows_of(good), [Row("Where is it?", "track_order", "en")])
        for bad in (good[:-1], good.replace(b"label", b"intent", 1), good.replace(b"\n", b"\r\n"),
                    good.replace(b"is", b"\xff"), good.replace(b"is", b"\t"), good.replace(b"is", b'"is"'),
                    good.replace(b"is", b"\x00"), b"\xef\xbb\xbf" + good):
            with self.subTest(bad=bad), self.assertRaises(ValueError):
                rows_of(bad)

    def test_a_bad_row_is_seen(self):
        self.assertIsNone(problem_of(Row("Where is it?", "track_order", "en")))
        for bad in (Row("Where is it? ", "x", "en"), Row("Where is it?", "x", "zh"), Row("我要退款。", "x", "en"),
                    Row("Where?", "x", "en"), Row("so " * 35 + "late", "x", "en"), Row("很" * 61, "x", "zh"),
                    Row("the cafe\u0301 lamp", "x", "en")):
            with self.subTest(bad=bad):
                self.assertIsNotNone(problem_of(bad))

    def test_near_duplicates_are_seen_and_others_are_not(self):
        pairs = (("Where is my order 48213?", "where is my order 77120"), ("Ｉ want a refund!", "I want a refund"),
                 ("我的快递到哪儿了？", "请问我的快递到哪儿了"), ("好的", "好的"))
        for pair in pairs:
            with self.subTest(pair=pair):
                self.assertEqual(len(near_duplicates(pair, NEAR_DUPLICATE)), 1)
        self.assertEqual(near_duplicates(("Where is my order?", "Where do I return it?"), NEAR_DUPLICATE), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
