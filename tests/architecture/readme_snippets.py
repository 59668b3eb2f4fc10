"""Runs the shell snippets of every README, so that what it tells a reader to type is known to work.

Before each block fenced as ```sh stands one of these, invisible on the rendered page:
  <!-- run -->               the block is run, in order with the page's other ones, in one temporary folder
  <!-- run with LibTorch --> the same where the programs that train were built
  <!-- not run: REASON -->   it is not, and this says why
In that folder my-bert/ is a tiny checkpoint; PATH begins with the built programs (ESPALIER_PROGRAMS, set by CTest)."""
import os
import re
import subprocess
import tempfile
import unittest
from typing import NamedTuple

import tree

FENCE = re.compile(r"^```sh[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"<!-- (run|run with LibTorch|not run: \S.*?) -->\s*\Z")


class Snippet(NamedTuple):
    line: int
    mark: str  # "run", "run with LibTorch", "not run: ..." or "" where the mark is missing
    script: str


def snippets(text):
    """The ```sh blocks of a Markdown page."""
    found = []
    for match in FENCE.finditer(text):
        before = text[:match.start()]
        mark = MARK.search(before)
        found.append(Snippet(before.count("\n") + 1, mark.group(1) if mark else "", match.group(1)))
    return found


def run(script, folder, programs):
    """Runs `script` as a careful shell would; (exit status, what it printed)."""
    environment = dict(os.environ, PATH=os.pathsep.join([programs, os.environ["PATH"]]))
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300)
    return done.returncode, done.stdout


def readmes():
    files = tree.tracked_files()
    if files is None:
        files = [path.relative_to(tree.ROOT) for path in tree.ROOT.glob("README.md")]
    return [file for file in files if file.name == "README.md"]


class ReadmeSnippets(unittest.TestCase):
    def test_every_snippet_says_whether_it_is_run(self):
        unmarked = []
        for file in readmes():
            text = (tree.ROOT / file).read_text(encoding="utf-8")
            unmarked += [f"{file}:{snippet.line}" for snippet in snippets(text) if not snippet.mark]
        self.assertEqual(unmarked, [], "no '<!-- run -->' or '<!-- not run: reason -->' before these blocks")

    def test_every_snippet_marked_so_runs(self):
        programs = os.environ.get("ESPALIER_PROGRAMS", "")
        if not programs:
            self.fail("ESPALIER_PROGRAMS names no folder: run this through ctest")
        marks = ["run"]
        if os.path.exists(os.path.join(programs, "espalier-train")):
            marks.append("run with LibTorch")
        for file in readmes():
            text = (tree.ROOT / file).read_text(encoding="utf-8")
            to_run = [snippet for snippet in snippets(text) if snippet.mark in marks]
            if not to_run:
                continue
            with tempfile.TemporaryDirectory() as folder:
                make_checkpoint = os.environ["ESPALIER_MAKE_TINY_CHECKPOINT"]
                subprocess.run([make_checkpoint, os.path.join(folder, "my-bert")], check=True)
                for snippet in to_run:
                    with self.subTest(file=str(file), line=snippet.line):
                        status, output = run(snippet.script, folder, programs)
                        self.assertEqual(status, 0, f"\n{snippet.script}\nprinted:\n{output}")


class TheRunnerBites(unittest.TestCase):
    PAGE = ("a\n\n<!-- run -->\n```sh\ntrue\n```\n<!-- run with LibTorch -->\n```sh\nls\n```\n\n<!-- not run: needs a network -->\n```sh\nfalse\n```\n\n"
            "```sh\nx\n```\n")

    def test_marks_are_read_and_a_missing_one_is_seen(self):
        self.assertEqual([(found.line, found.mark) for found in snippets(self.PAGE)],
                         [(4, "run"), (8, "run with LibTorch"), (13, "not run: needs a network"), (17, "")])

    def test_a_command_that_fails_in_the_middle_is_seen(self):
        with tempfile.TemporaryDirectory() as folder:
            status, _ = run("false\ntrue\n", folder, folder)
            self.assertNotEqual(status, 0)
            status, _ = run("false | cat\n", folder, folder)
            self.assertNotEqual(status, 0)

    def test_programs_are_found_first_where_they_were_built(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "ls")
            with open(program, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\necho ours\n")
            os.chmod(program, 0o755)

            self.assertEqual(run("ls\n", folder, folder), (0, "ours\n"))


if __name__ == "__main__":
    tree.main()
