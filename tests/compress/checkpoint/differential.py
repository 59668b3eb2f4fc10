"""Compares our safetensors reader with the safetensors package on mutated files, and on the hostile ones of real life where
ESPALIER_DATA names a folder that has them.

Usage: differential.py PATH_TO/safetensors_verdict [COUNT [SEED]]   (needs: pip install safetensors)

Prints every file on which one accepts and the other refuses, except where we are stricter on purpose, and exits 1 when there
is one. Ends with the count of each rule by which we are stricter.
"""

import collections
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

import safetensors

# Where we refuse what the package accepts: the words we say then (regular expressions), and why. Each is a documented limit.
STRICTER = {
    r"twice$": "a key that is there twice means two things; the package takes the last",
    r"nests JSON deeper": "no header of tensors nests",
    r"dtype of tensor .* is an object$": "a dtype written as an object, which the package's parser takes for a string",
    r"tensor .* is an array, not an object$": "a tensor written as an array of its fields, likewise",
    "dimensions in one header": "memory is bounded before it is taken",
    "tensors in one file": "likewise",
    "keys in __metadata__": "likewise",
    r"number of more than \d+ digits$": "time is bounded: nobody reads such a number",
    "Git LFS pointer": "told apart by name from a damaged file",
    "web page": "likewise",
}

DTYPES = ("BOOL F4 F6_E2M3 F6_E3M2 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ I16 U16 "
          "F16 BF16 I32 U32 F32 C64 F64 I64 U64 F31 f32").split()
NUMBERS = [0, 1, 2, 3, 4, 7, 8, 16, 255, -1, -0.0, 1.0, 1e3, 2**31, 2**32, 2**53, 2**63 - 1, 2**63,
           2**64 - 1, 2**64, 10**30, None, True, "1", [], {}]
SNIPPETS = [b"\0", b"\xff", b"\xef\xbb\xbf", b" ", b"\t", b"\n", b"{", b"}", b"[", b"]", b",", b":",
            b'"', b"\\", b"\\u0000", b"\\ud800", b"\xc3\xa9", b"NaN", b"-0", b"1e9", b"1e999", b"01",
            b"/**/", b'"x":1,', b'"x":[[{}]],', b'"__metadata__":null,', b'"__metadata__":{"a":"b"},',
            b'"__metadata__":{"a":"b","a":"c"},', b'"x":' + b"[" * 20 + b"]" * 20 + b",",
            b'"t0":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},']
CHUNK = 5000  # files on the disk at a time


