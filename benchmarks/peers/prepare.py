"""Makes each runtime's own files from one checkpoint, the way its users make them; what is there already is kept.

ONNX Runtime: exported, fused by onnxruntime.transformers.optimizer, quantized dynamically per channel. OpenVINO:
converted, quantized by NNCF's post-training quantization on calibration sentences. CTranslate2: its own converter.
"""
import os

os.environ["HF_HUB_OFFLINE"] = "1"

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
TOKENIZER_FILES = ["vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]


def classifier_of(checkpoint):
    from transformers import AutoModelForSequenceClassification
    # Eager attention: the pattern that the exporters and optimizers know.
    loaded = AutoModelForSequenceClassification.from_pretrained(checkpoint, attn_implementation="eager")
    return loaded.float().eval()


def once(path, make):
    """Calls make(path) unless `path` exists; a half-made file never gets its name."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name("unfinished-" + path.name)
        make(unfinished)
        unfinished.rename(path)
    return path


def exported_onnx(checkpoint, work):
    def export(path):
        import torch
        ids = torch.ones(2, 8, dtype=torch.long)
        axes = {name: {0: "batch", 1: "tokens"} for name in INPUTS} | {"logits": {0: "batch"}}
        torch.onnx.export(classifier_of(checkpoint), (ids, ids, ids), str(path), input_names=INPUTS,
                          output_names=["logits"], opset_version=17, dynamo=False, dynamic_axes=axes)
    return once(work / "exported.onnx", export)


def onnx_fp32(checkpoint, work):
    def fuse(path):
        from onnxruntime.transformers import optimizer
        from transformers import AutoConfig
        config = AutoConfig.from_pretrained(checkpoint)
        fused = optimizer.optimize_model(str(exported_onnx(checkpoint, work)), model_type="bert",
                                         num_heads=config.num_attention_heads, hidden_size=config.hidden_size)
        fused.save_model_to_file(str(path))
    return once(work / "onnxruntime-fp32.onnx", fuse)


def onnx_int8(checkpoint, work):
    def quantize(path):
        from onnxruntime.quantization import QuantType, quantize_dynamic
        quantize_dynamic(str(onnx_fp32(checkpoint, work)), str(path), weight_type=QuantType.QInt8, per_channel=True,
                         extra_options={"DefaultTensorType": 1, "MatMulConstBOnly": True})
    return once(work / "onnxruntime-int8.onnx", quantize)


def openvino_fp32(checkpoint, work):
    def convert(path):
        import openvino
        model = openvino.convert_model(str(exported_onnx(checkpoint, work)))
        openvino.save_model(model, path / "model.xml", compress_to_fp16=False)
    return once(work / "openvino-fp32", convert) / "model.xml"


def openvino_int8(checkpoint, work, calibration):
    """calibration: sentences as lists of ids, real ones of the training split for a fair accuracy."""
    def quantize(path):
        import nncf
        import numpy
        import openvino
        def items():
            for sentence in calibration:
                ids = numpy.array([sentence], numpy.int64)
                yield {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": ids * 0}
        model = openvino.Core().read_model(openvino_fp32(checkpoint, work))
        quantized = nncf.quantize(model, nncf.Dataset(list(items())), model_type=nncf.ModelType.TRANSFORMER,
                                  subset_size=len(calibration))
        openvino.save_model(quantized, path / "model.xml", compress_to_fp16=False)
    return once(work / "openvino-int8", quantize) / "model.xml"


def ctranslate2_model(checkpoint, work, precision):
    """The converter keeps encoder and pooler; the classifier stands beside them and is applied by the caller."""
    def convert(path):
        import ctranslate2
        import numpy
        converter = ctranslate2.converters.TransformersConverter(str(checkpoint))
        converter.convert(str(path), quantization={"int8": "int8", "fp32": "float32"}[precision])
        head = classifier_of(checkpoint).classifier
        numpy.savez(path / "classifier.npz", weight=head.weight.detach().numpy(), bias=head.bias.detach().numpy())
    return once(work / f"ctranslate2-{precision}", convert)


def model_for(kind, precision, checkpoint, work, calibration):
    """What a runtime of runtimes.py opens, made where it is missing."""
    if kind == "onnxruntime":
        return (onnx_int8 if precision == "int8" else onnx_fp32)(checkpoint, work)
    if kind in ("openvino", "openvino-static"):
        return openvino_int8(checkpoint, work, calibration) if precision == "int8" else openvino_fp32(checkpoint, work)
    if kind == "ctranslate2":
        return ctranslate2_model(checkpoint, work, precision)
    return checkpoint  # PyTorch quantizes as it loads
