"""Runs compressed BERT models from one .espl file: ctypes over the libespalier that this package carries.

    with espalier.Model("sentiment.espl") as model:
        scores = model.classify(["a charming journey", ("a question", "its answer")])

Answers of fixed size are float32 arrays where numpy is installed, else lists of lists of floats. A text is a str; a pair
that the model reads together is a tuple of two. What the library has to say (which back end and kernels compute and why,
that texts were cut) goes to logging.getLogger("espalier")."""
import ctypes
import enum
import logging
import os
import threading
from ctypes import POINTER, byref, c_char, c_char_p, c_float, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import NamedTuple

try:
    import numpy
except ImportError:
    numpy = None

__all__ = ["Candidate", "Code", "Error", "Model", "Span", "Task", "Token"]


class Code(enum.IntEnum):
    """What kind of failure an Error is; the statuses of espalier.h."""

    FAILED = 1
    USAGE = 2
    BAD_INPUT = 3
    UNAVAILABLE = 6
    VERIFICATION = 7
    RESOURCE = 8
    CANCELLED = 9
    DEADLINE = 10


class Error(RuntimeError):
    """What the library refused or could not do: one line that says what, where and what to do, and its `code`."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = Code(code)


class Task(enum.IntEnum):
    """What a model answers, and the call that asks it."""

    CLASSIFY = 0  # classify: one label; scores are a softmax
    MULTI_LABEL = 1  # classify: every label on its own; scores are sigmoids
    REGRESS = 2  # classify: one number
    TAG = 3
    EMBED = 4
    FILL_MASK = 5


class Span(NamedTuple):
    """A labelled part of a text: text[begin:end]."""

    label: str
    begin: int
    end: int
    score: float


class Token(NamedTuple):
    """A token that the model reads. Of special tokens begin and end are 0; segment 1 is the second text of a pair."""

    id: int
    piece: str
    segment: int
    begin: int
    end: int


class Candidate(NamedTuple):
    """A piece that may stand for a [MASK], with its probability."""

    piece: str
    id: int
    score: float


class _ErrorInfo(ctypes.Structure):
    _fields_ = [("code", c_int32), ("message", c_char * 496)]


class _Text(ctypes.Structure):
    _fields_ = [("first", c_char_p), ("first_bytes", c_size_t), ("second", c_char_p), ("second_bytes", c_size_t)]


class _ModelInfo(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("task", c_int32), ("precision", c_int32), ("n_answers", c_uint32),
                ("hidden", c_uint32), ("n_layers", c_uint32), ("vocabulary_size", c_uint32), ("max_length", c_uint32),
                ("n_labels", c_uint32), ("labels", POINTER(c_char_p)), ("n_parameters", c_uint64),
                ("file_bytes", c_uint64), ("checksum", c_uint64)]


_Log = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)


class _SessionOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("device", c_char_p), ("n_threads", c_uint32), ("max_length", c_uint32),
                ("log", _Log), ("log_user", c_void_p)]


class _SessionInfo(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("device", c_char_p), ("code_path", c_char_p), ("n_threads", c_uint32),
                ("max_length", c_uint32)]


class _CallOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("cancel", POINTER(c_int32)), ("deadline_ms", c_uint64),
                ("replace_invalid_utf8", c_uint32), ("reserved", c_uint32)]


class _TokenizeOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("max_length", c_uint32), ("replace_invalid_utf8", c_uint32)]


class _Span(ctypes.Structure):
    _fields_ = [("label", c_char_p), ("begin", c_size_t), ("end", c_size_t), ("score", c_float)]


class _Token(ctypes.Structure):
    _fields_ = [("id", c_int32), ("segment", c_uint32), ("begin", c_size_t), ("end", c_size_t), ("piece", c_char_p)]


class _Candidate(ctypes.Structure):
    _fields_ = [("mask", c_uint32), ("id", c_int32), ("piece", c_char_p), ("score", c_float)]


def _load():
    library = ctypes.CDLL(str(Path(__file__).resolve().parent / "lib" / "libespalier.so.1"))
    library.espalier_version.restype = c_char_p
    library.espalier_now_ms.restype = c_uint64
    for name in ("model", "session", "result"):
        getattr(library, f"espalier_{name}_free").argtypes = [c_void_p]
    return library


_library = _load()
__version__ = _library.espalier_version().decode()
_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())  # a library is silent until its user asks


@_Log
def _tell(_user, level, message):
    _logger.log(logging.WARNING if level == 2 else logging.INFO, "%s", message.decode())


def _call(name, *arguments):
    error = _ErrorInfo()
    if getattr(_library, f"espalier_{name}")(*arguments, byref(error)) != 0:
        raise Error(error.code, error.message.decode())


def _sized(struct, **fields):
    return struct(struct_size=ctypes.sizeof(struct), **fields)


def _encoded(texts):
    """(first, second) of each text in UTF-8; second is None where there is none."""
    if isinstance(texts, (str, bytes)):
        raise TypeError("texts is one text; give a list of them")
    pairs = [(text, None) if isinstance(text, str) else tuple(text) for text in texts]
    return [(first.encode(), None if second is None else second.encode()) for first, second in pairs]


def _inputs(encoded):
    texts = [_Text(first, len(first), second, 0 if second is None else len(second)) for first, second in encoded]
    return (_Text * len(texts))(*texts), c_size_t(len(texts))


def _character(encoded, n_bytes):
    return len(encoded[:n_bytes].decode())


def _rows(values, width):
    """values: ctypes floats (rows * width). (rows, width) as an array that keeps them alive, or as lists."""
    if numpy is not None:
        return numpy.frombuffer(values, dtype=numpy.float32).reshape(-1, width)
    return [values[first:first + width] for first in range(0, len(values), width)]


class _Result:
    """A result of the library, freed at the end of a with block."""

    def __init__(self):
        self.handle = c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _library.espalier_result_free(self.handle)

    def items(self, name, kind, text):
        first, size = POINTER(kind)(), c_size_t()
        _call(f"result_{name}", self.handle, c_size_t(text), byref(first), byref(size))
        return [first[index] for index in range(size.value)]


class Model:
    """An open model and the one session that answers its calls.

    device: "auto", "cpu" or "reference". threads: that compute, 0 is one for each processor; answers do not depend on it.
    max_length: longest text or pair in tokens, longer ones are cut; 0 is the model's own.
    Any thread may call; calls of one Model wait for each other, so give each thread its own for more than one at a time.
    timeout_s of a call: it raises Error with Code.DEADLINE once it computes for longer. Everything raises Error."""

    def __init__(self, path, *, device="auto", threads=0, max_length=0):
        self._model, self._session = c_void_p(), c_void_p()
        self._lock = threading.Lock()
        _call("model_open", os.fsencode(path), None, byref(self._model))
        try:
            info = _sized(_ModelInfo)
            _call("model_get_info", self._model, byref(info))
            options = _sized(_SessionOptions, device=device.encode(), n_threads=threads, max_length=max_length, log=_tell)
            _call("session_open", self._model, byref(options), byref(self._session))
            session = _sized(_SessionInfo)
            _call("session_get_info", self._session, byref(session))
        except BaseException:
            self.close()
            raise
        self.task = Task(info.task)
        self.labels = [info.labels[label].decode() for label in range(info.n_labels)]
        self.hidden = info.hidden
        self.n_layers = info.n_layers
        self.vocabulary_size = info.vocabulary_size
        self.max_length = session.max_length
        self.device = session.device.decode()
        self._n_answers = info.n_answers

    def close(self):
        """Frees the model; calls after it raise Error with Code.USAGE. May be called again."""
        with self._lock:
            _library.espalier_session_free(self._session)
            _library.espalier_model_free(self._model)
            self._session, self._model = c_void_p(), c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if hasattr(self, "_lock"):
            self.close()

    def classify(self, texts, *, timeout_s=None):
        """Scores of every label, (texts, labels); of a regression (texts, 1). Takes pairs."""
        return self._fixed("classify", texts, timeout_s)

    def embed(self, texts, *, timeout_s=None):
        """A vector for every text, (texts, hidden); of unit length where the model says so. Takes pairs."""
        return self._fixed("embed", texts, timeout_s)

    def tag(self, texts, *, timeout_s=None):
        """The labelled parts of every text: lists of Span. Nothing is cut: longer texts are read in windows."""
        encoded = _encoded(texts)
        with self._lock, _Result() as result:
            _call("tag", self._session, *_inputs(encoded), byref(self._options(timeout_s)), byref(result.handle))
            return [[Span(span.label.decode(), _character(first, span.begin), _character(first, span.end), span.score)
                     for span in result.items("spans", _Span, text)] for text, (first, _) in enumerate(encoded)]

    def fill_mask(self, texts, n_candidates=5, *, timeout_s=None):
        """The likeliest pieces for every [MASK] of every text, best first: lists of lists of Candidate."""
        encoded = _encoded(texts)
        with self._lock, _Result() as result:
            _call("fill_mask", self._session, *_inputs(encoded), c_size_t(n_candidates),
                  byref(self._options(timeout_s)), None, byref(result.handle))
            answers = []
            for text in range(len(encoded)):
                masks = {}
                for found in result.items("candidates", _Candidate, text):
                    candidate = Candidate(found.piece.decode(), found.id, found.score)
                    masks.setdefault(found.mask, []).append(candidate)
                answers.append(list(masks.values()))
            return answers

    def tokenize(self, texts):
        """The tokens that the model reads for every text or pair: lists of Token."""
        encoded = _encoded(texts)
        options = _sized(_TokenizeOptions, max_length=self.max_length)
        with self._lock, _Result() as result:
            _call("tokenize", self._model, *_inputs(encoded), byref(options), None, byref(result.handle))
            return [[Token(token.id, token.piece.decode(), token.segment, _character(parts[token.segment], token.begin),
                           _character(parts[token.segment], token.end))
                     for token in result.items("tokens", _Token, text)] for text, parts in enumerate(encoded)]

    @staticmethod
    def _options(timeout_s):
        deadline_ms = 0 if timeout_s is None else _library.espalier_now_ms() + int(1000 * timeout_s)
        return _sized(_CallOptions, deadline_ms=deadline_ms)

    def _fixed(self, name, texts, timeout_s):
        encoded = _encoded(texts)
        values = (c_float * (self._n_answers * len(encoded)))()
        with self._lock:
            _call(name, self._session, *_inputs(encoded), byref(self._options(timeout_s)), values,
                  c_size_t(len(values)), None)
        return _rows(values, self._n_answers)
