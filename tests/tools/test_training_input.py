"""What the training programs refuse: bad data by its line, folders in use, options that contradict each other; with
nothing written."""
import shutil
import unittest
from pathlib import Path

from training import CLASSIFY, PAIRS, TAGGED, TEXT, TrainingTest, judged_texts, table


class Data(TrainingTest):
    def refused_rows(self, content, says, *arguments, task="classify", kind="sequence", name="rows.tsv", code=3):
        train = self.file(name, content)
        return self.refused(code, "finetune", self.models.checkpoint(kind), "--task", task, "--train", train, "-o", "out",
                            *arguments, says=says)

    def test_files_without_rows(self):
        self.assertIn("rows.tsv", self.refused_rows("", "is empty"))
        self.assertIn("rows.tsv", self.refused_rows("text\tlabel\n", "there are no rows"))
        self.refused(3, "finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train", "nope.tsv", "-o",
                     "out", says="nope.tsv")

    def test_a_missing_column_lists_those_there_are(self):
        message = self.refused_rows("premise\tlabel\ngood\t1\n", "--text-column")
        self.assertIn("'premise'", message)
        self.refused_rows("text\tlable\ngood\t1\n", "--label-column")
        self.refused_rows(CLASSIFY, "no column 'sentence'", "--text-column", "sentence")
        self.refused_rows(CLASSIFY, "--pair-column", task="pair", code=2)

    def test_a_short_row_is_named_by_its_line(self):
        self.refused_rows("text\tlabel\ngood\tpositive\nbad\n", "line 3")

    def test_text_that_is_not_utf8_is_named_by_its_line(self):
        for broken in [b"text\tlabel\ngood\tpositive\nb\xe4d\tnegative\n", b"text\tlabel\ngood\tpositive\nbad\tn\xe4gative\n"]:
            for arguments in [[], ["--new-head"]]:
                self.assertIn("line 3", self.refused_rows(broken, "UTF-8", *arguments))
        self.assertIn("UTF-8", self.refused_rows(b"tree O\nberlin B-LOC\n\nm\xe4n O\n", "line 4", task="tag", name="a.conll"))
        self.assertIn("UTF-8", self.refused_rows(b"tree O\nberlin B-L\xe4C\n", "line", task="tag", name="a.conll",
                                                 kind="masked_lm"))

    def test_a_word_without_its_tag_is_named_by_its_line(self):
        self.refused_rows("tree O\nberlin B-LOC\nparis\n", "line 3", task="tag", name="a.conll", kind="masked_lm")
        rows = '{"tokens": ["a", "tree"], "tags": ["O", "O"]}\n{"tokens": ["a", "tree"], "tags": ["O"]}\n'
        self.refused_rows(rows, "line 2", "--text-column", "tokens", "--label-column", "tags", task="tag",
                          name="rows.jsonl", kind="masked_lm")

    def test_a_score_that_is_no_number_is_named_by_its_line(self):
        self.refused_rows("text\tscore\ngood\t1\nbad\tlow\n", "line 3", task="regress", kind="regression")
        self.refused_rows("text_a\ttext_b\tscore\na\tb\t1\na\tb\t\n", "line 3", task="embed", kind="embedding")

    def test_labels_that_are_not_the_checkpoints_name_new_head(self):
        message = self.refused_rows(table(["text", "label"], judged_texts(("down", "up"))), "line 2")
        for word in ["'down'", "'negative', 'positive'", "--new-head"]:
            self.assertIn(word, message)

    def test_a_label_that_only_the_evaluation_has_is_named_by_its_line(self):
        dev = self.file("dev.tsv", "text\tlabel\ngood\tup\nso so\tmiddling\n")
        rows = table(["text", "label"], judged_texts(("down", "up")))
        message = self.refused_rows(rows, "line 3", "--new-head", "--eval", dev)
        for word in ["dev.tsv", "'middling'", "'down', 'up'"]:
            self.assertIn(word, message)
        self.assertNotIn("--new-head", message)
        tags = self.file("dev.conll", "tree O\nacme B-ORG\n")
        self.assertIn("'B-ORG'", self.refused_rows(TAGGED, "dev.conll", "--eval", tags, task="tag", kind="masked_lm",
                                                   name="rows.conll"))

    def test_a_single_label_teaches_nothing(self):
        self.refused_rows("text\tlabel\ngood\tpositive\nfine\tpositive\n", "one label only, 'positive'", "--new-head")
        self.refused_rows("tree O\nfox O\n", "one label only, 'O'", task="tag", kind="masked_lm", name="a.conll")
        self.refused_rows("text\tlabels\ngood\t\nbad\t\n", "no labels", task="multi_label", kind="masked_lm")

    def test_options_that_do_not_go_together(self):
        for options, says in [(["--class-weights", "1,2,3"], "3 numbers, there are 2 labels"),
                              (["--class-weights", "1,-2"], "not '-2'"),
                              (["--class-weights", "1,"], "not ''")]:
            self.refused_rows(CLASSIFY, says, *options, code=2)
        self.refused_rows("text\tscore\ngood\t1\nbad\t0\n", "has no labels", "--labels", "a,b", task="regress", code=2)
        self.refused_rows("text\tscore\ngood\t1\nbad\t0\n", "has no classes", "--class-weights", "1,1", task="regress",
                          code=2)
        self.refused_rows(CLASSIFY, "twice", "--labels", "negative,positive,negative")
        self.refused_rows(table(["text", "label"], [("a", "x")]), "label 1 has no example", "--labels", "x,y",
                          "--class-weights", "balanced")


