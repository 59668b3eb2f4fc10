"""compress: the plan, the budget and what becomes of a miss, lines to type, and runs that are stopped and go on."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from support import CLI, Models, ProgramTest, start
from training import CLASSIFY, PRUNE

models = Models()

# Forty rows, of which the tiny checkpoint gets some right.
ROWS = CLASSIFY

# Learns for a few seconds on one thread.
RECIPE = """stages:
  - prune: {method: embedding, rank: 8}
  - prune:
      method: magnitude
      target-flops: 2
      neuron-multiple: 8
      recover-epochs: %d
      batch-size: 8
      learning-rate: 2e-3
      max-length: 16
  - quantize
"""


class CompressTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.checkpoint = models.checkpoint("sequence")
        self.out = self.folder / "m.espl"
        self.rows = self.file("rows.tsv", ROWS)

    def compress(self, *arguments, out=None, **keywords):
        return self.ok_json("compress", self.checkpoint, "-o", out or self.out, "-t", 1, *arguments, **keywords)

    def refused(self, code, *arguments, says):
        before = set(os.listdir(self.folder))
        message = self.fails(code, "compress", self.checkpoint, "-o", self.out, *arguments, says=says)
        self.assertEqual(set(os.listdir(self.folder)), before)
        return message

    def recipe(self, text):
        return self.file("r.yaml", text)


class Plain(CompressTest):
    def test_no_more_than_a_folder_and_a_name_gives_int8_and_a_card(self):
        report = self.compress()

        self.assertEqual(report["precision"], "int8")
        self.ok("verify", self.out)
        card = (self.folder / "m.md").read_text()
        self.assertTrue(card.startswith("---\nlibrary_name: espalier\n"), card)
        self.assertIn("pipeline_tag: text-classification\n", card)
        self.assertIn("| `quantize` |", card)
        self.assertEqual(sorted(os.listdir(self.folder)), ["m.espl", "m.md", "rows.tsv"])

    def test_an_existing_card_is_replaced_only_by_force(self):
        self.file("m.md", "mine")
        self.refused(4, says="--force")
        self.assertEqual((self.folder / "m.md").read_text(), "mine")
        self.compress("--force")
        self.assertIn("espalier verify m.espl", (self.folder / "m.md").read_text())

    def test_the_card_repeats_what_the_base_model_says_of_itself(self):
        base = self.folder / "base"
        shutil.copytree(self.checkpoint, base)
        (base / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n# base\n")
        self.ok("compress", base, "-o", self.out)
        self.assertTrue((self.folder / "m.md").read_text().startswith("---\nlanguage: en\nlicense: mit\n"))


class Lines(CompressTest):
    """Exit code 2 with the line to type."""

    def test_a_budget_without_rows_to_judge_by(self):
        for option in ["--max-drop", "--max-slice-drop", "--target-speedup"]:
            message = self.refused(2, option, 0.5, says=f"{option} is judged on labelled rows")
            self.assertIn(f"espalier compress {self.checkpoint} -o {self.out} {option} 0.5 --eval dev.tsv", message)

    def test_a_preset_that_trains_without_rows_to_learn_from(self):
        for preset in ["balanced", "small", "tiny"]:
            message = self.refused(2, "--preset", preset, says=f"'{preset}' trains")
            self.assertIn(f"--preset {preset} --train train.tsv --eval dev.tsv", message)
        message = self.refused(2, "--preset", "tiny", "--eval", self.rows, says="trains")
        self.assertIn(f"--eval {self.rows} --train train.tsv (see", message)

    def test_options_that_say_nothing_together(self):
        self.refused(2, "--eval", self.rows, "--confidence", 0.95, says="--max-drop 0.5")
        self.refused(2, "--eval", self.rows, "--gate", self.rows, says="are the same file")
        self.refused(2, "--gate", self.rows, says="--eval dev.tsv")
        self.refused(2, "--preset", "light", "--recipe", "r.yaml", says="give one of them")
        self.refused(2, "--bf16", says="'light' has none that does")
        self.refused(2, "--preset", "smal", says="did you mean 'small'?")
        self.refused(2, "--eval", self.rows, "--max-drop", "much", says="--max-drop takes a number from 0 to 100")

    def test_confidence_of_a_task_without_one_label_a_row(self):
        self.checkpoint = models.checkpoint("regression")
        self.refused(2, "--eval", self.rows, "--max-drop", 1, "--confidence", 0.9, says="task regress is decided by")


class Recipes(CompressTest):
    def test_a_preset_can_be_printed_and_read_again(self):
        for preset in ["light", "balanced", "small", "tiny"]:
            text = self.ok("compress", self.checkpoint, "-o", self.out, "--preset", preset, "--print-recipe")
            again = self.ok("compress", self.checkpoint, "-o", self.out, "--recipe", self.recipe(text), "--print-recipe")
            self.assertEqual(text, again)
            self.assertEqual(text.splitlines()[0].split(":")[0], f"# {preset}")

    def test_options_of_a_stage_are_those_of_the_command(self):
        for text, says in [("prune: {target-flop: 2}", "r.yaml:2: prune has no option 'target-flop'; did you mean 'target-flops'?"),
                           ("prune: {method: fishr}", "--method takes random, magnitude"),
                           ("prune: {rank: -1}", "--rank takes a whole number from 0 to 16384, not '-1'"),
                           ("prune: {dropout: 2}", "--dropout takes a number from 0 to 0.9"),
                           ("finetune: {epochs: 1}", "finetune needs 'task'"),
                           ("distill: {student-layers: 1, presett: logits}", "did you mean 'preset'?"),
                           ("convert: {}", "unknown stage 'convert'"),
                           ("prune: {train: x}", "'train' of prune is no part of a recipe")]:
            with self.subTest(text=text):
                self.refused(3, "--recipe", self.recipe(f"stages:\n  - {text}\n  - quantize\n"), says=says)

    def test_options_of_quantize_hold(self):
        self.compress("--recipe", self.recipe("stages:\n  - quantize: {keep: [word, qkv]}\n"))
        self.assertIn("parts        6 int8; 3 fp32: embedding.word, ", self.ok("inspect", self.out))

    def test_the_plan_is_printed_and_nothing_is_done(self):
        before = set(os.listdir(self.folder))
        arguments = ["--preset", "small", "--train", self.rows, "--eval", self.rows, "--max-drop", 0.5, "--dry-run"]
        text = self.ok("compress", self.checkpoint, "-o", self.out, *arguments)
        self.assertIn(f"espalier prune {self.checkpoint} --method embedding --rank 192 --train {self.rows}", text)
        self.assertIn("small, lighter", text)
        self.assertIn("predicted from the shapes", text)
        self.assertIn("time is unknown before", text)
        self.assertIn("the third that nobody has looked at decides", text)
        plan = self.compress(*arguments)
        self.assertEqual([stage["stage"].split()[0] for stage in plan["stages"]], ["prune", "prune", "quantize"])
        self.assertGreater(plan["stages"][1]["training_multiply_adds"], 0)
        self.assertEqual(set(os.listdir(self.folder)), before)

    def test_the_predicted_size_is_near_the_files(self):
        report = self.compress()
        plan = self.compress("--dry-run")
        self.assertLess(abs(plan["candidates"][0]["predicted_bytes"] - report["bytes"]), 20000)


class Budget(CompressTest):
    def test_what_keeps_the_budget_is_written_with_its_figures(self):
        report = self.compress("--eval", self.rows, "--max-drop", 50)

        first = report["candidates"][0]
        self.assertEqual((report["candidate"], first["verdict"]), ("light", "accepted"))
        self.assertEqual((first["choosing"]["rows"], first["deciding"]["rows"]), (27, 13))
        self.assertEqual(len(first["deciding"]["interval"]), 2)
        self.ok("verify", self.out)
        made = self.ok_json("inspect", self.out)["provenance"]
        self.assertEqual([stage["name"] for stage in made], ["quantize", "compress"])
        self.assertEqual(made[1]["options"]["recipe"], "light")
        self.assertIn("rows.tsv", made[1]["inputs"])
        self.assertIn("accuracy before", made[1]["metrics"])
        self.assertNotIn(str(self.folder), json.dumps(made))
        card = (self.folder / "m.md").read_text()
        self.assertIn("model-index:", card)
        self.assertIn("(every third row)", card)

    def test_the_scores_are_those_of_evaluate(self):
        gate = self.file("gate.tsv", "".join(line + "\n" for line in ROWS.splitlines()[:21]))
        report = self.compress("--eval", self.rows, "--gate", gate, "--max-drop", 50)
        expected = self.ok_json("evaluate", self.out, "--data", gate, "--compare", models.model("sequence", "fp32"))
        deciding = report["candidates"][0]["deciding"]
        self.assertEqual(deciding["rows"], 20)
        self.assertAlmostEqual(deciding["after"], expected["accuracy"])
        self.assertAlmostEqual(deciding["before"], expected["compare"]["accuracy"])
        self.assertAlmostEqual(deciding["mcnemar_p"], expected["mcnemar_p"])
        low, high = expected["accuracy_difference_95"]
        self.assertAlmostEqual(deciding["interval"][0], -high)
        self.assertAlmostEqual(deciding["interval"][1], -low)

    def test_a_miss_is_exit_5_with_the_best_candidates_and_no_file(self):
        message = self.fails(5, "compress", self.checkpoint, "-o", self.out, "--eval", self.rows, "--max-drop", 0.1,
                             "--target-size", 0.001, says="no candidate keeps a drop of at most 0.1 points, at most 0.00 MB")
        self.assertIn("\n  light: ", message)
        self.assertIn("; too large", message)
        self.assertIn("one of the 40 rows that decide weighs 2.50 points", message)
        self.assertIn("1000 rows", message)
        self.assertEqual(sorted(os.listdir(self.folder)), ["m.espl.work", "rows.tsv"])
        outcome = json.loads((self.folder / "m.espl.work" / "candidates" / "1.json").read_text())
        self.assertEqual(outcome["verdict"], "too large")
        self.assertEqual(outcome["deciding"]["rows"], 40)

    def test_slices_are_part_of_the_budget_and_a_miss_names_the_worst(self):
        header, *rows = ROWS.splitlines()
        by_length = [f"{row}\t{'long' if row.count(' ') > 2 else 'short'}" for row in rows]
        data = self.file("sliced.tsv", "\n".join([header + "\tlength", *by_length]) + "\n")
        arguments = ["--eval", data, "--slice-column", "length"]
        report = self.compress(*arguments, "--max-slice-drop", 90)
        slices = report["candidates"][0]["deciding"]["slices"]
        self.assertTrue({one["slice"] for one in slices} <= {"label=positive", "label=negative", "length=long", "length=short"})
        self.assertEqual(sum(one["rows"] for one in slices), 2 * report["candidates"][0]["deciding"]["rows"])
        points = [one["points"] for one in slices]
        self.assertEqual(points, sorted(points, reverse=True))
        self.assertIn("worst slice '", (self.folder / "m.md").read_text())

        # So sure of so few rows is nobody.
        message = self.fails(5, "compress", self.checkpoint, "-o", self.folder / "n.espl", *arguments, "--max-slice-drop", 0.1,
                             "--confidence", 0.95, says="a drop of at most 0.1 points in every label and slice with a confidence")
        self.assertRegex(message, r"worst slice '(label|length)=\w+': accuracy ")
        self.fails(3, "compress", self.checkpoint, "-o", self.folder / "o.espl", "--eval", data, "--slice-column", "size",
                   says="(columns: 'text', 'label', 'length')")
        self.out, self.checkpoint = self.folder / "o.espl", models.checkpoint("regression")
        self.refused(2, "--eval", data, "--max-slice-drop", 1, says="task regress is judged by a rank")

    def test_the_interval_decides_with_a_confidence(self):
        message = self.fails(5, "compress", self.checkpoint, "-o", self.out, "--eval", self.rows, "--max-drop", 0.1,
                             "--confidence", 0.95, says="with a confidence of 95 %")
        self.assertIn("loses too much on the rows that decide", message)
        self.assertFalse(self.out.exists())

    def test_a_speed_up_that_cannot_be(self):
        message = self.fails(5, "compress", self.checkpoint, "-o", self.out, "--eval", self.rows, "--target-speedup", 900,
                             "-t", 1, says="900 x the speed of fp32")
        self.assertIn("; too slow", message)

    def test_taggers_and_numbers_are_judged_by_their_own_score(self):
        tagged = self.file("t.conll", "john B-PER\nwent O\n\nmary B-PER\n\nthe O\ntree O\n\n" * 3)
        scored = self.file("s.tsv", "text\tscore\nthe film\t1\nbad\t2\ngood film\t3\nbest\t5\n")
        for kind, data, metric in [("tokens", tagged, "entity_f1"), ("regression", scored, "spearman")]:
            with self.subTest(kind=kind):
                self.checkpoint = models.checkpoint(kind)
                report = self.compress("--eval", data, "--work", self.folder / kind, "--force")
                self.assertEqual(report["candidates"][0]["deciding"]["metric"], metric)


class GoingOn(CompressTest):
    def test_a_finished_run_is_not_done_again_and_gives_the_same_bytes(self):
        arguments = ["--eval", self.rows, "--max-drop", 50]
        self.compress(*arguments)
        first = self.out.read_bytes()
        stage = next((self.folder / "m.espl.work" / "stages").glob("1-quantize-*")) / "stage.json"
        made = stage.stat().st_mtime_ns
        self.fails(4, "compress", self.checkpoint, "-o", self.out, "-t", 1, *arguments, says="--force")
        self.compress(*arguments, "--force")
        self.assertEqual((stage.stat().st_mtime_ns, self.out.read_bytes()), (made, first))

    def test_a_run_may_lie_in_the_checkpoint_folder(self):
        base = self.folder / "base"
        shutil.copytree(self.checkpoint, base)
        for _ in range(2):
            self.ok("compress", base, "-o", base / "m.espl", "--eval", self.rows, "-t", 1, "--max-drop", 50, "--force")
        (base / "config.json").write_text((base / "config.json").read_text() + " ")
        (base / "m.espl").unlink()
        (base / "m.md").unlink()
        self.fails(4, "compress", base, "-o", base / "m.espl", "--eval", self.rows, "-t", 1, "--max-drop", 50,
                   says="with another 'DIR/config.json'")

    def test_changed_rows_and_options_are_noticed(self):
        arguments = ["--eval", self.rows, "--max-drop", 50, "--work", self.folder / "work"]
        self.compress(*arguments)
        self.out.unlink()
        (self.folder / "m.md").unlink()
        self.refused(4, *arguments, "-t", 1, "--seed", 2, says="with another '--seed'; --force starts over")
        self.file("rows.tsv", ROWS + "good\tpositive\n")
        self.refused(4, *arguments, "-t", 1, says="with another '--eval'; --force starts over")
        report = self.compress(*arguments, "--force")
        self.assertEqual(report["candidates"][0]["choosing"]["rows"], 28)

    def test_a_stage_that_trains_says_what_it_needs(self):
        alone = self.folder / "espalier"
        shutil.copy(CLI, alone)
        message = self.fails(6, "compress", self.checkpoint, "-o", self.out, "--preset", "small", "--train", self.rows,
                             program=alone, says="ended with exit code 6")
        self.assertIn("cmake --preset release", message)


@unittest.skipUnless(PRUNE.exists(), "needs espalier-prune, a program of the release build")
class Training(CompressTest):
    def arguments(self, epochs):
        return ["--recipe", self.recipe(RECIPE % epochs), "--train", self.rows, "--eval", self.rows, "-t", 1]

    def test_stages_follow_each_other_and_the_file_tells_of_them(self):
        report = self.compress(*self.arguments(2)[:-2])

        self.assertEqual([stage["stage"].split()[0] for stage in report["stages"]], ["prune", "prune", "quantize"])
        made = self.ok_json("inspect", self.out)
        self.assertEqual([stage["name"] for stage in made["provenance"]], ["prune", "prune", "quantize", "compress"])
        self.assertIn("accuracy", made["provenance"][1]["metrics"])
        self.assertEqual(made["provenance"][1]["options"]["target-flops"], "2")
        self.assertLess(report["bytes"], models.model("sequence").stat().st_size)
        self.ok("verify", self.out)

    def test_a_killed_run_goes_on_to_the_same_bytes(self):
        arguments = self.arguments(40)
        self.ok("compress", self.checkpoint, "-o", self.folder / "whole.espl", *arguments)
        for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
            with self.subTest(signal=number):
                out = self.folder / f"{code}.espl"
                log = Path(f"{out}.work")
                with subprocess.Popen([CLI, "compress", self.checkpoint, "-o", out, *map(str, arguments)],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as program:
                    while not any(path.stat().st_size for path in log.glob("stages/2-prune-*/model/training/log.jsonl")):
                        self.assertIsNone(program.poll(), "it ended before it could be stopped")
                        time.sleep(0.01)
                    os.kill(program.pid, number)
                    printed, said = program.communicate(timeout=300)
                self.assertEqual((program.returncode, printed), (code, ""), said)
                self.assertFalse(out.exists())
                self.assertTrue(list(log.glob("stages/2-prune-*/model/training/state.safetensors")))
                done = next(log.glob("stages/1-prune-*/stage.json"))
                made = done.stat().st_mtime_ns
                again = start("compress", self.checkpoint, "-o", out, *arguments)
                self.assertEqual(again.returncode, 0, again.stderr)
                self.assertRegex(again.stderr, r"going on after step [1-9]")
                self.assertEqual(done.stat().st_mtime_ns, made)
                self.assertEqual(out.read_bytes(), (self.folder / "whole.espl").read_bytes())

    def test_a_trimmed_vocabulary_binds_the_model_to_its_domain(self):
        report = self.compress("--trim-vocab", self.rows, "--eval", self.rows)

        self.assertEqual(len(report["stages"]), 2)
        text = self.ok("inspect", self.out)
        kept = re.search(r"^domain-bound +(\d+ of \d+ pieces)$", text, re.MULTILINE)
        self.assertTrue(kept, text)
        self.assertIn(f"**Domain-bound: {kept[1]}.**", (self.folder / "m.md").read_text())
        self.assertIn("  - domain-bound\n", (self.folder / "m.md").read_text())

    def test_a_student_learns_with_answers_kept_for_all_candidates(self):
        recipe = self.recipe("stages:\n  - distill: {student-layers: 1, epochs: 1, batch-size: 8}\n  - quantize\n")
        self.compress("--recipe", recipe, "--train", self.rows, "--eval", self.rows, "--max-drop", 90)
        self.assertTrue(list((self.folder / "m.espl.work" / "cache").iterdir()))


if __name__ == "__main__":
    os.environ.pop("ESPALIER_BACKEND", None)
    unittest.main()
