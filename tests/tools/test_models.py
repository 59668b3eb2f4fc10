"""From a checkpoint folder to a model file, and what can be asked of the file itself."""
import os
import unittest

from support import Models, ProgramTest, start

models = Models()


class Export(ProgramTest):
    def test_convert_and_quantize_say_what_they_wrote(self):
        fp32 = self.ok_json("convert", models.checkpoint("sequence"), "-o", self.folder / "a.espl")
        int8 = self.ok_json("quantize", models.checkpoint("sequence"), "-o", self.folder / "b.espl")

        self.assertEqual((fp32["precision"], int8["precision"]), ("fp32", "int8"))
        self.assertEqual(fp32["bytes"], (self.folder / "a.espl").stat().st_size)
        self.assertEqual(fp32["file"], "a.espl")

    def test_convert_to_bf16_says_so_and_takes_about_half(self):
        fp32 = self.ok_json("convert", models.checkpoint("embedding"), "-o", self.folder / "a.espl")
        bf16 = self.ok_json("convert", models.checkpoint("embedding"), "-o", self.folder / "b.espl", "--precision", "bf16")

        self.assertEqual(bf16["precision"], "bf16")
        self.assertLess(bf16["bytes"], 0.75 * fp32["bytes"])
        self.assertEqual(self.ok_json("inspect", self.folder / "b.espl")["precision"], "bf16")

    def test_the_same_checkpoint_gives_the_same_bytes_and_compress_is_quantize(self):
        for name, verb in [("a", "quantize"), ("b", "quantize"), ("c", "compress")]:
            self.ok(verb, models.checkpoint("sequence"), "-o", self.folder / name)

        first = (self.folder / "a").read_bytes()
        self.assertEqual(first, (self.folder / "b").read_bytes())
        self.assertEqual(first, (self.folder / "c").read_bytes())

    def test_an_existing_file_is_replaced_only_by_force(self):
        output = self.file("m.espl", "mine")
        self.fails(4, "quantize", models.checkpoint("sequence"), "-o", output, says="--force")
        self.assertEqual(output.read_text(), "mine")

        self.ok("quantize", models.checkpoint("sequence"), "-o", output, "--force")
        self.ok("verify", output)

    def test_an_output_that_cannot_be_is_refused_before_the_work(self):
        checkpoint = models.checkpoint("sequence")
        self.fails(4, "convert", checkpoint, "-o", self.folder / "no" / "m.espl", says="does not exist")
        self.fails(4, "convert", checkpoint, "-o", self.folder, says="is a folder")

    def test_a_damaged_checkpoint_leaves_no_file(self):
        folder = self.folder / "checkpoint"
        folder.mkdir()
        for file in models.checkpoint("sequence").iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-4])

        self.fails(3, "quantize", folder, "-o", self.folder / "m.espl", says="model.safetensors")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["checkpoint"])

    def test_max_length_is_stored(self):
        path = self.folder / "m.espl"
        self.ok("convert", models.checkpoint("sequence"), "-o", path, "--max-length", 12)
        self.assertEqual(self.ok_json("inspect", path)["max_length"], 12)
        self.fails(2, "convert", models.checkpoint("sequence"), "-o", self.folder / "n.espl", "--max-length", 9999,
                   says="9999")


class Inspect(ProgramTest):
    def test_the_report_holds_everything_about_the_file(self):
        path = models.model("sequence")
        report = self.ok_json("inspect", path)

        self.assertEqual(report["task"], "classify")
        self.assertEqual(report["labels"], ["negative", "positive"])
        self.assertEqual(report["precision"], "int8")
        self.assertEqual([(layer["heads"], layer["intermediate"]) for layer in report["layers"]], [(4, 64)] * 2)
        self.assertEqual(report["bytes"], path.stat().st_size)
        self.assertEqual(sum(part["bytes"] for part in report["sizes"].values()), report["bytes"])
        self.assertRegex(report["checksum"], r"^[0-9a-f]{16}$")
        self.assertGreater(report["self_test"]["cases"], 0)
        self.assertTrue(report["provenance"][0]["inputs"])
        self.assertGreater(report["vocabulary"]["pieces"], 100)

    def test_no_path_of_this_machine_is_in_the_report(self):
        self.assertNotIn(str(models.folder), self.ok("inspect", models.model("sequence"), "--format", "json"))

    def test_an_embedding_model_says_how_it_pools(self):
        report = self.ok_json("inspect", models.model("embedding"))
        self.assertEqual((report["task"], report["pooling"], report["normalize"]), ("embed", "mean", True))

    def test_the_table_says_the_same_in_words(self):
        text = self.ok("inspect", models.model("tokens"))
        for word in ["tag", "int8", "O, B-PER, I-PER", "0-1: 4 heads, 64 feed-forward", "bit-equal"]:
            self.assertIn(word, text)


