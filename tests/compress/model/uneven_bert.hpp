// A model of four layers with many small heads, no two tensors alike, and three sentences of
// different lengths for it: for tests of what cuts and gates do to it.
#pragma once

#include <ATen/ATen.h>

#include "compress/model/bert.hpp"

namespace espalier::model {

inline Bert uneven_bert() {
  checkpoint::BertConfig config;
  config.architecture = checkpoint::Architecture::sequence_classification;
  config.hidden = 32;
  config.n_layers = 4;
  config.n_heads = 8;
  config.head_dim = 4;
  config.intermediate = 24;
  config.vocab = 50;
  config.positions = 12;
  config.token_types = 2;
  config.layer_norm_eps = 1e-12F;
  config.labels = {"no", "yes", "perhaps"};
  config.layers.assign(4, {{0, 1, 2, 3, 4, 5, 6, 7}, 24});
  Bert bert = new_bert(config, 3);
  double phase = 0;
  for_each_parameter(bert, [&](const std::string&, at::Tensor& value) {
    value += (at::arange(value.numel()).view(value.sizes()) * 0.7 + (phase += 0.1)).cos() * 0.2;
  });
  return bert;
}

inline Bert in_double(Bert bert) {
  for_each_parameter(bert,
                     [](const std::string&, at::Tensor& value) { value = value.to(at::kDouble); });
  return bert;
}

/// Sentences of 5, 3 and 4 tokens.
inline TokenTensors uneven_tokens() {
  return {.ids = at::arange(5, 20).view({3, 5}),
          .segments = at::zeros({3, 5}, at::kLong),
          .mask = at::arange(5) < at::tensor({5, 3, 4}, at::kLong).unsqueeze(1)};
}

}  // namespace espalier::model
