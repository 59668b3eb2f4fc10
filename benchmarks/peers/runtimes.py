#!/usr/bin/env python3
"""The other runtimes behind one small interface, each in a process of its own that encoder.py starts.

usage: runtimes.py RUNTIME PRECISION MODEL THREADS     (MODEL: what prepare.py made, or the checkpoint for pytorch)

Speaks the protocol of bench_ids: one JSON object a line on standard input, one answer a line on standard output.
  {"op": "about"}                            -> {"runtime": ..., "precision": what it says it computes in}
  {"op": "set", "name": ..., "calls": [[ids, ...], ...]}
                                             -> {"calls": n}; keeps a workload, its inputs made outside the clock
  {"op": "time", "name": ..., "repeats": n}  -> {"ms": [...]}: of all its calls, one after the other
  {"op": "logits", "name": ...}              -> {"logits": [[...], ...]}, sentence by sentence
"""
import collections
import json
import os
import pathlib
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"


def padded(call):
    """Ids, mask and segments of a call as int64 (sentences, longest)."""
    import numpy
    ids = numpy.zeros((len(call), max(map(len, call))), numpy.int64)
    mask = numpy.zeros_like(ids)
    for row, sentence in enumerate(call):
        ids[row, :len(sentence)] = sentence
        mask[row, :len(sentence)] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}


