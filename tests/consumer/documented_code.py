"""Takes the code that the documentation shows and writes each piece as a program, for the consumer test to build.

usage: documented_code.py REPOSITORY DESTINATION

Pieces are the ```cpp, ```c and ```python blocks of README.md and include/espalier/README.md, and the example in the
opening comment of include/espalier/espalier.hpp. A piece of C or C++ without a main() gets one around it; its #include
lines stay in front. A piece that opens a file opens sentiment.espl: those are named run_*, are run too, and find a tiny
classifier of that name. Python is always run; what imports the package is named wheel_* and finds it installed."""
import re
import sys
from pathlib import Path

STANDARD = {
    "cpp": ("array", "chrono", "cstddef", "cstdint", "espalier/espalier.hpp", "iostream", "span", "string", "string_view",
            "thread", "vector"),
    "c": ("espalier/espalier.h", "stdint.h", "stdio.h"),
}


def markdown_pieces(text):
    """(language, code) of each block."""
    return re.findall(r"^```(cpp|c|python)[ \t]*\n(.*?)^```[ \t]*$", text, re.MULTILINE | re.DOTALL)


def header_piece(text):
    """The code in the comment before #pragma once: its lines start with //, and three blanks or more."""
    comment = text.split("#pragma once")[0]
    return "".join(line[5:] + "\n" for line in comment.splitlines() if line.startswith("//   "))


def program(language, piece):
    if language == "python" or re.search(r"^int main\(", piece, re.MULTILINE):
        return piece
    lines = piece.splitlines()
    includes = [f"#include <{name}>" for name in STANDARD[language]]
    includes += [line for line in lines if line.startswith("#include")]
    body = [line for line in lines if not line.startswith("#include")]
    return "\n".join([*includes, "int main(void) {", *body, "}"]) + "\n"


def main():
    root, destination = Path(sys.argv[1]), Path(sys.argv[2])
    pieces = [("cpp", header_piece((root / "include/espalier/espalier.hpp").read_text(encoding="utf-8")))]
    for page in (root / "README.md", root / "include/espalier/README.md"):
        if page.exists():
            pieces += markdown_pieces(page.read_text(encoding="utf-8"))
    if not pieces[0][1].strip():
        sys.exit("include/espalier/espalier.hpp shows no example in its opening comment any more")
    missing = {"cpp", "c", "python"} - {language for language, _ in pieces}
    if missing:
        sys.exit(f"the documentation shows no {', '.join(sorted(missing))} any more")
    destination.mkdir(parents=True)
    for number, (language, piece) in enumerate(pieces):
        kind = "run" if '"sentiment.espl"' in piece else "compile"
        if "import espalier\n" in piece:
            kind = "wheel"
        suffix = "py" if language == "python" else language
        (destination / f"{kind}_{number}.{suffix}").write_text(program(language, piece), encoding="utf-8")


main()
