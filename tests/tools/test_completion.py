"""Tab completion in the shells: the scripts that are installed, asked as the shells ask them."""
import os
import shutil
import subprocess
import unittest
from pathlib import Path

SCRIPTS = Path(os.environ["ESPALIER_COMPLETION"])


def shell(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not result.stderr, result.stderr
    return result.stdout.split()


class Bash(unittest.TestCase):
    def completed(self, *words):
        """What bash offers for the last of the words."""
        quoted = " ".join(f"'{word}'" for word in words)
        return shell("bash", "-c", f"source '{SCRIPTS}/espalier.bash'; COMP_WORDS=({quoted}); "
                     f"COMP_CWORD={len(words) - 1}; _espalier; echo \"${{COMPREPLY[@]}}\"")

    def test_verbs_are_completed(self):
        self.assertEqual(self.completed("espalier", "insp"), ["inspect"])
        self.assertLessEqual({"run", "quantize", "verify"}, set(self.completed("espalier", "")))

    def test_options_are_those_of_the_verb(self):
        self.assertEqual(self.completed("espalier", "run", "m.espl", "--form"), ["--format"])
        self.assertEqual(self.completed("espalier", "inspect", "m.espl", "--text"), [])
        self.assertEqual(self.completed("espalier-run", "m.espl", "--form"), ["--format"])

    def test_choices_of_an_option_are_completed(self):
        self.assertEqual(self.completed("espalier", "quantize", "d", "--weights", "int"), ["int4", "int8"])

    def test_a_value_without_choices_is_left_to_the_names_of_files(self):
        self.assertEqual(self.completed("espalier", "quantize", "d", "-o", ""), [])


@unittest.skipUnless(shutil.which("fish"), "no fish here")
class Fish(unittest.TestCase):
    def completed(self, line):
        return [word.split("\t")[0] for word in subprocess.run(
            ["fish", "--no-config", "-c", f"source '{SCRIPTS}/espalier.fish'; complete -C '{line}'"],
            capture_output=True, text=True, check=True).stdout.splitlines()]

    def test_verbs_options_and_choices_are_completed(self):
        self.assertEqual(self.completed("espalier insp"), ["inspect"])
        self.assertEqual(self.completed("espalier run m.espl --form"), ["--format"])
        self.assertEqual(self.completed("espalier quantize d --weights int"), ["int4", "int8"])
        self.assertEqual(self.completed("espalier-run m.espl --form"), ["--format"])


@unittest.skipUnless(shutil.which("zsh"), "no zsh here")
class Zsh(unittest.TestCase):
    def test_the_script_completes_verbs_options_and_choices(self):
        # The functions of the completion system are stood in for: they print what they would offer.
        stubs = ("_describe() { print -l -- ${(P)2} }; _files() { print FILES }; "
                 "compadd() { shift; print -l -- $@ }; ")

        def completed(*words):
            quoted = " ".join(f"'{word}'" for word in words)
            return [word.split(":")[0] for word in subprocess.run(
                ["zsh", "-f", "-c", f"{stubs} words=({quoted}); CURRENT={len(words)}; "
                 f"offer() {{ source '{SCRIPTS}/_espalier' }}; offer"],
                capture_output=True, text=True, check=True).stdout.splitlines()]

        self.assertIn("inspect", completed("espalier", "i"))
        self.assertIn("--format", completed("espalier", "run", "m.espl", "--f"))
        self.assertNotIn("--text", completed("espalier", "inspect", "m.espl", "--f"))
        self.assertEqual(completed("espalier", "quantize", "d", "--weights", ""), ["int4", "int8", "bf16", "fp32"])
        self.assertEqual(completed("espalier", "quantize", "d", "-o", ""), ["FILES"])
        self.assertEqual(completed("espalier", "quantize", ""), ["FILES"])


if __name__ == "__main__":
    unittest.main()
