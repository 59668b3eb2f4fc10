#!/usr/bin/env python3
"""Makes data/distill: a tiny teacher, a narrower and shallower student, and what PyTorch and `transformers` make of
every part of the distillation losses between them: values, and gradients of the student's parameters.

usage: make_distill_golden.py   (needs torch, transformers and safetensors; made with torch 2.15.0, transformers 5.23.0)
"""
import math
import pathlib

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

HERE = pathlib.Path(__file__).parent / "data" / "distill"
GENERATOR = torch.Generator().manual_seed(11)
N_LABELLED = 3
LAYER_MAP = (1, 3)  # the student's two layers among the teacher's four
TEMPERATURE = 2.0
golden = {}


def random(*shape):
    return torch.randn(shape, generator=GENERATOR)


def softmax(x):
    weights = (x - x.max(-1, keepdim=True).values).exp()
    return weights / weights.sum(-1, keepdim=True)


def divergence(p, q):
    """KL(p ‖ q) over the last axis; 0 log 0 is 0."""
    return torch.where(p > 0, p * (p.clamp_min(1e-30).log() - q.clamp_min(1e-30).log()), 0.0).sum(-1)


def class_term(student, teacher, t):
    return t * t * divergence(softmax(teacher / t), softmax(student / t)).mean()


def label_term(student, teacher, t):
    p, q = torch.sigmoid(teacher / t), torch.sigmoid(student / t)
    return t * t * (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).mean()


def vector_term(student, teacher):
    if student.shape[-1] == teacher.shape[-1]:
        return ((student - teacher) ** 2).sum(-1).mean()
    n = student.shape[0]
    total = 0.0
    for a in range(n):
        for b in range(n):
            total = total + ((student[a] * student[b]).sum() - (teacher[a] * teacher[b]).sum()) ** 2
    return total / (n * n)


def patient_term(student, teacher):
    total = 0.0
    for s, t in zip(student, teacher):
        total = total + ((s / s.norm() - t / t.norm()) ** 2).sum()
    return total / len(student)


def attention_term(student, teacher, lengths):
    """One sentence and head at a time, on its tokens alone."""
    total, count = 0.0, 0
    for sentence, n in enumerate(lengths):
        for head in range(student.shape[1]):
            total = total + ((student[sentence, head, :n, :n] - teacher[sentence, head, :n, :n]) ** 2).sum()
            count += n * n
    return total / count


def relation_term(student, teacher, lengths, n_heads):
    total, count = 0.0, 0
    for sentence, n in enumerate(lengths):
        for head in range(n_heads):
            tables = []
            for x in (teacher, student):
                d = x.shape[-1] // n_heads
                part = x[sentence, :n, head * d:(head + 1) * d]
                tables.append(softmax(part @ part.T / math.sqrt(d)))
            total = total + divergence(*tables).sum()
            count += n
    return total / count


def keep_term(name, term, student, teacher, *more):
    student = student.clone().requires_grad_(True)
    loss = term(student, teacher, *more)
    loss.backward()
    golden.update({f"term.{name}.student": student.detach(), f"term.{name}.teacher": teacher.contiguous(),
                   f"term.{name}.loss": loss.detach().reshape(1), f"term.{name}.gradient": student.grad})


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


LENGTHS = [6, 2, 4]
golden["lengths"] = torch.tensor(LENGTHS)
keep_term("class_1", class_term, random(5, 3), random(5, 3), 1.0)
keep_term("class_4", class_term, random(5, 3), random(5, 3), 4.0)
keep_term("label_3", label_term, random(5, 4), random(5, 4), 3.0)
keep_term("vector", vector_term, unit(random(5, 8)), unit(random(5, 8)))
keep_term("vector_narrow", vector_term, unit(random(5, 4)), unit(random(5, 8)))
keep_term("patient", patient_term, random(5, 8), random(5, 8))
keep_term("attention", attention_term, random(3, 2, 6, 6), random(3, 2, 6, 6), LENGTHS)
keep_term("relation", relation_term, random(3, 6, 8), random(3, 6, 16), LENGTHS, 2)


