"""A product in Python: the installed package `espalier` on models of every task. Prints what main.cpp prints.

usage: by_wheel.py FOLDER, with sequence.espl, tokens.espl, masked_lm.espl and embedding.espl in it"""
import importlib
import logging
import sys
import threading
from pathlib import Path
from unittest import mock

import espalier

FOLDER = Path(sys.argv[1])
SENTENCES = ["a charming journey", "bleak and desperate"]


def code_of(work):
    try:
        work()
    except espalier.Error as error:
        assert str(error)
        return error.code
    return None


def check_errors():
    assert code_of(lambda: espalier.Model(FOLDER / "none.espl")) == espalier.Code.BAD_INPUT
    assert code_of(lambda: espalier.Model(FOLDER / "sequence.espl", device="abacus")) == espalier.Code.USAGE
    with espalier.Model(FOLDER / "sequence.espl") as model:
        assert code_of(lambda: model.embed(SENTENCES)) == espalier.Code.USAGE
        assert code_of(lambda: model.classify([])) == espalier.Code.USAGE
        assert code_of(lambda: model.classify(SENTENCES, timeout_s=0)) == espalier.Code.DEADLINE
        try:
            model.classify("one text, not a list")
        except TypeError:
            pass
        else:
            raise AssertionError("a bare text was taken for a list of its characters")
    assert code_of(lambda: model.classify(SENTENCES)) == espalier.Code.USAGE
    model.close()


def check_classify():
    with espalier.Model(str(FOLDER / "sequence.espl"), threads=1) as model:
        assert model.task == espalier.Task.CLASSIFY and model.labels == ["negative", "positive"]
        scores = model.classify(SENTENCES)
        assert [len(row) for row in scores] == [2, 2]
        pair = model.classify([tuple(SENTENCES)])
        assert list(pair[0]) != list(model.classify([" ".join(SENTENCES)])[0]), "a pair has two segments"
        rows = [[float(score) for score in row] for row in scores]

        answers = [None] * 4
        def ask(thread):
            answers[thread] = [[float(score) for score in row] for row in model.classify(SENTENCES)]
        threads = [threading.Thread(target=ask, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [rows] * 4
        return model, rows


def check_places():
    text = "\u4eca\u5929 john lives in berlin"
    with espalier.Model(FOLDER / "tokens.espl") as model:
        spans = model.tag([text, ""])
        assert len(spans) == 2 and spans[0] and not spans[1], spans
        for span in spans[0]:
            assert text[span.begin:span.end].strip() == text[span.begin:span.end] != "", span
            assert span.label == "PER" and 0 < span.score <= 1, span
        tokens = model.tokenize([text, (text, "john")])
        assert (tokens[0][0].piece, tokens[0][-1].piece) == ("[CLS]", "[SEP]")
        assert [text[token.begin:token.end] for token in tokens[0][1:3]] == ["\u4eca", "\u5929"]
        assert [token.segment for token in tokens[1]].count(1) >= 2


def check_masks():
    with espalier.Model(FOLDER / "masked_lm.espl") as model:
        filled = model.fill_mask(["the [MASK] is [MASK]", "none"], 3)
        assert [len(masks) for masks in filled] == [2, 0]
        for candidates in filled[0]:
            assert [candidate.score for candidate in candidates] == sorted((c.score for c in candidates), reverse=True)
            assert len({candidate.id for candidate in candidates}) == 3


def check_vectors():
    with espalier.Model(FOLDER / "embedding.espl") as model:
        vectors = model.embed(SENTENCES)
        assert [len(vector) for vector in vectors] == [model.hidden] * 2
        assert abs(sum(float(value) ** 2 for value in vectors[0]) - 1) < 1e-4


def check_log():
    with mock.patch.object(logging.getLogger("espalier"), "log") as log:
        with espalier.Model(FOLDER / "sequence.espl", device="reference", max_length=4) as model:
            model.classify(["the film is good and the tree grows"])
    levels = [call.args[0] for call in log.call_args_list]
    assert levels == [logging.INFO, logging.INFO, logging.WARNING], log.call_args_list


def check_arrays(rows):
    """With numpy the same numbers come as arrays. The machine need not have it: what is used of it is known."""
    class Array(list):
        def reshape(self, _, width):
            return Array(self[first:first + width] for first in range(0, len(self), width))

    numpy = mock.Mock(float32="f")
    numpy.frombuffer = lambda values, dtype: Array(memoryview(values).cast("B").cast(dtype))
    with mock.patch.object(espalier, "numpy", numpy), espalier.Model(FOLDER / "sequence.espl") as model:
        scores = model.classify(SENTENCES)
    assert type(scores) is Array and scores == rows


def main():
    assert espalier.__version__ == importlib.import_module("importlib.metadata").version("espalier")
    check_errors()
    check_places()
    check_masks()
    check_vectors()
    check_log()
    model, rows = check_classify()
    check_arrays(rows)
    for row in rows:
        best = max(range(len(row)), key=row.__getitem__)
        print(f"{model.labels[best]} {row[best]:g}")


main()
