// A model for the tests of methods, with all that a row of their table may ask for.
#pragma once

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "tests/compress/prune/small_model.hpp"

namespace espalier::prune {

inline text::TokenizerSpec tiny_spec() {
  return {.pieces = testing::tiny_vocabulary(), .added = {}};
}

/// A small model with all that a method may ask for.
struct Given {
  explicit Given(const model::Bert& given, const text::TokenizerSpec& spec = tiny_spec())
      : bert(given), tokenizer(spec) {}

  /// `share` of the model may stay, in whatever the method counts.
  [[nodiscard]] Pruned prune(const Method& method, double share, std::uint64_t seed = 1,
                             std::uint32_t neuron_multiple = 1) const {
    const auto part_of = [&](double whole) {
      return static_cast<std::uint32_t>(std::ceil(share * whole));
    };
    std::vector<std::uint64_t> counts(tokenizer.vocabulary_size(), 1);
    std::fill(counts.begin() + part_of(static_cast<double>(counts.size())), counts.end(), 0U);
    return method.prune({.bert = bert,
                         .sample = &task.sample,
                         .cost = &cost,
                         .limits = {.budget = budget(share), .neuron_multiple = neuron_multiple},
                         .n_layers = part_of(static_cast<double>(bert.layers.size())),
                         .tokenizer = &tokenizer,
                         .piece_counts = counts,
                         .rank = part_of(bert.config.hidden),
                         .seed = seed});
  }
  [[nodiscard]] double budget(double share) const { return share * cost.of(bert.config.layers); }

  PruningTask task;
  const model::Bert& bert;
  text::Tokenizer tokenizer;
  Cost cost = multiply_add_cost(bert.config, task.sample.mean_length());
};

inline const model::Bert& three_layers() {
  static const model::Bert bert = [] {
    checkpoint::BertConfig config = small_config();
    config.n_layers = 3;
    config.layers.assign(3, config.layers[0]);
    return lively_bert(config);
  }();
  return bert;
}

inline at::Tensor logits(const model::Bert& bert, const model::TokenTensors& tokens) {
  const at::NoGradGuard no_grad;
  return model::head_logits(bert, model::encode(bert, tokens));
}

/// Which neurons stayed (found by their weights, no two alike), as positions in the layer before.
inline at::Tensor original_neurons(const model::Layer& now, const model::Layer& before) {
  return (now.up.weight.unsqueeze(1) == before.up.weight.unsqueeze(0))
      .all(-1)
      .nonzero()
      .select(1, 1);
}

}  // namespace espalier::prune
