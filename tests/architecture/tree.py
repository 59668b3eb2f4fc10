"""What the architecture tests share: the repository's root and its files. Python's standard library only."""
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77  # the exit status that CTest shows as "Skipped"


def source_files(*folders, suffixes=(".cpp", ".hpp", ".h", ".c", ".cu", ".cuh")):
    """Every source file below the named folders of the root, whether git knows it yet or not."""
    found = []
    for folder in folders:
        found += [path for path in (ROOT / folder).rglob("*") if path.suffix in suffixes and path.is_file()]
    return sorted(found)


def tracked_files():
    """The files that git tracks or would track, as paths relative to the root; None outside a git checkout."""
    if not (ROOT / ".git").exists():
        return None
    # safe.directory: a checkout that belongs to another user (a container's mount) is read all the same.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    names = [Path(os.fsdecode(name)) for name in listed.split(b"\0") if name]
    return sorted(name for name in names if (ROOT / name).is_file())


def includes_of(text):
    """(line number, header as written with its brackets) of every #include; comments do not count."""
    # A block comment becomes as many newlines as it had, so that line numbers stay right.
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group().count("\n"), text, flags=re.DOTALL)
    pattern = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>]*>|"[^"]*")', re.MULTILINE)
    return [(text.count("\n", 0, match.start()) + 1, match.group(1)) for match in pattern.finditer(text)]


def main():
    """Runs the tests of the calling file; a file whose tests were all skipped ends with SKIPPED."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.skipped and len(result.skipped) == result.testsRun else 0)
