"""Students: made by every preset, compared with what they would be alone, refused where they cannot understand their
teacher."""
import json
import shutil
import unittest
from pathlib import Path

from support import start
from training import ALIKE, CLASSIFY, LISTED, SCORED, TAGGED, TrainingTest, quick


class Distill(TrainingTest):
    _teacher = None

    def teacher(self):
        """Four layers that know the task, trained once."""
        if Distill._teacher is None:
            train = self.file("teaching.tsv", CLASSIFY)
            folder = self.models.folder / "teacher"
            self.ok("new", "--vocab", self.models.checkpoint("sequence"), "--layers", 4, "--hidden", 32, "--heads", 4, "-o",
                    "untrained")
            self.train("finetune", "untrained", "--task", "classify", "--train", train, "--eval", train, "--epochs", 15, "-o",
                       folder)
            Distill._teacher = folder
        return Distill._teacher

    def distil(self, *arguments, out="out", epochs=15):
        train = self.file("rows.tsv", CLASSIFY)
        return self.train("distill", "--teacher", self.teacher(), "--train", train, "--eval", train, "--epochs", epochs, "-o",
                          out, *arguments)

    def notes_of(self, *arguments):
        done = start("distill", *quick(arguments))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def test_every_preset_makes_a_student_that_knows_the_task(self):
        for preset in ["logits", "patient", "tinybert", "minilm", "hidden"]:
            with self.subTest(preset=preset):
                report = self.distil("--student-layers", 2, "--preset", preset, "--force")
                self.assertEqual((report["stage"], report["task"], report["teacher"]), ("distill", "classify", "teacher"))
                self.assertEqual((report["student"]["layers"], report["student"]["hidden"]), (2, 32))
                self.assertGreater(report["scores"]["accuracy"], 90)
                self.assertEqual(report["labels"], ["negative", "positive"])
                self.assertNotIn("/", json.dumps({**report, "energy": ""}))
                self.ok("quantize", "out", "-o", "m.espl", "--force")
                good, bad = self.ok_lines("run", "m.espl", "--text", "the film is best", "--text", "the film is worst")
                self.assertEqual((good["label"], bad["label"]), ("positive", "negative"))

    def test_a_student_can_be_narrower_or_bring_a_shape_of_its_own(self):
        for preset in ["logits", "tinybert", "minilm"]:
            self.assertEqual(self.distil("--student-hidden", 16, "--student-layers", 2, "--preset", preset, "--force",
                                         epochs=1)["student"]["hidden"], 16)
        self.ok("new", "--vocab", self.teacher(), "--layers", 1, "--hidden", 16, "--heads", 2, "-o", "start")
        report = self.distil("--student", "start", "--force", epochs=1)
        self.assertEqual((report["student"]["start"], report["student"]["layers"]), ("start", 1))
        self.assertEqual(json.loads(Path("out/config.json").read_text())["id2label"], {"0": "negative", "1": "positive"})

    def test_every_task_has_students(self):
        for kind, name, data in [("regression", "rows.tsv", SCORED), ("tokens", "rows.conll", TAGGED.replace("LOC", "PER")),
                                 ("embedding", "rows.tsv", ALIKE), ("multi_label", "rows.tsv",
                                                                    LISTED.replace("plant", "negative").replace(
                                                                        "animal", "positive"))]:
            with self.subTest(kind=kind):
                report = self.train("distill", "--teacher", self.models.checkpoint(kind), "--student-layers", 1, "--train",
                                    self.file(name, data), "--epochs", 1, "-o", kind)
                self.ok("convert", kind, "-o", f"{kind}.espl")
                self.assertEqual(self.ok_json("inspect", f"{kind}.espl")["task"], report["task"])

    def test_unlabelled_text_is_labelled_by_the_teacher(self):
        alone = self.distil("--student-layers", 2, out="alone", epochs=1)
        more = self.file("more.txt", "the river is good\n\nthe city is bad\n")
        self.assertEqual(self.distil("--student-layers", 2, "--unlabelled", more, out="more", epochs=1)["examples"],
                         alone["examples"] + 2)
        rows = self.file("more.tsv", "id\ttext\n1\tthe river is good\n")
        self.assertEqual(self.distil("--student-layers", 2, "--unlabelled", rows, out="rows", epochs=1)["examples"],
                         alone["examples"] + 1)

    def test_answers_are_kept_and_only_used_for_what_they_answer(self):
        train = self.file("rows.tsv", CLASSIFY)
        arguments = ["--teacher", self.teacher(), "--train", train, "--student-layers", 2, "--max-steps", 2, "--cache", "cache"]
        found = "the teacher's answers were found in the cache"

        self.assertNotIn(found, self.notes_of(*arguments, "-o", "one"))
        self.assertIn(found, self.notes_of(*arguments, "-o", "two"))
        self.assertEqual(self.weights("one"), self.weights("two"))
        self.file("rows.tsv", CLASSIFY.replace("garden", "house"))
        self.assertNotIn(found, self.notes_of(*arguments, "-o", "three"))

    def test_a_student_that_does_not_profit_is_told_apart(self):
        self.distil("--student-layers", 2, "--without-teacher", out="alone", epochs=1)
        card = json.loads(Path("alone/training.json").read_text())
        arguments = ["--teacher", self.teacher(), "--student-layers", 2, "--train", "rows.tsv", "--eval", "rows.tsv", "--epochs",
                     1, "--force"]
        for score, says in [(101, "warning: worse than the same student without its teacher ('alone'): accuracy "),
                            (-1, "note: at least as good as the same student without its teacher ('alone'): accuracy ")]:
            card["scores"]["accuracy"] = score
            Path("alone/training.json").write_text(json.dumps(card))
            for out in ["out", "out/"]:
                with self.subTest(score=score, out=out):
                    self.assertIn(says, self.notes_of(*arguments, "-o", out))
        # Another student is no comparison.
        self.assertNotIn("same student", self.notes_of(*arguments[:2], "--student-layers", 3, *arguments[4:], "-o", "out"))