def make_model(name, **sizes):
    torch.manual_seed(len(name))
    model = BertForSequenceClassification(BertConfig(
        vocab_size=40, max_position_embeddings=12, num_attention_heads=2, num_labels=3, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, **sizes)).eval()
    with torch.no_grad():  # far enough from 0 for attention and answers to differ between texts
        for value in model.parameters():
            value += 0.15 * random(*value.shape)
    model.save_pretrained(HERE / name)
    return model


teacher = make_model("teacher", hidden_size=16, num_hidden_layers=4, intermediate_size=24)
student = make_model("student", hidden_size=8, num_hidden_layers=2, intermediate_size=12)
projections = {"distill.embeddings.weight": random(16, 8), "distill.layers.weight": random(16, 8)}
for name, value in projections.items():
    golden[name] = value.clone()
    value.requires_grad_(True)

# Three labelled sentences and two without labels, one of which is the longest.
BATCH_LENGTHS = [5, 3, 7, 9, 4]
ids = torch.randint(5, 40, (5, 9), generator=GENERATOR)
mask = torch.arange(9)[None, :] < torch.tensor(BATCH_LENGTHS)[:, None]
ids = ids * mask
labels = torch.tensor([2, 0, 1])
golden.update({"input_ids": ids, "batch_lengths": torch.tensor(BATCH_LENGTHS), "labels": labels})


def look(model):
    out = model(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True)
    hidden = out.hidden_states
    attention = []
    for index, layer in enumerate(model.bert.encoder.layer):
        heads = [part(hidden[index]).view(5, 9, 2, -1).transpose(1, 2)
                 for part in (layer.attention.self.query, layer.attention.self.key)]
        attention.append(heads[0] @ heads[1].transpose(-1, -2) / math.sqrt(heads[0].shape[-1]))
    last = model.bert.encoder.layer[-1].attention.self
    return out.logits, hidden, attention, [part(hidden[-2]) for part in (last.query, last.key, last.value)]


def on_tokens(x):
    return torch.cat([x[sentence, :n] for sentence, n in enumerate(BATCH_LENGTHS)])


def parts():
    with torch.no_grad():
        t_logits, t_hidden, t_attention, t_last = look(teacher)
    s_logits, s_hidden, s_attention, s_last = look(student)
    lift = projections["distill.layers.weight"]
    chosen = torch.log(softmax(s_logits[:N_LABELLED]))[torch.arange(N_LABELLED), labels]
    hidden = ((on_tokens(s_hidden[0]) @ projections["distill.embeddings.weight"].T - on_tokens(t_hidden[0])) ** 2).mean()
    for own, wanted in enumerate(LAYER_MAP):
        hidden = hidden + ((on_tokens(s_hidden[own + 1]) @ lift.T - on_tokens(t_hidden[wanted + 1])) ** 2).mean()
    return {
        "task": -chosen.sum() / 5,
        "logits": class_term(s_logits, t_logits, TEMPERATURE),
        "patient": patient_term(s_hidden[1][:, 0] @ lift.T, t_hidden[LAYER_MAP[0] + 1][:, 0]),
        "hidden": hidden,
        "attention": sum(attention_term(s_attention[own], t_attention[wanted], BATCH_LENGTHS)
                         for own, wanted in enumerate(LAYER_MAP)),
        "relations": sum(relation_term(s, t, BATCH_LENGTHS, 1) for s, t in zip(s_last, t_last)),
    }


PRESETS = {
    "logits": {"task": 0.1, "logits": 0.9},
    "patient": {"task": 0.1, "logits": 0.9, "patient": 1},
    "tinybert": {"task": 0.1, "logits": 0.9, "hidden": 1, "attention": 1},
    "minilm": {"task": 0.1, "logits": 0.9, "relations": 1},
}
for preset, weights in PRESETS.items():
    for value in list(student.parameters()) + list(projections.values()):
        value.grad = None
    values = parts()
    loss = sum(weight * values[name] for name, weight in weights.items())
    loss.backward()
    golden[f"{preset}.loss"] = loss.detach().reshape(1)
    for name in weights:
        golden[f"{preset}.{name}"] = values[name].detach().reshape(1)
    for name, value in list(student.named_parameters()) + list(projections.items()):
        if value.grad is not None:
            golden[f"{preset}.gradient.{name}"] = value.grad.clone()

save_file(golden, HERE / "golden.safetensors")
