#!/usr/bin/env python3
"""Reads a golden .espl file with nothing but formats/README.md, formats/model.fbs and the standard
library: the proof that they are enough to write a reader from. Exits 1 naming what does not hold.

usage: read_with_python.py FILE.espl"""
import struct
import sys

MASK = (1 << 64) - 1


def expect(what, expected, got):
    if expected != got:
        sys.exit(f"{what}: expected {expected!r} got {got!r}")


class Table:
    """A FlatBuffers table: an i32 back to its vtable, whose u16 entries are offsets of fields."""

    def __init__(self, data, at):
        self.data, self.at = data, at
        self.vtable = at - struct.unpack_from("<i", data, at)[0]
        self.vtable_bytes = struct.unpack_from("<H", data, self.vtable)[0]

    def place(self, field):
        entry = 4 + 2 * field
        if entry >= self.vtable_bytes:
            return None
        offset = struct.unpack_from("<H", self.data, self.vtable + entry)[0]
        return self.at + offset if offset else None

    def scalar(self, field, code, default=0):
        place = self.place(field)
        return default if place is None else struct.unpack_from("<" + code, self.data, place)[0]

    def target(self, field):
        place = self.place(field)
        return None if place is None else place + struct.unpack_from("<I", self.data, place)[0]

    def table(self, field):
        target = self.target(field)
        return None if target is None else Table(self.data, target)

    def string(self, field):
        return text_at(self.data, self.target(field))

    def numbers(self, field, code):
        target = self.target(field)
        size = struct.unpack_from("<I", self.data, target)[0]
        return struct.unpack_from(f"<{size}{code}", self.data, target + 4)

    def places(self, field):
        """Where the entries of a vector of tables or strings lie."""
        target = self.target(field)
        if target is None:
            return []
        size = struct.unpack_from("<I", self.data, target)[0]
        entries = [target + 4 + 4 * index for index in range(size)]
        return [entry + struct.unpack_from("<I", self.data, entry)[0] for entry in entries]


def text_at(data, at):
    size = struct.unpack_from("<I", data, at)[0]
    return data[at + 4:at + 4 + size].decode("utf-8")


