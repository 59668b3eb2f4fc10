"""The one-way doors between rooms: which room may include which other, and which third-party library.

The table is the design's. A new room is one row here; a header that no row knows is a violation, so a new
dependency is a decision and not an accident."""
import re
import unittest

import tree

# room (a folder below src/): (rooms it may include besides itself, third-party libraries it may include)
LOWER_COMPRESS = ("compress/checkpoint", "compress/export")
ROOMS = {
    "base": ((), ()),
    "text": (("base",), ("utf8proc", "nlohmann-json")),
    "data": (("base", "text"), ("nlohmann-json", "zlib")),
    "format": (("base",), ("flatbuffers", "xxhash")),
    "runtime": (("base", "format", "runtime/reference"), ()),
    "runtime/reference": (("base", "format", "runtime"), ()),
    "runtime/cpu": (("base", "format", "runtime", "runtime/reference"), ("onednn", "openmp", "xbyak")),
    "runtime/cuda": (("base", "format", "runtime"), ("cuda",)),
    "measure": (("base",), ("nlohmann-json",)),
    "report": (("base", "measure"), ("nlohmann-json",)),
    "api": (("base", "text", "format", "runtime", "runtime/reference", "runtime/cpu"), ()),
    "compress/checkpoint": (("base", "format"), ("nlohmann-json", "libzip")),
    "compress/export": (
        ("base", "text", "format", "compress/checkpoint", "runtime", "runtime/reference"), ()),
    "compress/model": (("base", "text", "data", "format", "measure") + LOWER_COMPRESS, ("torch",)),
    "compress/objective": (
        ("base", "text", "data", "format", "measure", "compress/model") + LOWER_COMPRESS, ("torch",)),
    "compress/train": (
        ("base", "text", "data", "format", "measure", "compress/model", "compress/objective") + LOWER_COMPRESS,
        ("torch",)),
    "compress/prune": (
        ("base", "text", "data", "format", "measure", "api", "compress/model", "compress/objective",
         "compress/train") + LOWER_COMPRESS, ("torch",)),
    "compress/quantize": (
        ("base", "text", "data", "format", "measure", "api", "compress/model", "compress/objective",
         "compress/train") + LOWER_COMPRESS, ("torch",)),
    "compress/recipe": (("base", "data", "measure", "api") + LOWER_COMPRESS, ("yaml-cpp", "nlohmann-json")),
}
# Public headers any room may include; api defines the rest of include/espalier, and tools sit on top of it.
PUBLIC_FOR_ALL = {"espalier/types.hpp", "espalier/error.hpp", "espalier/export.hpp"}
# Pruning and quantizing ask the runtime, as a user would, how fast and how good a model is.
PUBLIC_ROOMS = {"api", "tools", "include", "compress/prune", "compress/quantize"}
TOOLS = (tuple(ROOMS), ("cli11", "nlohmann-json"))
# The smallest product shows that the public headers are enough: neither it nor any of the tools' files it is made of
# may include a room.
SMALLEST_PRODUCT = "espalier_run.cpp"

THIRD_PARTY = {
    "utf8proc": r"utf8proc\.h",
    "nlohmann-json": r"nlohmann/.*",
    "zlib": r"zlib\.h",
    "flatbuffers": r"flatbuffers/.*",
    "xxhash": r"xxhash\.h",
    "onednn": r"oneapi/dnnl/.*|dnnl\.hp?p?",
    "openmp": r"omp\.h",  # oneDNN computes on libgomp's threads, whose number is set there
    "xbyak": r"xbyak/.*",
    "cuda": r"cuda.*\.h|cub/.*|cooperative_groups.*|mma\.h",
    "libzip": r"zip\.h",
    "yaml-cpp": r"yaml-cpp/.*",
    "cli11": r"CLI/.*",
    "torch": r"(torch|ATen|c10)/.*",
}
# The C++ library has no dot in its names; then what POSIX, Linux and the compiler bring.
SYSTEM = re.compile(
    r"[a-z0-9_]+|sys/[a-z_]+\.h|linux/[a-z_]+\.h|(unistd|fcntl|dlfcn|pthread|sched|signal|errno|poll|termios|"
    r"stdint|stddef|stdbool|immintrin|x86intrin|cpuid|arm_neon)\.h")


def room_of(path):
    """The room of a path relative to the root: the longest row of the table, 'include', 'tools' or None."""
    parts = path.split("/")
    if parts[0] in ("include", "tools"):
        return parts[0]
    for length in (3, 2):
        if parts[0] == "src" and "/".join(parts[1:length]) in ROOMS and len(parts) > length:
            return "/".join(parts[1:length])
    return None


def violation(path, include):
    """Why `path` (relative to the root) may not include `include` ('<...>' or '"..."'), or None if it may."""
    room, header = room_of(path), include[1:-1]
    if room is None:
        return "lies in no room of the table"
    if header.startswith("espalier/"):
        return None if room in PUBLIC_ROOMS or header in PUBLIC_FOR_ALL else f"{room} sees too much of the public API"
    if include[0] == "<":
        return bracket_violation(room, header)
    # Generated from formats/*.fbs into the build tree, for the room that owns the format.
    if re.fullmatch(r"([a-z_]+/)*[a-z_]+_generated\.h", header):
        return None if room == "format" else "only format reads the generated header"
    # The tools lie in one folder and name each other as neighbours.
    target = "tools" if room == "tools" and "/" not in header else room_of("src/" + header)
    if target is None:
        return "names no room: write the path from src/"
    rooms = {"include": (), "tools": TOOLS[0] + ("tools",)}.get(room) or (ROOMS[room][0] if room in ROOMS else ())
    return None if target == room or target in rooms else f"{room} may not include {target}"