def well_formed(rng):
    header, data = {}, b""
    for index in range(rng.randint(0, 4)):
        dtype, bits = rng.choice([("F32", 32), ("F16", 16), ("U8", 8), ("F64", 64), ("F4", 4), ("F6_E2M3", 6)])
        shape = [rng.randint(0, 4) for _ in range(rng.randint(0, 3))]
        if bits < 8:
            shape.append(4)
        size = bits
        for dimension in shape:
            size *= dimension
        header[f"t{index}"] = {"dtype": dtype, "shape": shape,
                               "data_offsets": [len(data), len(data) + size // 8]}
        data += rng.randbytes(size // 8)
    if rng.random() < 0.3:
        header["__metadata__"] = {"format": "pt"}
    return header, data


def change_value(rng, header):
    if not header:
        return
    entry = header[rng.choice(list(header))]
    if "shape" not in entry:
        entry["k"] = rng.choice(NUMBERS)
        return
    kind = rng.randrange(6)
    if kind == 0:
        entry["dtype"] = rng.choice(DTYPES)
    elif kind == 1:
        entry["shape"].insert(rng.randint(0, len(entry["shape"])), rng.choice(NUMBERS))
    elif kind == 2:
        entry["data_offsets"][rng.randrange(2)] = rng.choice(NUMBERS)
    elif kind == 3:
        entry["data_offsets"] = [rng.choice(NUMBERS) for _ in range(rng.randint(0, 3))]
    elif kind == 4:
        entry[rng.choice(["dtype", "shape", "data_offsets", "extra"])] = rng.choice(NUMBERS)
    else:
        del entry[rng.choice(list(entry))]


def change_bytes(rng, text):
    text = bytearray(text)
    for _ in range(rng.choice([0, 1, 1, 2])):
        place = rng.choice([1, rng.randint(0, len(text))])
        kind = rng.randrange(4)
        if kind == 0:
            text[place:place] = rng.choice(SNIPPETS)
        elif kind == 1:
            del text[place:place + rng.randint(1, 4)]
        elif kind == 2 and place < len(text):
            text[place] = rng.randrange(256)
        elif place < len(text):
            text[place:place + 1] = rng.choice(SNIPPETS)
    return bytes(text)


def mutated(rng):
    header, data = well_formed(rng)
    kind = rng.randrange(4)
    if kind == 1:
        change_value(rng, header)
    text = json.dumps(header).encode()
    if kind >= 2:
        text = change_bytes(rng, text)
    length = len(text)
    if rng.random() < 0.05:
        length = rng.choice([0, length - 1, length + 1, 10**8, 10**8 + 1, 2**63, 2**64 - 8, 2**64 - 1]) % 2**64
    if rng.random() < 0.1:
        data = rng.choice([data[:-1], data + b"\0", data * 2, b""])
    file = struct.pack("<Q", length) + text + data
    return file[:rng.randint(0, len(file))] if rng.random() < 0.03 else file


def verdicts(program, files):
    """(file, ours, theirs) of each: "ok" and the number of tensors, or why not."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / f"{index}.safetensors" for index in range(len(files))]
        for path, file in zip(paths, files):
            path.write_bytes(file)
        ours = subprocess.run([program], input="\n".join(map(str, paths)), text=True, errors="replace",
                              stdout=subprocess.PIPE, check=True).stdout.splitlines()
    assert len(ours) == len(files), f"{len(ours)} verdicts for {len(files)} files"
    for file, our in zip(files, ours):
        try:
            theirs = f"ok {len(safetensors.deserialize(file))}"
        except safetensors.SafetensorError as error:
            theirs = str(error)
        yield file, our, theirs


def compare(program, files, counts, stricter):
    """Adds to the counts of verdicts and of rules; the number of differences, each of which is printed."""
    n_differences = 0
    for file, our, theirs in verdicts(program, files):
        accepted = our.startswith("ok"), theirs.startswith("ok")
        rule = next((words for words in STRICTER if re.search(words, our)), None) if accepted == (False, True) else None
        if rule:
            stricter[rule] += 1
        elif accepted[0] != accepted[1] or accepted[0] and our != theirs:
            n_differences += 1
            print(f"{file[:2000]!r}\n  ours:   {our}\n  theirs: {theirs}")
        else:
            counts["both accept" if accepted[0] else "both refuse"] += 1
    return n_differences


def main():
    program, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    counts, stricter, n_differences = collections.Counter(), collections.Counter(), 0
    for begin in range(0, count, CHUNK):
        files = [mutated(rng) for _ in range(min(CHUNK, count - begin))]
        n_differences += compare(program, files, counts, stricter)
    hostile = pathlib.Path(os.environ.get("ESPALIER_DATA", "")) / "hostile" / "safetensors"
    known = [path.read_bytes() for path in sorted(hostile.glob("*.safetensors"))] if "ESPALIER_DATA" in os.environ else []
    n_differences += compare(program, known, counts, stricter) if known else 0
    for rule, number in stricter.most_common():
        print(f"stricter on purpose {number:>6}  '{rule}': {STRICTER[rule]}")
    print(f"result: {count:,} mutated and {len(known)} hostile files, {n_differences} differences; both accept "
          f"{counts['both accept']:,}, both refuse {counts['both refuse']:,}, stricter on purpose {stricter.total():,}")
    sys.exit(n_differences > 0 or count + len(known) == 0)


if __name__ == "__main__":
    main()
