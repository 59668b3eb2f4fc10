"""No tracked file names a folder of the machine it was written on."""
import re
import unittest

import tree

# Homes, and the folder at the root of the disk that this checkout lies below, unless every machine has it.
EVERYWHERE = {"bin", "dev", "etc", "lib", "mnt", "opt", "proc", "run", "srv", "sys", "tmp", "usr", "var"}
HERE = "home" if tree.ROOT.parts[1] in EVERYWHERE else tree.ROOT.parts[1]
LEAK = re.compile(rb"(?<![\w./$}~*-])/(" + re.escape(HERE).encode() + rb"|root|home|Users)/[\w.-]+")
# Files whose bytes are not text of ours.
BINARY = {".espl", ".bin", ".safetensors", ".gz", ".png", ".svg"}


def leaks(content):
    """(line number, path) of every absolute path of a machine in `content` (bytes)."""
    return [(content.count(b"\n", 0, match.start()) + 1, match.group().decode()) for match in LEAK.finditer(content)]


class NoLeakedPaths(unittest.TestCase):
    def test_no_tracked_file_names_a_folder_of_a_machine(self):
        files = tree.tracked_files()
        if files is None:
            self.skipTest("needs a git checkout: without one there is no list of tracked files")
        problems = []
        for file in files:
            if file.suffix not in BINARY and file.as_posix() != "tests/architecture/no_leaked_paths.py":
                problems += [f"{file}:{line}: {path}" for line, path in leaks((tree.ROOT / file).read_bytes())]
        self.assertGreater(len(files), 0)
        self.assertEqual(problems, [], "\n" + "\n".join(problems))

    def test_a_leaked_path_is_seen(self):
        here = f"/{HERE}/jane"
        self.assertEqual(leaks(f"x\ncd {here} && make\n".encode()), [(2, here)])
        self.assertEqual(leaks(b'"/home/jane/x"'), [(1, "/home/jane")])
        self.assertEqual(leaks(b"see /root/.cache"), [(1, "/root/.cache")])

    def test_paths_that_are_nobodys_are_allowed(self):
        for text in (b"${ROOT}/home/x", b"build/home/x", b"/opt/share", b"a home/away day", b"~/home/x"):
            with self.subTest(text=text):
                self.assertEqual(leaks(text), [])


if __name__ == "__main__":
    tree.main()
