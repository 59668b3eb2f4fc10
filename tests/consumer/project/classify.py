"""The C interface from Python: ctypes over the installed library, answers as plain lists.

usage: classify.py LIBRARY MODEL"""
import ctypes
import sys
from ctypes import POINTER, byref, c_char, c_char_p, c_float, c_int32, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

USAGE, BAD_INPUT, CANCELLED = 2, 3, 9


class ErrorInfo(ctypes.Structure):
    _fields_ = [("code", c_int32), ("message", c_char * 496)]


class Text(ctypes.Structure):
    _fields_ = [("first", c_char_p), ("first_bytes", c_size_t), ("second", c_char_p), ("second_bytes", c_size_t)]


class Info(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("task", c_int32), ("precision", c_int32), ("n_answers", c_uint32),
                ("hidden", c_uint32), ("n_layers", c_uint32), ("vocabulary_size", c_uint32), ("max_length", c_uint32),
                ("n_labels", c_uint32), ("labels", POINTER(c_char_p)), ("n_parameters", c_uint64),
                ("file_bytes", c_uint64), ("checksum", c_uint64)]


class CallOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("cancel", POINTER(c_int32)), ("deadline_ms", c_uint64),
                ("replace_invalid_utf8", c_uint32), ("reserved", c_uint32)]


class Token(ctypes.Structure):
    _fields_ = [("id", c_int32), ("segment", c_uint32), ("begin", c_size_t), ("end", c_size_t), ("piece", c_char_p)]


class EspalierError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Library:
    """espalier_NAME of the library as call("NAME", arguments...); raises what it refuses."""

    def __init__(self, path):
        self.functions = ctypes.CDLL(path)
        self.functions.espalier_version.restype = c_char_p

    def call(self, name, *arguments):
        error = ErrorInfo()
        if getattr(self.functions, f"espalier_{name}")(*arguments, byref(error)) != 0:
            raise EspalierError(error.code, error.message.decode())


class Model:
    def __init__(self, library, path):
        self.library, self.handle, self.session = library, c_void_p(), c_void_p()
        library.call("model_open", path.encode(), None, byref(self.handle))
        library.call("session_open", self.handle, None, byref(self.session))
        self.info = Info(struct_size=ctypes.sizeof(Info))
        library.call("model_get_info", self.handle, byref(self.info))
        self.labels = [self.info.labels[i].decode() for i in range(self.info.n_labels)]

    @staticmethod
    def texts(strings):
        encoded = [string if isinstance(string, bytes) else string.encode() for string in strings]
        return (Text * len(encoded))(*[Text(text, len(text), None, 0) for text in encoded])

    def classify(self, strings, options=None):
        """A list of scores for each text, and whether each was cut."""
        width = self.info.n_answers
        scores = (c_float * (width * len(strings)))()
        truncated = (c_uint8 * len(strings))()
        self.library.call("classify", self.session, self.texts(strings), c_size_t(len(strings)), options, scores,
                          c_size_t(len(scores)), truncated)
        return [scores[first:first + width] for first in range(0, len(scores), width)], list(truncated)

    def pieces(self, string):
        result, tokens, n_tokens = c_void_p(), POINTER(Token)(), c_size_t()
        self.library.call("tokenize", self.handle, self.texts([string]), c_size_t(1), None, None, byref(result))
        self.library.call("result_tokens", result, c_size_t(0), byref(tokens), byref(n_tokens))
        pieces = [tokens[i].piece.decode() for i in range(n_tokens.value)]
        self.library.functions.espalier_result_free(result)
        return pieces

    def close(self):
        self.library.functions.espalier_session_free(self.session)
        self.library.functions.espalier_model_free(self.handle)


def refusal(work):
    try:
        work()
    except EspalierError as error:
        return error.code
    return 0


def main():
    library = Library(sys.argv[1])
    assert library.functions.espalier_abi_version() == 1
    assert library.functions.espalier_version().decode().count(".") == 2
    model = Model(library, sys.argv[2])
    sentences = ["a charming journey", "bleak and desperate"]
    scores, truncated = model.classify(sentences)
    assert truncated == [0, 0]
    pieces = model.pieces(sentences[0])
    assert (pieces[0], pieces[-1]) == ("[CLS]", "[SEP]"), pieces
    assert refusal(lambda: Model(library, "no-such.espl")) == BAD_INPUT
    assert refusal(lambda: model.classify([b"\xff"])) == BAD_INPUT
    assert refusal(lambda: model.classify([])) == USAGE
    cancel = c_int32(1)
    options = CallOptions(struct_size=ctypes.sizeof(CallOptions), cancel=ctypes.pointer(cancel))
    assert refusal(lambda: model.classify(sentences, byref(options))) == CANCELLED
    cancel.value = 0
    assert model.classify(sentences, byref(options))[0] == scores
    for row in scores:
        best = max(range(len(row)), key=row.__getitem__)
        print(f"{model.labels[best]} {row[best]:g}")
    model.close()


main()
