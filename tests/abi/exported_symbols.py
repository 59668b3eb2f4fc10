"""What libespalier.so exports: the C functions of c_symbols.txt, each declared in espalier.h, and C++ names of namespace
espalier. A function taken away breaks programs; one that slips in is a promise.

CTest sets ESPALIER_LIBRARY and ESPALIER_NM."""
import os
import re
import subprocess
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = HERE.parents[1] / "include/espalier/espalier.h"
# Members of espalier's classes, its free functions, and what throwing its Error across the border needs.
CPP_NAME = re.compile(r"_Z(N[KRO]*8espalier|T[ISV]N8espalier5ErrorE$)")


def defined_names(nm_text):
    return [line.split()[-1] for line in nm_text.splitlines() if line.strip()]


def c_names(names):
    return sorted(name for name in names if not name.startswith("_Z"))


def foreign(names):
    return [name for name in names if not name.startswith("espalier_") and not CPP_NAME.match(name)]


class ExportedSymbols(unittest.TestCase):
    def setUp(self):
        command = [os.environ["ESPALIER_NM"], "-D", "--defined-only", os.environ["ESPALIER_LIBRARY"]]
        self.names = defined_names(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        self.listed = (HERE / "c_symbols.txt").read_text(encoding="utf-8").split()

    def test_the_c_functions_are_those_of_the_list(self):
        self.assertEqual(self.listed, sorted(self.listed))
        self.assertEqual(c_names(self.names), self.listed)

    def test_nothing_else_than_espalier_is_exported(self):
        self.assertGreater(len(self.names), len(self.listed))
        self.assertEqual(foreign(self.names), [])

    def test_the_header_declares_each_of_them(self):
        text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.DOTALL)
        declared = re.findall(r"ESPALIER_API\b[^;(]*?\b(espalier_\w+)\(", text)

        self.assertEqual(sorted(declared), self.listed)

    def test_a_foreign_name_is_seen(self):
        names = ["_ZNK8espalier5Model4infoEv", "_ZTIN8espalier5ErrorE", "espalier_tag", "_ZN4dnnl5errorD1Ev", "xxh"]

        self.assertEqual(foreign(names), ["_ZN4dnnl5errorD1Ev", "xxh"])


if __name__ == "__main__":
    unittest.main()