class Folders(TrainingTest):
    def test_a_folder_in_use_is_replaced_only_by_force(self):
        train = self.file("rows.tsv", CLASSIFY)
        arguments = ["finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train", train, "--max-steps", 1]
        out = self.folder / "out"
        out.mkdir()
        (out / "mine.txt").write_text("mine")
        self.refused(4, *arguments, "-o", "out", says="--force")
        self.assertEqual([path.name for path in out.iterdir()], ["mine.txt"])
        self.refused(4, *arguments, "-o", train, says="is not a folder")

        self.train(*arguments, "-o", "out", "--force")
        self.assertEqual((out / "mine.txt").read_text(), "mine")

    def test_the_input_is_never_the_output(self):
        shutil.copytree(self.models.checkpoint("masked_lm"), "start")
        before = self.weights("start")
        train, text = self.file("rows.tsv", CLASSIFY), self.file("text.txt", TEXT)
        for out in ["start", "./start/", "start/../start"]:
            for extra in ["--force", "--resume"]:
                self.refused(2, "finetune", "start", "--task", "classify", "--train", train, "-o", out, extra,
                             says="is also an input")
        self.refused(2, "pretrain", "--start", "start", "--train", text, "-o", "start", "--force", says="is also an input")
        self.refused(2, "distill", "--teacher", "start", "--student-layers", 1, "--train", train, "-o", "start", "--force",
                     says="is also an input")
        self.fails(2, "new", "--vocab", "start", "-o", "start", "--force", says="is also an input")
        self.assertEqual(self.weights("start"), before)

    def test_a_folder_that_cannot_be_made_is_exit_4(self):
        train = self.file("rows.tsv", CLASSIFY)
        self.refused(4, "finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train", train, "-o",
                     train / "below", says="cannot be made")

    def test_the_tokenizer_of_another_model_is_refused(self):
        shutil.copytree(self.models.checkpoint("sequence"), "start")
        with Path("start/vocab.txt").open("a") as vocabulary:
            vocabulary.write("".join(f"extra{number}\n" for number in range(9)))
        message = self.refused(3, "finetune", "start", "--task", "classify", "--train", self.file("rows.tsv", CLASSIFY), "-o",
                               "out", says="is vocab.txt from another model?")
        self.assertIn("the model embeds", message)

    def test_a_checkpoint_that_is_none_is_refused(self):
        train = self.file("rows.tsv", PAIRS)
        self.refused(3, "finetune", "nowhere", "--task", "pair", "--train", train, "-o", "out", says="nowhere")


class NothingToResume(TrainingTest):
    def test_a_run_that_never_was_or_has_ended_is_exit_2(self):
        arguments = ["finetune", self.models.checkpoint("sequence"), "--task", "classify", "--train",
                     self.file("rows.tsv", CLASSIFY), "--max-steps", 1, "-o", "out"]
        self.refused(2, *arguments, "--resume", says="there is no interrupted run in 'out'; leave --resume away")
        self.train(*arguments)
        before = self.weights("out")
        self.refused(2, *arguments, "--resume", says="it has ended")
        self.assertEqual(self.weights("out"), before)


if __name__ == "__main__":
    unittest.main()
