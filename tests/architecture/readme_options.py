"""The option tables of README.md are those of the programs: `espalier help --markdown`, table by table.

A build without LibTorch has only the first of the programs; the tables of the others are then not looked at.

Commands that take the same options may share one table in the README, under a heading that names them all."""
import os
import re
import subprocess
import unittest
from pathlib import Path

import tree

SECTION = re.compile(r"^### (.*?)\n(.*?)(?=^#{1,3} |\Z)", re.MULTILINE | re.DOTALL)


PROGRAMS = ["espalier", "espalier-train", "espalier-distill", "espalier-prune", "espalier-quantize"]


def without_training(page):
    """The page without its chapter on the programs that train."""
    return re.sub(r"^## Training options\n.*?(?=^## )", "", page, flags=re.MULTILINE | re.DOTALL)


def option_tables(markdown):
    """{command: its table} of the sections whose heading names commands, as in '### `espalier run`'."""
    tables = {}
    for heading, body in SECTION.findall(markdown):
        table = "".join(line + "\n" for line in body.splitlines() if line.startswith("|"))
        for command in re.findall(r"`(espalier [a-z]+(?: --[a-z]+)?)`", heading):
            tables[command] = table
    return tables


def out_of_step(page, help_text):
    """The commands whose table in `page` is missing, differs from the one in `help_text`, or is no command's."""
    shown, true = option_tables(page), option_tables(help_text)
    return sorted(command for command in shown.keys() | true.keys() if shown.get(command) != true.get(command))


class ReadmeOptions(unittest.TestCase):
    def test_every_table_is_the_one_that_the_program_prints(self):
        programs = os.environ.get("ESPALIER_PROGRAMS", "")
        if not programs:
            self.fail("ESPALIER_PROGRAMS names no folder: run this through ctest")
        present = [path for name in PROGRAMS if (path := Path(programs) / name).exists()]
        printed = "".join(subprocess.run([path, "help", "--markdown"], check=True, capture_output=True,
                                         text=True).stdout for path in present)
        page = (tree.ROOT / "README.md").read_text(encoding="utf-8")
        if len(present) < len(PROGRAMS):
            page = without_training(page)

        self.assertGreater(len(option_tables(printed)), 0, "the program printed no table")
        self.assertEqual(out_of_step(page, printed), [],
                         "paste these tables anew from `espalier help --markdown`:\n" + printed)


class TheComparisonBites(unittest.TestCase):
    HELP = "### `espalier a`\n\nsummary\n\n| x |\n|---|\n| 1 |\n\n### `espalier b`\n\n| x |\n|---|\n| 1 |\n"

    def test_commands_may_share_a_table(self):
        page = "# P\n### `espalier a`, `espalier b`: do it\n| x |\n|---|\n| 1 |\n\n## Next\n| y |\n"

        self.assertEqual(out_of_step(page, self.HELP), [])

    def test_a_changed_a_missing_and_a_stale_table_are_seen(self):
        page = "### `espalier a`\n| x |\n|---|\n| 2 |\n### `espalier c`\n| x |\n"

        self.assertEqual(out_of_step(page, self.HELP), ["espalier a", "espalier b", "espalier c"])


if __name__ == "__main__":
    tree.main()
