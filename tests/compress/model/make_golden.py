#!/usr/bin/env python3
"""Makes data/: tiny BERT and DistilBERT checkpoints with the loss, the logits and every gradient that `transformers`
computes.

usage: make_golden.py        (needs torch, transformers and safetensors; made with torch 2.15.0, transformers 5.23.0)
"""
import pathlib

import torch
from safetensors.torch import save_file
from transformers import (BertConfig, BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification,
                          DistilBertConfig, DistilBertForMaskedLM, DistilBertForSequenceClassification,
                          DistilBertForTokenClassification)

HERE = pathlib.Path(__file__).parent / "data"
BERT = (BertConfig, dict(vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                         intermediate_size=24, max_position_embeddings=12, hidden_dropout_prob=0.0,
                         attention_probs_dropout_prob=0.0))
DISTILBERT = (DistilBertConfig, dict(vocab_size=40, dim=16, n_layers=2, n_heads=2, hidden_dim=24,
                                     max_position_embeddings=12, dropout=0.0, attention_dropout=0.0,
                                     seq_classif_dropout=0.0))


def batch(generator):
    ids = torch.randint(5, 40, (3, 8), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    mask[2, 3:] = 0
    segments = torch.zeros_like(ids)
    segments[0, 4:] = 1
    return {"input_ids": ids * mask, "attention_mask": mask, "token_type_ids": segments}


def make(name, family, kind, labels_of, **options):
    generator = torch.Generator().manual_seed(7)
    torch.manual_seed(7)
    config, sizes = family
    model = kind(config(**sizes, **options)).train()
    with torch.no_grad():  # biases and norms that are not 0 and 1 would hide a forgotten one
        for value in model.parameters():
            value += 0.1 * torch.randn(value.shape, generator=generator)
    inputs = batch(generator)
    if family is DISTILBERT:
        del inputs["token_type_ids"]
    labels = labels_of(generator, inputs)
    out = model(**inputs, labels=labels)
    out.loss.backward()
    model.save_pretrained(HERE / name)
    golden = {"loss": out.loss.detach().reshape(1), "logits": out.logits.detach().contiguous(), "labels": labels}
    golden.update({key: value for key, value in inputs.items()})
    golden.update({f"gradient.{key}": value.grad.clone() for key, value in model.named_parameters()})
    save_file(golden, HERE / name / "golden.safetensors")


def ignoring_some(generator, inputs, n_labels):
    labels = torch.randint(0, n_labels, inputs["input_ids"].shape, generator=generator)
    skipped = torch.rand(labels.shape, generator=generator) < 0.4
    return labels.masked_fill(skipped | (inputs["attention_mask"] == 0), -100)


for prefix, family, sequence, tokens, masked in (
        ("", BERT, BertForSequenceClassification, BertForTokenClassification, BertForMaskedLM),
        ("distilbert_", DISTILBERT, DistilBertForSequenceClassification, DistilBertForTokenClassification,
         DistilBertForMaskedLM)):
    make(prefix + "classify", family, sequence, lambda g, _: torch.randint(0, 3, (3,), generator=g), num_labels=3)
    make(prefix + "regress", family, sequence, lambda g, _: torch.rand(3, generator=g), num_labels=1)
    make(prefix + "tag", family, tokens, lambda g, i: ignoring_some(g, i, 5), num_labels=5)
    make(prefix + "fill_mask", family, masked, lambda g, i: ignoring_some(g, i, 40))
