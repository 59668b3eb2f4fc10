// What the layers of a model cost by how much they keep: the currency in which a pruning target is
// given and the search pays. Multiply-adds and bytes are counted here, milliseconds are measured
// (latency_table.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compress/checkpoint/bert_config.hpp"

namespace espalier::prune {

/// Not falling: more never costs less.
struct LayerCost {
  std::vector<double> heads;    // [n]: of n heads kept, 0 to all that are there
  std::vector<double> neurons;  // [n]: of n neurons kept, likewise
};

struct Cost {
  std::string unit;  // "multiply-adds a token", "bytes", "ms"
  std::vector<LayerCost> layers;
  double rest = 0;  // what no width changes

  /// Of a model whose layers have these widths.
  [[nodiscard]] double of(std::span<const checkpoint::LayerWidths> widths) const;
};

/// Multiply-adds of the encoder for a token of a sentence of `sentence_tokens`, every layer counted
/// whole: projections, products of attention, feed-forward. Normalisation, softmax and GELU count
/// nothing. Source: Kwon et al. 2022, §4.1.
[[nodiscard]] Cost multiply_add_cost(const checkpoint::BertConfig& config, double sentence_tokens);

/// Bytes of the model's int8 file, whose size as it is is `file_bytes`: exact but for the header,
/// which is some hundred bytes shorter for each half of a layer that is emptied.
[[nodiscard]] Cost size_cost(const checkpoint::BertConfig& config, double file_bytes);

}  // namespace espalier::prune