class Segment:
    """The data segment, taken part by part in the order of the README."""

    def __init__(self, data):
        self.data, self.position = data, 0

    def take(self, offset, size):
        expect("offset of a part", self.position, offset)
        part = self.data[offset:offset + size]
        expect("size of a part", size, len(part))
        padded = -(-size // 64) * 64
        expect("padding", b"\0" * (padded - size), self.data[offset + size:offset + padded])
        self.position += padded
        return part

    def tensor(self, table):
        if table is None:
            return None
        part = self.take(table.scalar(0, "Q"), table.scalar(1, "Q"))
        kind, rows, cols = table.scalar(2, "B"), table.scalar(3, "I"), table.scalar(4, "I")
        if kind == 2 and len(part) != rows * cols:
            expect("bytes of panels", -(-rows // 64) * 64 * -(-cols // 64) * 64, len(part))
        elif kind == 4:
            expect("bytes of four-bit rows", rows * -(-cols // 2), len(part))
        else:
            expect("bytes of a tensor", rows * cols * (4, 2, 1, 2)[kind], len(part))
        return kind, rows, cols, part

    def linear(self, table):
        return [self.tensor(table.table(field)) for field in (4, 5, 6, 7, 11)]

    def head_linear(self, table):
        return table and [self.tensor(table.table(field)) for field in (2, 3)]

    def norm(self, table):
        return table and [self.tensor(table.table(field)) for field in (0, 1)]


def codes_of(linear):
    """How a linear's input is coded: kind, scale and zero."""
    return linear.scalar(3, "B"), linear.scalar(8, "f"), linear.scalar(9, "B")


def panel_code(part, n, k, inputs):
    depth = -(-inputs // 64) * 64
    at = (n // 64) * depth * 64 + (k // 4) * 256 + (n % 64) * 4 + k % 4
    return struct.unpack_from("<b", part, at)[0]


def four_bit_code(codes, multipliers, group, row, col):
    _, _, cols, part = codes
    byte = part[row * -(-cols // 2) + col // 2]
    bits = byte >> 4 if col % 2 else byte & 15
    multiplier = multipliers[3][row * multipliers[2] + col // group]
    return (bits - 16 if bits > 7 else bits) * multiplier


def xxh3_64(data):
    """XXH3-64 with seed 0 of more than 240 bytes, after the specification of xxHash 0.8."""
    primes64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
                0x27D4EB2F165667C5)
    primes32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
    secret = bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
        "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
        "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
        "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
        "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
        "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
    acc = [primes32[2], primes64[0], primes64[1], primes64[2], primes64[3], primes32[1],
           primes64[4], primes32[0]]

    def accumulate(stripe, at):
        keys = struct.unpack_from("<8Q", secret, at)
        for lane, (value, key) in enumerate(zip(struct.unpack("<8Q", stripe), keys)):
            mixed = value ^ key
            acc[lane ^ 1] = (acc[lane ^ 1] + value) & MASK
            acc[lane] = (acc[lane] + (mixed & 0xFFFFFFFF) * (mixed >> 32)) & MASK

    stripes = (len(data) - 1) // 64
    for stripe in range(stripes):
        accumulate(data[64 * stripe:64 * stripe + 64], stripe % 16 * 8)
        # A block of 1024 bytes ends with a scramble, unless it is the last one.
        if stripe % 16 == 15 and (stripe + 1) * 64 <= (len(data) - 1) // 1024 * 1024:
            keys = struct.unpack_from("<8Q", secret, len(secret) - 64)
            for lane, key in enumerate(keys):
                acc[lane] = ((acc[lane] ^ acc[lane] >> 47 ^ key) * primes32[0]) & MASK
    accumulate(data[-64:], len(secret) - 64 - 7)
    result = len(data) * primes64[0] & MASK
    keys = struct.unpack_from("<8Q", secret, 11)
    for lane in range(0, 8, 2):
        product = (acc[lane] ^ keys[lane]) * (acc[lane + 1] ^ keys[lane + 1])
        result = (result + (product & MASK ^ product >> 64)) & MASK
    result ^= result >> 37
    result = result * 0x165667919E3779F9 & MASK
    return result ^ result >> 32


def read(data):
    expect("id", b"ESPL", data[8:12])
    expect("size modulo 64", 8, len(data) % 64)
    expect("checksum", struct.unpack_from("<Q", data, len(data) - 8)[0], xxh3_64(data[:-8]))
    header_end = 4 + struct.unpack_from("<I", data, 0)[0]
    begin = -(-header_end // 64) * 64
    expect("padding of the header", b"\0" * (begin - header_end), data[header_end:begin])
    model = Table(data, 4 + struct.unpack_from("<I", data, 4)[0])
    expect("version", 0, model.scalar(0, "I"))
    expect("data_bytes", len(data) - 8 - begin, model.scalar(8, "Q"))
    segment = Segment(data[begin:-8])

    embedding = model.table(9)
    word = segment.tensor(embedding.table(0))
    for field in (1, 2, 3):
        segment.tensor(embedding.table(field))
    segment.norm(embedding.table(4))
    projection = embedding.table(5)
    if projection is not None:
        segment.linear(projection)
    words = word, segment.tensor(embedding.table(7)), embedding.scalar(6, "H")
    layers = []
    for place in model.places(10):
        layer = Table(data, place)
        parts = [segment.linear(layer.table(2)), segment.linear(layer.table(3)),
                 segment.norm(layer.table(4)), segment.linear(layer.table(5)),
                 segment.linear(layer.table(6)), segment.norm(layer.table(7))]
        codes = [codes_of(layer.table(field)) for field in (2, 3, 5, 6)]
        groups = [layer.table(field).scalar(10, "H") for field in (2, 3, 5, 6)]
        layers.append((layer.scalar(0, "I"), layer.scalar(1, "I"), parts, codes, groups))
    head = model.table(11)
    for field in (0, 1, 4):
        segment.head_linear(head.table(field))
    segment.norm(head.table(5))
    segment.tensor(head.table(6))
    tokenizer = model.table(12)
    pieces = segment.take(tokenizer.scalar(0, "Q"), tokenizer.scalar(1, "Q")).decode("utf-8")
    expect("end of the last part", len(segment.data), segment.position)
    expect("lines of the vocabulary", tokenizer.scalar(2, "I"), pieces.count("\n"))
    expect("rows of the word embedding", tokenizer.scalar(2, "I"), word[1])
    return model, words, layers, pieces.split("\n")[:-1]


def check_eight_bits(layers):
    expect("heads and intermediate", [(3, 24), (0, 8)], [layer[:2] for layer in layers])
    dynamic = (0, 0.0, 0)
    expect("codes of the first layer", [dynamic, (2, 0.0203125, 130), dynamic, (1, 0.0, 0)],
           [(kind, round(scale, 7), zero) for kind, scale, zero in layers[0][3]])
    # Every row of a linear was quantized to its own largest magnitude: each reaches 127.
    _, rows, cols, panels = layers[0][2][3][0]
    for row in range(rows):
        top = max(abs(panel_code(panels, row, col, cols)) for col in range(cols))
        expect(f"largest code of row {row}", 127, top)
    expect("groups", [0, 0, 0, 0], layers[0][4])


def check_four_bits(words, layers):
    expect("heads and intermediate", [(1, 9), (0, 8)], [layer[:2] for layer in layers])
    expect("groups", [[32, 32, 32, 32], [0, 0, 32, 32]], [layer[4] for layer in layers])
    # The group of a row's largest number has the multiplier 18, and that number the code 7 or -7.
    up = layers[0][2][3]
    for codes, multipliers, group in [(up[0], up[4], 32), words]:
        expect("groups of a row of 35", 2, multipliers[2])
        for row in range(codes[1]):
            top = max(abs(four_bit_code(codes, multipliers, group, row, col)) for col in range(35))
            expect(f"largest code of row {row}", 126, top)


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    model, words, layers, pieces = read(data)
    labels = [text_at(data, place) for place in model.places(7)]
    expect("task", 0, model.scalar(1, "B"))
    expect("precision", 1, model.scalar(2, "B"))
    expect("labels", ["negative", "positive"], labels)
    expect("continuation", "##", model.table(12).string(13))
    expect("pieces", ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"], pieces[:6])
    expect("a layer without heads", [None] * 5, layers[1][2][0])
    if model.scalar(3, "I") == 16:
        check_eight_bits(layers)
    else:
        expect("hidden", 35, model.scalar(3, "I"))
        check_four_bits(words, layers)
    cases = [Table(data, place) for place in model.table(14).places(1)]
    expect("first and last id", (2, 3), (cases[0].numbers(0, "i")[0], cases[0].numbers(0, "i")[-1]))
    expect("outputs of the self-test", 2, len(cases[0].numbers(2, "f")))
    print(f"{sys.argv[1]}: {len(layers)} layers, {len(pieces)} pieces, labels {', '.join(labels)}")


if __name__ == "__main__":
    main()