class OnnxRuntime:
    def __init__(self, precision, model, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.names = {given.name for given in self.session.get_inputs()}
        self.precision, self.model, self.version = precision, model, onnxruntime.__version__

    def about(self):
        if self.precision == "fp32":
            return f"ONNX Runtime {self.version}", "fp32"
        import onnx
        nodes = collections.Counter(node.op_type for node in onnx.load(str(self.model)).graph.node)
        int8 = [f"{count} {name}" for name, count in sorted(nodes.items()) if name in
                ("DynamicQuantizeMatMul", "MatMulInteger", "MatMulIntegerToFloat", "QAttention", "QGemm")]
        return f"ONNX Runtime {self.version}", "int8: " + ", ".join(int8) + "; the rest fp32"

    def prepare(self, call):
        return {name: value for name, value in padded(call).items() if name in self.names}

    def run(self, feed):
        return self.session.run(None, feed)[0]


class OpenVino:
    """One compiled model for all shapes."""

    def __init__(self, precision, model, threads):
        import openvino
        self.openvino = openvino
        self.threads, self.precision = threads, precision
        self.source = openvino.Core().read_model(model)
        self.compiled = self.compile(self.source)
        self.request = self.compiled.create_infer_request()

    def compile(self, model):
        config = {"INFERENCE_NUM_THREADS": self.threads, "PERFORMANCE_HINT": "LATENCY"}
        if self.precision == "fp32":
            config["INFERENCE_PRECISION_HINT"] = "f32"
        return self.openvino.Core().compile_model(model, "CPU", config)

    def about(self):
        hint = self.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        ran = collections.Counter()
        for node in self.compiled.get_runtime_model().get_ops():
            info = node.get_rt_info()
            kind = info["layerType"].astype(str)
            if kind in ("FullyConnected", "MatMul", "Subgraph", "ScaledDotProductAttention"):
                ran[f"{kind} {info['runtimePrecision'].astype(str)}"] += 1
        ran = ", ".join(f"{count} {name}" for name, count in sorted(ran.items()))
        return f"OpenVINO {self.openvino.__version__.split('-')[0]}", f"{ran}; hint for the rest {hint}"

    def prepare(self, call):
        feed = padded(call)
        tensors = {given.any_name: self.openvino.Tensor(feed[given.any_name]) for given in self.compiled.inputs}
        return self.request, tensors

    def run(self, feed):
        request, tensors = feed
        return request.infer(tensors, share_inputs=True, share_outputs=True)[0]


class StaticOpenVino(OpenVino):
    """A compiled model for each shape of call, as users do whose shapes never change."""

    def __init__(self, precision, model, threads):
        super().__init__(precision, model, threads)
        self.requests = {}

    def prepare(self, call):
        feed = padded(call)
        shape = feed["input_ids"].shape
        if shape not in self.requests:
            model = self.source.clone()
            model.reshape({given.any_name: list(shape) for given in model.inputs})
            self.compiled = self.compile(model)
            self.requests[shape] = self.compiled.create_infer_request()
        tensors = {given.any_name: self.openvino.Tensor(feed[given.any_name]) for given in self.compiled.inputs}
        return self.requests[shape], tensors


class CTranslate2:
    def __init__(self, precision, model, threads):
        import ctranslate2
        import numpy
        self.library, self.numpy = ctranslate2, numpy
        wanted = {"int8": "int8", "fp32": "float32"}[precision]
        self.encoder = ctranslate2.Encoder(str(model), device="cpu", compute_type=wanted, inter_threads=1,
                                           intra_threads=threads)
        head = numpy.load(pathlib.Path(model) / "classifier.npz")
        self.weight, self.bias = head["weight"], head["bias"]

    def about(self):
        return f"CTranslate2 {self.library.__version__}", self.encoder.compute_type

    def prepare(self, call):
        ids = padded(call)["input_ids"].astype(self.numpy.int32)
        lengths = self.numpy.array([len(sentence) for sentence in call], self.numpy.int32)
        view = self.library.StorageView.from_array
        return view(ids), view(lengths), (ids, lengths)  # the views borrow the arrays

    def run(self, feed):
        ids, lengths, _ = feed
        pooled = self.numpy.array(self.encoder.forward_batch(ids, lengths).pooler_output)
        return pooled @ self.weight.T + self.bias


class PyTorch:
    def __init__(self, precision, model, threads):
        import torch
        from transformers import AutoModelForSequenceClassification
        torch.set_num_threads(threads)
        self.torch = torch
        self.model = AutoModelForSequenceClassification.from_pretrained(model).float().eval()
        self.precision = "fp32"
        if precision == "int8":
            self.model = torch.ao.quantization.quantize_dynamic(self.model, {torch.nn.Linear}, dtype=torch.qint8)
            kinds = [type(module).__module__ for module in self.model.modules()]
            n_int8 = sum("quantized.dynamic" in kind for kind in kinds)
            self.precision = f"int8: {n_int8} Linear ({torch.backends.quantized.engine}); the rest fp32"

    def about(self):
        return f"PyTorch {self.torch.__version__.split('+')[0]}", self.precision

    def prepare(self, call):
        return {name: self.torch.from_numpy(value) for name, value in padded(call).items()}

    def run(self, feed):
        with self.torch.inference_mode():
            return self.model(**feed).logits.numpy()


RUNTIMES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "openvino-static": StaticOpenVino,
            "ctranslate2": CTranslate2, "pytorch": PyTorch}


def answer(runtime, workloads, request):
    if request["op"] == "about":
        name, precision = runtime.about()
        return {"runtime": name, "precision": precision}
    if request["op"] == "set":
        workloads[request["name"]] = [runtime.prepare(call) for call in request["calls"]]
        return {"calls": len(request["calls"])}
    feeds = workloads[request["name"]]
    if request["op"] == "logits":
        return {"logits": [[float(value) for value in row] for feed in feeds for row in runtime.run(feed)]}
    if request["op"] != "time":
        raise ValueError(f"{request['op']!r} is no op; ask about, set, logits or time")
    times_ms = []
    for _ in range(request["repeats"]):
        start = time.perf_counter()
        for feed in feeds:
            runtime.run(feed)
        times_ms.append(1e3 * (time.perf_counter() - start))
    return {"ms": times_ms}


def main():
    name, precision, model, threads = sys.argv[1:]
    # Answers go to what standard output was; what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    runtime = RUNTIMES[name](precision, model, int(threads))
    workloads = {}
    for line in sys.stdin:
        print(json.dumps(answer(runtime, workloads, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
