"""The shape of what `espalier bench` reports. Never how fast anything is."""
import csv
import json
import os
import unittest

from counter_tree import RANGE_UJ, CounterTree
from support import Models, ProgramTest, start

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

    def test_texts_are_timed_with_and_without_the_tokenizer(self):
        texts = self.file("texts.txt", "one two three\n\nfour\nfive six\nseven\neight\n")
        row, = self.ok_json("bench", models.model("sequence"), "--texts", texts, "-b", "2", *FAST)["rows"]

        self.assertEqual((row["batch"], row["calls_timed"]), (2, 3))
        self.assertGreater(row["tokenizer"]["p50_ms"], 0)
        self.assertGreater(row["with_tokenizer"]["p50_ms"], row["p50_ms"])
        whole_ms = row["with_tokenizer"]["mean_ms"]
        self.assertAlmostEqual(row["texts_per_s"], 2 / whole_ms * 1000, delta=0.001 * row["texts_per_s"])

    def test_a_cold_start_and_the_memory_are_reported(self):
        report = self.ok_json("bench", models.model("sequence"), "-b", "1", "-s", "8", *FAST)

        model, = report["models"]
        parts = [model["open_ms"], model["session_ms"], model["first_answer_ms"]]
        self.assertTrue(all(part > 0 for part in parts))
        self.assertAlmostEqual(model["cold_start_ms"], sum(parts))
        self.assertGreater(report["peak_resident_bytes"], model["bytes"])

    def test_several_models_take_turns_and_are_compared_with_the_first(self):
        first, second = models.model("sequence"), models.model("sequence", "fp32")
        rows = self.ok_json("bench", first, second, "-b", "1,2", "-s", "8", *FAST)["rows"]

        self.assertEqual([(row["model"], row["batch"]) for row in rows],
                         [(first.name, 1), (second.name, 1), (first.name, 2), (second.name, 2)])
        for alone, compared in [rows[:2], rows[2:]]:
            self.assertNotIn("ratio", alone)
            ratio = compared["ratio"]
            self.assertTrue(0 < ratio["low"] <= ratio["median"] <= ratio["high"])

    def test_streams_answer_at_the_same_time_each_with_a_session_of_its_own(self):
        rows = self.ok_json("bench", models.model("sequence"), "-b", "2", "-s", "8", "--streams", "1,3", "-r", "20",
                            "--warmup", "0")["rows"]

        self.assertEqual([(row["streams"], row["threads"], row["calls_timed"]) for row in rows],
                         [(1, 1, 20), (3, 1, 60)])

    def test_a_duration_goes_on_beyond_the_calls_asked_for(self):
        row, = self.ok_json("bench", models.model("sequence"), "-b", "1", "-s", "4", "-r", "1", "--duration", "0.2")["rows"]
        self.assertGreater(row["calls_timed"], 1)

    def test_the_machine_is_judged_by_a_control_loop(self):
        control = self.ok_json("bench", models.model("sequence"), "-b", "1", "-s", "8", "-r", "25", "--warmup", "0")["control"]
        self.assertEqual(control["runs"], 3)
        self.assertGreater(control["p50_ms"], 0)
        self.assertEqual(control["steady"], control["spread_percent"] < 5 and abs(control["drift_percent"]) < 2)

    def test_energy_is_tagged_and_scaled_by_grid_and_building(self):
        shape = ["bench", models.model("sequence"), "-b", "4", "-s", "8", *FAST, "--energy"]
        report = self.ok_json(*shape, "--grid", "fr", "--pue", "1.5", "--idle", "0.1")
        energy = report["rows"][0]["energy"]

        self.assertEqual((report["grid"]["region"], report["grid"]["grams_co2e_per_kwh"], report["pue"]), ("FR", 56, 1.5))
        self.assertIn(energy["energy_source"], ["measured", "estimated", "unavailable"])
        self.assertEqual(report["power_source"]["energy_source"] == "estimated", energy["energy_source"] == "estimated")
        if energy["energy_source"] == "estimated":
            kwh = energy["joules_per_1000_texts"] * 1000 / 3.6e6 * 1.5
            self.assertAlmostEqual(energy["kwh_per_million_texts"], kwh, delta=0.12 * kwh)
            self.assertAlmostEqual(energy["grams_co2e_per_million_texts"], kwh * 56, delta=0.12 * kwh * 56)
            row, = csv.DictReader(self.ok(*shape, "--format", "csv").splitlines())
            self.assertEqual(row["energy_source"], "estimated")
            self.assertIn("estimated", start(*shape).stderr)

    def counted(self, start_uj, additions, *arguments):
        """The report of a bench that reads a counter, its first lines, and how often it read."""
        with CounterTree(self.folder, start_uj, additions) as tree:
            done = start("bench", models.model("sequence"), "-b", "4", "-s", "8", *FAST, "--energy", "--duration", "2",
                         "--format", "json", *arguments, env={**os.environ, "ESPALIER_POWERCAP": str(tree.folder)})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout), done.stderr, tree.n_reads

    def test_a_counter_is_read_exactly(self):
        # Opened and read around the opening of the models, then again around the row, in which the counter wraps.
        report, notes, n_reads = self.counted(RANGE_UJ - 3_000_000, {5: 7_200_000}, "--pue", "1.25", "--grid", "100")
        energy = report["rows"][0]["energy"]

        self.assertEqual(n_reads, 6)
        self.assertEqual((energy["joules"], energy["energy_source"], energy["reason"]), (7.2, "measured", ""))
        self.assertIn("RAPL package-0", energy["source"])
        self.assertGreater(energy["texts"], 0)
        self.assertEqual(energy["joules_per_1000_texts"], float(f"{7200 / energy['texts']:.1e}"))
        kwh = 7.2 / energy["texts"] * 1e6 * 1.25 / 3.6e6
        self.assertEqual(energy["kwh_per_million_texts"], float(f"{kwh:.1e}"))
        self.assertEqual(energy["grams_co2e_per_million_texts"], float(f"{kwh * 100:.1e}"))
        self.assertRegex(notes, r"(?m)^energy: measured \(RAPL package-0")

    def test_what_the_idle_machine_takes_is_subtracted(self):
        report, _, n_reads = self.counted(5_000_000, {5: 500_000, 8: 7_200_000}, "--idle", "1")
        energy, idle = report["rows"][0]["energy"], report["idle"]

        self.assertEqual((n_reads, idle["joules"]), (9, 0.5))
        left = 7.2 - 0.5 / idle["seconds"] * energy["seconds"]
        self.assertEqual(energy["joules"], float(f"{left:.1e}"))

    def test_a_counter_that_stands_still_is_no_measurement_and_the_way_to_one_is_told(self):
        report, notes, _ = self.counted(5_000_000, {})
        energy = report["rows"][0]["energy"]
        self.assertEqual(energy["energy_source"], "estimated")
        self.assertIn("did not move", energy["reason"])

        shape = ["bench", models.model("sequence"), "-b", "4", "-s", "8", *FAST, "--energy"]
        notes = start(*shape, env={**os.environ, "ESPALIER_POWERCAP": str(self.folder / "none")}).stderr
        self.assertRegex(notes, r"(?m)^energy: estimated \(CPU time.*modprobe intel_rapl_msr.*ESPALIER_POWERCAP$")

    def test_the_first_lines_say_what_is_measured_on_what(self):
        notes = start("bench", models.model("sequence"), "-b", "1", "-s", "8", *FAST).stderr.splitlines()
        self.assertRegex(notes[0], r"^espalier \d.*2 threads, int8, seed 1$")
        self.assertIn("instruction set", notes[1])
        self.assertTrue(notes[2].startswith("power: "))

    def test_options_that_do_not_go_together_are_refused(self):
        model, texts = models.model("sequence"), self.file("texts.txt", "one\n")
        self.fails(2, "bench", model, "--texts", texts, "-s", "8", says="--seq")
        self.fails(2, "bench", model, "--grid", "DE", says="--energy")
        self.fails(2, "bench", model, "--energy", "--grid", "Atlantis", says="WORLD")
        self.fails(2, "bench", model, "--energy", "--pue", "0.5", says="--pue")
        self.fails(2, "bench", model, "--streams", "0", says="--streams")
        self.fails(3, "bench", model, "--texts", self.file("empty.txt", ""), says="no text")

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
