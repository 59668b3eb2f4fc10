#!/usr/bin/env python3
"""Times an int8 .espl file beside ONNX Runtime's dynamic int8 of the same checkpoint, on token ids of the same lengths.

usage: encoder.py CHECKPOINT MODEL.espl --espalier build/release/bin/espalier [--work DIR] [--threads 2] [--rounds 9]

Needs the Python packages torch transformers onnx onnxscript onnxruntime. The ONNX file is made the way its users make
it: exported, fused by onnxruntime.transformers.optimizer, quantized per channel (QInt8 weights, dynamic activations).
Rounds are interleaved: in each, both sides run every workload a few times. Printed are the medians over the rounds of
each side's median and of the ratio within a round; absolute times of a shared machine say little, ratios do.
`mixed` is a batch of 32 sentences of 5 to 64 tokens: padded to 64 for ONNX Runtime, packed for espalier.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

MIXED = [5, 9, 12, 14, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
         29, 30, 31, 32, 33, 34, 36, 38, 40, 42, 45, 47, 50, 54, 58, 64]
WORKLOADS = {"1x16": [16], "1x128": [128], "8x128": [128] * 8, "mixed": MIXED}


def make_onnx(checkpoint, folder):
    int8 = folder / "model.int8.onnx"
    if int8.exists():
        return int8
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer
    from transformers import AutoModelForSequenceClassification
    folder.mkdir(parents=True, exist_ok=True)
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, attn_implementation="eager").float().eval()
    ids = torch.ones(2, 8, dtype=torch.long)
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch", 1: "tokens"} for name in inputs} | {"logits": {0: "batch"}}
    torch.onnx.export(model, (ids, ids, ids), str(folder / "model.onnx"), input_names=inputs, output_names=["logits"],
                      opset_version=17, dynamo=False, dynamic_axes=axes)
    fused = optimizer.optimize_model(str(folder / "model.onnx"), model_type="bert",
                                     num_heads=model.config.num_attention_heads, hidden_size=model.config.hidden_size)
    fused.save_model_to_file(str(folder / "model.opt.onnx"))
    quantize_dynamic(str(folder / "model.opt.onnx"), str(int8), weight_type=QuantType.QInt8, per_channel=True,
                     extra_options={"DefaultTensorType": 1, "MatMulConstBOnly": True})
    return int8


class OnnxRuntime:
    def __init__(self, path, threads):
        import numpy
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.names = {given.name for given in self.session.get_inputs()}
        self.numpy = numpy

    def feed(self, lengths):
        numpy = self.numpy
        rng = numpy.random.default_rng(7)
        ids = numpy.zeros((len(lengths), max(lengths)), numpy.int64)
        mask = numpy.zeros_like(ids)
        for row, length in enumerate(lengths):
            ids[row, :length] = rng.integers(1000, 20000, length)
            ids[row, 0], ids[row, length - 1], mask[row, :length] = 101, 102, 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids * 0}
        return {name: value for name, value in given.items() if name in self.names}

    def median_ms(self, lengths, repeats):
        feed = self.feed(lengths)
        times = []
        for repeat in range(repeats + 2):
            start = time.perf_counter()
            self.session.run(None, feed)
            if repeat >= 2:
                times.append(1e3 * (time.perf_counter() - start))
        return statistics.median(times)


def espalier_ms(program, model, lengths, repeats, threads):
    command = [program, "bench", model, "--lengths", ",".join(map(str, lengths)), "-t", str(threads), "--warmup", "2",
               "-r", str(repeats), "--format", "json"]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout)["rows"][0]["p50_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--espalier", required=True)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/peers"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    peer = OnnxRuntime(make_onnx(arguments.checkpoint, arguments.work), arguments.threads)
    print(f"{'workload':10s} {'espalier ms':>12s} {'onnxruntime ms':>15s} {'ratio':>7s} {'low-high':>12s}")
    for name, lengths in WORKLOADS.items():
        repeats = max(5, min(60, 4000 // sum(lengths)))
        ours, theirs, ratios = [], [], []
        for _ in range(arguments.rounds):
            ours.append(espalier_ms(arguments.espalier, arguments.model, lengths, repeats, arguments.threads))
            theirs.append(peer.median_ms(lengths, repeats))
            ratios.append(theirs[-1] / ours[-1])
        print(f"{name:10s} {statistics.median(ours):12.2f} {statistics.median(theirs):15.2f} "
              f"{statistics.median(ratios):7.2f} {min(ratios):5.2f}-{max(ratios):.2f}", flush=True)


if __name__ == "__main__":
    main()
