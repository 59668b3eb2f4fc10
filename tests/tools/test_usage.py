"""Manners of the command line: help, versions, suggestions, exit codes."""
import os
import shutil
import unittest

from support import CLI, RUN, VERBS, Models, ProgramTest, start

models = Models()


class Help(ProgramTest):
    def test_every_verb_explains_itself_on_one_screen_with_examples_first(self):
        for verb in VERBS:
            with self.subTest(verb=verb):
                text = self.ok(verb, "--help")
                # compress has the options of a whole pipeline.
                self.assertLessEqual(len(text.splitlines()), 40 if verb in ("compress", "tradeoff") else 30)
                self.assertLess(text.index(f"  espalier {verb}"), text.index("--help"))
                self.assertEqual(text, self.ok("help", verb))
                self.assertTrue(all(len(line) <= 100 for line in text.splitlines()), text)

    def test_the_overview_names_every_verb_and_the_exit_codes(self):
        text = self.ok("--help")
        for word in [*VERBS, "eval", "finetune", "130 interrupted"]:
            self.assertIn(word, text)
        self.assertLessEqual(len(text.splitlines()), 30)

    def test_the_markdown_tables_hold_every_option_of_the_help(self):
        markdown = self.ok("help", "--markdown")
        for verb in VERBS:
            table = markdown.split(f"### `espalier {verb}`")[1].split("###")[0]
            for line in self.ok(verb, "--help").splitlines():
                word = line.split()[0].rstrip(",") if line.startswith("  -") else ""
                if word and word != "-h":
                    self.assertIn(word, table)

    def test_versions_name_compiler_instructions_and_file_format(self):
        text = self.ok("--version")
        self.assertRegex(text, r"espalier \d+\.\d+\.\d+ \((GNU|Clang) ")
        self.assertIn("instruction set", text)
        self.assertIn("file format version", text)
        self.assertIn("espalier-run ", self.ok("--version", program=RUN))


class Mistakes(ProgramTest):
    def test_an_unknown_verb_gets_a_suggestion(self):
        self.fails(2, "quantise", "x", says="did you mean 'quantize'?")
        self.fails(2, "rn", says="did you mean 'run'?")
        self.assertNotIn("did you mean", self.fails(2, "xylophone", says="unknown command 'xylophone'"))

    def test_no_verb_at_all_is_a_usage_error(self):
        self.fails(2, says="espalier --help")

    def test_an_unknown_option_gets_a_suggestion(self):
        self.fails(2, "run", "m.espl", "--tex", "a", says="unknown option '--tex'; did you mean '--text'?")
        self.fails(2, "run", "m.espl", "--tex", "a", says="did you mean '--text'?", program=CLI)
        self.fails(2, "m.espl", "--quite", says="did you mean '--quiet'?", program=RUN)

    def test_values_are_checked_before_any_work(self):
        self.fails(2, "run", "m.espl", "--text", "a", "-t", "0", says="from 1 to 1024, not '0'")
        self.fails(2, "run", "m.espl", "--text", "a", "--format", "jsn", says="did you mean 'jsonl'?")
        self.fails(2, "convert", "x", "-o", "y", "--precision", "int9", says="fp32, bf16 or int8")
        self.fails(2, "run", "m.espl", "--text", says="--text needs a value")
        self.fails(2, "run", "m.espl", says="nothing to answer")
        self.fails(2, "run", "--text", "a", says="MODEL is required")
        self.fails(2, "convert", "x", says="--output is required")

    def test_one_argument_too_many_is_named(self):
        self.fails(2, "run", "m.espl", "n.espl", "--text", "a", says="one argument too many: 'n.espl'")

    def test_control_bytes_of_an_argument_do_not_reach_the_terminal(self):
        self.assertNotIn("\x1b", self.fails(2, "\x1b[31mred", says="\\x1b[31mred"))

    def test_a_missing_model_is_a_bad_input_with_its_name(self):
        for verb in ["run", "inspect", "verify", "bench", "tokenize"]:
            extra = ["--text", "a"] if verb in ("run", "tokenize") else []
            self.fails(3, verb, self.folder / "nope.espl", *extra, says="nope.espl")
        self.fails(3, "evaluate", self.folder / "nope.espl", "--data", "x", says="nope.espl")
        self.fails(3, "quantize", self.folder / "nope", "-o", self.folder / "m.espl", says="nope")
        self.assertFalse((self.folder / "m.espl").exists())

    def test_verbs_of_the_torch_tools_say_how_to_get_them(self):
        alone = self.folder / "espalier"
        shutil.copy(CLI, alone)
        for verb in ["vocab", "pretrain", "finetune", "distill", "prune"]:
            self.fails(6, verb, "--help", says="cmake --preset release", program=alone)

    def test_a_torch_tool_beside_the_program_gets_the_arguments(self):
        shutil.copy(CLI, self.folder / "espalier")
        tool = self.file("espalier-train", "#!/bin/sh\necho \"$@\"\nexit 5\n")
        tool.chmod(0o755)
        done = start("finetune", "a b", "--epochs", "3", program=self.folder / "espalier")
        self.assertEqual((done.returncode, done.stdout), (5, "finetune a b --epochs 3\n"))

    def test_an_unwritable_standard_output_is_exit_4(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            self.fails(4, "sys", says="standard output could not be written", stdout=full)
            self.fails(4, "inspect", models.model("sequence"), says="standard output", stdout=full)


if __name__ == "__main__":
    os.environ.pop("ESPALIER_BACKEND", None)
    unittest.main()