class Verify(ProgramTest):
    def test_a_good_file_of_every_task_proves_itself(self):
        for kind in ["sequence", "tokens", "masked_lm", "embedding", "regression", "multi_label"]:
            for precision in ["fp32", "bf16", "int8"]:
                with self.subTest(kind=kind, precision=precision):
                    report = self.ok_json("verify", models.model(kind, precision))
                    self.assertTrue(report["self_test"]["passed"])

    def test_both_back_ends_pass_and_are_named(self):
        self.assertIn("reference", self.ok("verify", models.model("sequence"), "--backend", "reference"))
        self.assertIn("self-test  ok", self.ok("verify", models.model("sequence")))

    def test_a_flipped_byte_anywhere_is_exit_7(self):
        whole = models.model("sequence").read_bytes()
        for place in [16, len(whole) // 3, len(whole) // 2, len(whole) - 20, len(whole) - 1]:
            damaged = bytearray(whole)
            damaged[place] ^= 4
            self.fails(7, "verify", self.file("m.espl", bytes(damaged)), says="m.espl")

    def test_a_file_cut_short_is_exit_7(self):
        self.fails(7, "verify", self.file("m.espl", models.model("sequence").read_bytes()[:-1]), says="m.espl")

    def test_another_kind_of_file_is_exit_3(self):
        self.fails(3, "verify", self.file("notes.txt", "just some notes, long enough to be a header\n" * 9),
                   says="notes.txt")
        self.fails(3, "verify", self.file("empty.espl", ""), says="empty.espl")
        self.fails(3, "verify", self.folder, says=self.folder.name)


class Tokenize(ProgramTest):
    def test_a_model_and_its_checkpoint_cut_alike(self):
        arguments = ["--text", "The Gardens grow", "--pair", "今天很好"]
        from_model = self.ok_json("tokenize", models.model("sequence"), *arguments)
        from_folder = self.ok_json("tokenize", models.checkpoint("sequence"), *arguments)

        self.assertEqual(from_model, from_folder)
        self.assertEqual(from_model["tokens"],
                         ["[CLS]", "the", "garden", "##s", "grow", "[SEP]", "今", "天", "很", "好", "[SEP]"])
        self.assertEqual(from_model["segments"], [0] * 6 + [1] * 5)
        self.assertEqual(len(from_model["ids"]), 11)

    def test_offsets_count_bytes_and_characters(self):
        report = self.ok_json("tokenize", models.checkpoint("sequence"), "--text", "很 good")

        self.assertEqual(report["offsets"]["bytes"], [[0, 0], [0, 3], [4, 8], [0, 0]])
        self.assertEqual(report["offsets"]["characters"], [[0, 0], [0, 1], [2, 6], [0, 0]])

    def test_a_vocabulary_and_its_flags_are_folder_enough(self):
        for name in ["vocab.txt", "tokenizer_config.json"]:
            self.file(name, (models.checkpoint("sequence") / name).read_bytes())
        self.assertEqual(self.ok_json("tokenize", self.folder, "--text", "tree")["tokens"], ["[CLS]", "tree", "[SEP]"])

    def test_a_long_text_is_cut_and_says_so(self):
        report = self.ok_json("tokenize", models.checkpoint("sequence"), "--text", "tree " * 9, "--max-length", 4)
        self.assertEqual((len(report["ids"]), report["truncated"]), (4, True))

    def test_any_text_can_be_given(self):
        for text in ["", "--text", "-5", "[a,b]", "{}", "a\nb\tc", "\x01\x7f"]:
            self.ok_json("tokenize", models.checkpoint("sequence"), f"--text={text}")
        table = self.ok("tokenize", models.checkpoint("sequence"), "--text", "good tree")
        self.assertRegex(table, r"good +\d+ +0 +0-4 +0-4")


class System(ProgramTest):
    def test_the_machine_and_the_build_are_described(self):
        report = self.ok_json("sys")

        self.assertIn(report["isa_used"], ["baseline", "avx2", "avx2_vnni", "avx512_vnni", "amx"])
        self.assertIn("reference", [backend["name"] for backend in report["backends"] if backend["available"]])
        self.assertGreater(report["processors"], 0)
        self.assertIn(report["cpu"], self.ok("sys"))

    def test_every_energy_meter_says_what_it_is_or_why_there_is_none(self):
        energy, text = self.ok_json("sys")["energy"], self.ok("sys")

        self.assertEqual(list(energy), ["cpu", "gpu"])
        for meter in energy.values():
            self.assertIn(meter["tag"], ["measured", "estimated", "unavailable"])
            self.assertEqual(meter["source"] == "", meter["tag"] == "unavailable")
            if meter["tag"] != "measured":
                self.assertNotEqual(meter["reason"], "")
        if not os.path.exists("/sys/class/powercap"):
            self.assertEqual(energy["cpu"]["tag"], "estimated")
            self.assertIn("'/sys/class/powercap' cannot be read", energy["cpu"]["reason"])
            self.assertIn(f"energy of CPUs  estimated: {energy['cpu']['source']}; ", text)

    def test_a_wrong_instruction_set_in_the_environment_is_a_usage_error(self):
        done = start("sys", env={"ESPALIER_MAX_ISA": "sse9"})
        self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    unittest.main()
