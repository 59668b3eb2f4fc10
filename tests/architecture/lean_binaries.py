"""The built lean half needs and names nothing of LibTorch, CUDA, ICU or protobuf.

ESPALIER_LEAN_BINARIES lists the files to look at, separated by ':' (CTest sets it): libespalier.so and the programs."""
import os
import re
import subprocess
import unittest
from pathlib import Path

import tree

# What the lean half may name itself. The library and espalier-run are the product and get the shorter list.
PRODUCT = (r"libespalier|libdnnl|libutf8proc|libxxhash|libflatbuffers|"
           r"libgomp|libstdc\+\+|libgcc_s|libc|libm|libdl|librt|libpthread|ld-linux.*")
FRONT_DOOR = PRODUCT + r"|libzip|libz|libyaml-cpp"
# What may not even come along with another library.
BANNED = re.compile(r"lib(torch|c10|ATen|caffe2|cuda|cublas|cudnn|cupti|nccl|nvrtc|icu|protobuf)[\w+-]*\.so")
# In mangled names a namespace stands as its length and itself, followed by the next name's length or a template.
TORCH_SYMBOL = re.compile(r"N[KRO]*(?:5torch|3c10|2at)\d|^_ZN?[KRO]*(?:5torch|3c10)\d")


def needed(readelf_text):
    """The libraries that `readelf -d` shows an object to name."""
    return re.findall(r"\(NEEDED\).*\[(.*)\]", readelf_text)


def unexpected(libraries, allowed):
    return [name for name in libraries if not re.fullmatch(rf"(?:{allowed})(?:\.so[.\d]*)?", name)]


def torch_symbols(nm_text):
    """The symbols in the output of `nm` that belong to LibTorch."""
    return [name for name in (line.split()[-1] for line in nm_text.splitlines() if line.strip())
            if TORCH_SYMBOL.search(name)]


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class LeanBinaries(unittest.TestCase):
    def setUp(self):
        listed = os.environ.get("ESPALIER_LEAN_BINARIES", "")
        self.binaries = [Path(name) for name in listed.split(":") if name]
        if not self.binaries:
            self.fail("ESPALIER_LEAN_BINARIES names no file: run this through ctest")

    def test_they_name_only_the_libraries_of_the_lean_half(self):
        for binary in self.binaries:
            with self.subTest(binary=binary.name):
                libraries = needed(output_of("readelf", "-dW", str(binary)))
                allowed = FRONT_DOOR if binary.name == "espalier" else PRODUCT
                self.assertGreater(len(libraries), 0, "readelf showed no library at all")
                self.assertEqual(unexpected(libraries, allowed), [])

    def test_nothing_banned_comes_along_with_another_library(self):
        for binary in self.binaries:
            with self.subTest(binary=binary.name):
                loaded = output_of("ldd", str(binary))
                self.assertNotIn("not found", loaded)
                self.assertIsNone(BANNED.search(loaded), loaded)

    def test_they_name_no_torch_symbol(self):
        for binary in self.binaries:
            with self.subTest(binary=binary.name):
                symbols = output_of("nm", str(binary)) + output_of("nm", "-D", str(binary))
                self.assertGreater(symbols.count("\n"), 0, "nm showed no symbol at all")
                self.assertEqual(torch_symbols(symbols), [])


class TheScannersBite(unittest.TestCase):
    def test_a_foreign_library_is_seen(self):
        text = (" 0x1 (NEEDED)  Shared library: [libtorch_cpu.so]\n 0x1 (NEEDED)  Shared library: [libc.so.6]\n"
                " 0x1 (NEEDED)  Shared library: [libicuuc.so.72]\n 0x1 (NEEDED)  Shared library: [libzip.so.4]\n")

        self.assertEqual(unexpected(needed(text), PRODUCT), ["libtorch_cpu.so", "libicuuc.so.72", "libzip.so.4"])
        self.assertEqual(unexpected(needed(text), FRONT_DOOR), ["libtorch_cpu.so", "libicuuc.so.72"])

    def test_a_banned_library_behind_another_is_seen(self):
        for name in ("libprotobuf.so.32", "libcudart.so.13", "libc10.so", "libicudata.so.72"):
            with self.subTest(name=name):
                self.assertIsNotNone(BANNED.search(f"\t{name} => /usr/lib/{name} (0x1)"))
        self.assertIsNone(BANNED.search("\tlibc.so.6 => /lib/libc.so.6 (0x1)"))

    def test_a_torch_symbol_is_seen_and_ours_are_not_taken_for_one(self):
        theirs = ["_ZN2at6Tensor3addEv", "_ZNK3c104Type3strEv", "_ZN5torch8autograd4NodeD2Ev",
                  "_ZN8espalier5model3runERKN2at6TensorE"]
        ours = ["_ZN8espalier10checkpoint10torch_fileEv", "_ZNKSt6vectorIiSaIiEE2atEm", "espalier_embed"]

        self.assertEqual(torch_symbols("\n".join(f"  U {name}" for name in theirs + ours)), theirs)


if __name__ == "__main__":
    tree.main()