def bracket_violation(room, header):
    if SYSTEM.fullmatch(header):
        return None
    allowed = TOOLS[1] if room == "tools" else ROOMS[room][1] if room in ROOMS else ()
    for library, pattern in THIRD_PARTY.items():
        if re.fullmatch(pattern, header):
            return None if library in allowed else f"{room} may not use {library}"
    return "belongs to no library of the table"


def tools_of(program, files):
    """The files of tools/ that `program` is made of: it, the headers it reaches and the sources beside those.
    files: {name: text} of tools/."""
    reached, waiting = set(), [program]
    while waiting:
        name = waiting.pop()
        if name in files and name not in reached:
            reached.add(name)
            waiting += [include.strip('"') for _, include in tree.includes_of(files[name]) if include[0] == '"']
            waiting += [name.replace(".hpp", ".cpp")]
    return reached


def rooms_behind(program, files):
    """The includes of rooms ('file: header') among the files that `program` is made of."""
    return [f"{name}: {include}" for name in sorted(tools_of(program, files))
            for _, include in tree.includes_of(files[name]) if room_of("src/" + include[1:-1])]


class IncludeRules(unittest.TestCase):
    def test_every_include_goes_through_an_open_door(self):
        files = tree.source_files("src", "include", "tools")
        problems = []
        for file in files:
            path = file.relative_to(tree.ROOT).as_posix()
            for line, include in tree.includes_of(file.read_text(encoding="utf-8")):
                reason = violation(path, include)
                if reason:
                    problems.append(f"{path}:{line}: #include {include}: {reason}")
        self.assertGreater(len(files), 0, "found no source file: is this the root of the repository?")
        self.assertEqual(problems, [], "\n" + "\n".join(problems))

    def test_the_smallest_product_needs_the_public_headers_only(self):
        files = {path.name: path.read_text(encoding="utf-8") for path in tree.source_files("tools")}

        self.assertIn(SMALLEST_PRODUCT, files)
        self.assertEqual(rooms_behind(SMALLEST_PRODUCT, files), [])

    def test_a_room_behind_the_smallest_product_is_seen(self):
        files = {"a.cpp": '#include "b.hpp"', "b.hpp": "", "b.cpp": '#include "base/arena.hpp"',
                 "c.cpp": '#include "text/vocab.hpp"'}

        self.assertEqual(rooms_behind("a.cpp", files), ['b.cpp: "base/arena.hpp"'])

    def test_doors_that_are_shut_are_seen(self):
        for path, include in [
            ("src/base/a.cpp", '"text/vocab.hpp"'),
            ("src/format/a.cpp", '"runtime/backend.hpp"'),
            ("src/runtime/encoder.cpp", '"runtime/cpu/backend.hpp"'),
            ("src/runtime/reference/a.cpp", "<nlohmann/json.hpp>"),
            ("src/runtime/cpu/a.cpp", "<torch/torch.h>"),
            ("src/text/a.cpp", '"espalier/model.hpp"'),
            ("src/text/a.cpp", "<unicode/uchar.h>"),
            ("src/api/a.cpp", '"compress/export/export.hpp"'),
            ("src/compress/checkpoint/a.cpp", '"compress/export/export.hpp"'),
            ("src/compress/checkpoint/a.cpp", "<ATen/ATen.h>"),
            ("src/compress/export/a.cpp", '"compress/model/bert.hpp"'),
            ("src/measure/a.cpp", '"cli.hpp"'),
            ("src/data/a.cpp", '"model_generated.h"'),
            ("src/data/a.cpp", '"row.hpp"'),
            ("src/newroom/a.cpp", "<vector>"),
            ("include/espalier/model.hpp", '"base/arena.hpp"'),
            ("include/espalier/model.hpp", "<nlohmann/json.hpp>"),
            ("tools/bench.cpp", "<yaml-cpp/yaml.h>"),
        ]:
            with self.subTest(path=path, include=include):
                self.assertIsNotNone(violation(path, include))

    def test_doors_that_are_open_are_open(self):
        for path, include in [
            ("src/base/a.cpp", '"base/printable.hpp"'),
            ("src/base/a.cpp", "<sys/mman.h>"),
            ("src/text/a.cpp", '"espalier/error.hpp"'),
            ("src/format/writer.cpp", '"format/model_generated.h"'),
            ("src/runtime/cpu/gemm.cpp", "<oneapi/dnnl/dnnl.hpp>"),
            ("src/api/model.cpp", '"espalier/model.hpp"'),
            ("tools/espalier_run.cpp", "<espalier/espalier.hpp>"),
            ("tools/espalier_run.cpp", "<CLI/CLI.hpp>"),
            ("tools/output.cpp", '"interrupt.hpp"'),
            ("tools/quantize.cpp", '"compress/export/export.hpp"'),
        ]:
            with self.subTest(path=path, include=include):
                self.assertIsNone(violation(path, include))

    def test_a_commented_include_is_no_include_and_lines_are_counted(self):
        text = '// #include "a"\n/* x\n#include "b"\n*/\n #  include <c>\n'

        self.assertEqual(tree.includes_of(text), [(5, "<c>")])


if __name__ == "__main__":
    tree.main()
