"""The shape of what `espalier bench` reports. Never how fast anything is."""
import csv
import json
import unittest

from support import Models, ProgramTest

models = Models()
FAST = ["--warmup", "1", "-r", "3", "-t", "2"]


class Bench(ProgramTest):
    def test_each_shape_has_its_row(self):
        report = self.ok_json("bench", models.model("sequence"), "-b", "1,4", "-s", "8,16", *FAST)

        shapes = [(row["batch"], row["seq"], row["tokens"], row["threads"]) for row in report["rows"]]
        self.assertEqual(shapes, [(1, 8, 8, 2), (1, 16, 16, 2), (4, 8, 32, 2), (4, 16, 64, 2)])
        for row in report["rows"]:
            self.assertTrue(0 < row["p50_ms"] <= row["p90_ms"] <= row["p99_ms"])
            self.assertAlmostEqual(row["tokens_per_s"], row["tokens"] / row["p50_ms"] * 1000, delta=1)
        self.assertEqual((report["repeat"], report["warmup"], report["precision"]), (3, 1, "int8"))

    def test_ranges_stand_for_their_numbers(self):
        report = self.ok_json("bench", models.model("sequence"), "-b", "1-3+1", "-s", "4-16*2", *FAST)
        self.assertEqual([(row["batch"], row["seq"]) for row in report["rows"]],
                         [(batch, seq) for batch in (1, 2, 3) for seq in (4, 8, 16)])

    def test_lengths_make_one_mixed_batch(self):
        numbers = self.file("lengths.txt", "5 9\n12,\t3\n")
        for given, lengths in [("5,9,12", [5, 9, 12]), (numbers, [5, 9, 12, 3])]:
            row, = self.ok_json("bench", models.model("sequence"), "--lengths", given, *FAST)["rows"]
            self.assertEqual((row["batch"], row["seq"], row["tokens"]), (len(lengths), 12, sum(lengths)))

    def test_every_task_and_every_format_can_be_asked_for(self):
        for kind in ["tokens", "embedding", "masked_lm"]:
            self.ok("bench", models.model(kind), "-b", "2", "-s", "8", *FAST)
        shape = ["bench", models.model("sequence"), "-b", "1,2", "-s", "8", *FAST, "--format"]
        self.assertEqual(len(list(csv.DictReader(self.ok(*shape, "csv").splitlines()))), 2)
        self.assertEqual([json.loads(line)["batch"] for line in self.ok(*shape, "jsonl").splitlines()], [1, 2])
        self.assertIn("| batch |", self.ok(*shape, "md"))
        self.assertIn("tokens_per_s", self.ok(*shape, "table"))

    def test_impossible_shapes_are_refused(self):
        model = models.model("sequence")
        self.fails(2, "bench", model, "-s", "65", says="from 1 to 64")
        self.fails(2, "bench", model, "-b", "0", says="--batch")
        self.fails(2, "bench", model, "-b", "x", says="'x'")
        self.fails(2, "bench", model, "-s", "8-4*2", says="8-4*2")
        self.fails(2, "bench", model, "-s", "1-64*1", says="1-64*1")
        self.fails(8, "bench", model, "-b", "65536", "-s", "64", *FAST, says="limit")
        self.fails(3, "bench", model, "--lengths", self.file("l.txt", "5 x"), says="number 2")
        self.fails(3, "bench", model, "--lengths", self.folder / "nope", says="nope")


if __name__ == "__main__":
    unittest.main()