class Refused(TrainingTest):
    def refused_distilling(self, code, *arguments, says, teacher="sequence"):
        train = self.file("rows.tsv", CLASSIFY)
        return self.refused(code, "distill", "--teacher", self.models.checkpoint(teacher), "--train", train, "-o", "out",
                            *arguments, says=says)

    def test_a_student_that_is_not_said(self):
        for options in [[], ["--student-layers", 0]]:
            self.refused_distilling(2, *options, says="--student-layers, --student-hidden or --student DIR")

    def test_a_student_that_is_said_twice_or_cannot_be(self):
        shutil.copytree(self.models.checkpoint("sequence"), "start")
        self.refused_distilling(2, "--student", "start", "--student-layers", 1, says="leave --student-layers")
        self.refused_distilling(2, "--student-layers", 9, says="--student-layers 9: the teacher has 2")
        self.refused_distilling(2, "--student-hidden", 64, says="64")

    def test_a_student_with_another_vocabulary(self):
        shutil.copytree(self.models.checkpoint("sequence"), "start")
        pieces = Path("start/vocab.txt").read_text().splitlines()
        pieces[-1], pieces[-2] = pieces[-2], pieces[-1]
        Path("start/vocab.txt").write_text("\n".join(pieces) + "\n")
        message = self.refused_distilling(3, "--student", "start", says="cut texts differently")
        self.assertIn("make it with --student-layers", message)

    def test_a_teacher_that_answers_no_task(self):
        self.refused_distilling(2, "--student-layers", 1, teacher="masked_lm", says="fine-tune it first")

    def test_labels_that_are_not_the_teachers(self):
        train = self.file("rows.tsv", CLASSIFY.replace("positive", "sunny"))
        message = self.refused(3, "distill", "--teacher", self.models.checkpoint("sequence"), "--student-layers", 1, "--train",
                               train, "-o", "out", says="label 'sunny'")
        self.assertIn("line 4", message)

    def test_unlabelled_text_without_a_teacher_to_read_it(self):
        more = self.file("more.txt", "good\n")
        self.refused_distilling(2, "--student-layers", 1, "--without-teacher", "--unlabelled", more, says="--unlabelled")
        for content, says in [(b"good\nb\xe4d\n", "line 2"), ("\n\n", "no text")]:
            self.refused_distilling(3, "--student-layers", 1, "--unlabelled", self.file("more.txt", content), says=says)

    def test_a_student_too_flat_for_the_preset(self):
        self.refused_distilling(2, "--student-layers", 1, "--preset", "patient", says="below the last")


if __name__ == "__main__":
    unittest.main()
