"""Compares our safetensors reader with the safetensors package on mutated files.

Usage: differential.py PATH_TO/safetensors_verdict [COUNT [SEED]]   (needs: pip install safetensors)

Prints every file on which one accepts and the other refuses, except where we are stricter on
purpose, and exits 1 when there is one.
"""

import collections
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import safetensors

# Where we refuse what the package accepts, and the words we say then. Each is a documented limit.
STRICTER = ("twice", "nests JSON deeper", "dtype of tensor", "an array, not an object",
            "dimensions in one header", "tensors in one file", "keys in __metadata__", "digits", "Git LFS pointer", "web page")

DTYPES = ("BOOL F4 F6_E2M3 F6_E3M2 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ I16 U16 "
          "F16 BF16 I32 U32 F32 C64 F64 I64 U64 F31 f32").split()
NUMBERS = [0, 1, 2, 3, 4, 7, 8, 16, 255, -1, -0.0, 1.0, 1e3, 2**31, 2**32, 2**53, 2**63 - 1, 2**63,
           2**64 - 1, 2**64, 10**30, None, True, "1", [], {}]
SNIPPETS = [b"\0", b"\xff", b"\xef\xbb\xbf", b" ", b"\t", b"\n", b"{", b"}", b"[", b"]", b",", b":",
            b'"', b"\\", b"\\u0000", b"\\ud800", b"\xc3\xa9", b"NaN", b"-0", b"1e9", b"1e999", b"01",
            b"/**/", b'"x":1,', b'"x":[[{}]],', b'"__metadata__":null,', b'"__metadata__":{"a":"b"},',
            b'"__metadata__":{"a":"b","a":"c"},', b'"x":' + b"[" * 20 + b"]" * 20 + b",",
            b'"t0":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},']


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


def main():
    program, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    verdicts, differences = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        files = [mutated(rng) for _ in range(count)]
        paths = [pathlib.Path(folder) / f"{index}.safetensors" for index in range(count)]
        for path, file in zip(paths, files):
            path.write_bytes(file)
        ours = subprocess.run([program], input="\n".join(map(str, paths)), text=True, errors="replace",
                              stdout=subprocess.PIPE, check=True).stdout.splitlines()
    assert len(ours) == count, f"{len(ours)} verdicts for {count} files"
    for file, our in zip(files, ours):
        try:
            theirs = f"ok {len(safetensors.deserialize(file))}"
        except safetensors.SafetensorError as error:
            theirs = str(error)
        accepted = our.startswith("ok"), theirs.startswith("ok")
        on_purpose = accepted == (False, True) and any(words in our for words in STRICTER)
        verdicts["stricter on purpose" if on_purpose else accepted] += 1
        if not on_purpose and (accepted[0] != accepted[1] or accepted[0] and our != theirs):
            differences += 1
            print(f"{file!r}\n  ours:   {our}\n  theirs: {theirs}")
    print(f"{count} files, {differences} differences; (ours, theirs): {dict(verdicts)}")
    sys.exit(differences > 0)


if __name__ == "__main__":
    main()
