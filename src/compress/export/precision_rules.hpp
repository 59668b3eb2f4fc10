// Which precision each part of a model is stored in: the names of its linears and its word table,
// rules that pick some of them by name, and the same parts found in a finished ModelSpec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "espalier/types.hpp"
#include "format/spec.hpp"

namespace espalier::compress {

/// The parts whose names `pattern` matches are stored in `precision`. pattern: a regular expression
/// (ECMAScript) that is looked for anywhere in the name; ^ and $ stand for its ends.
struct PrecisionRule {
  std::string pattern;
  Precision precision = Precision::fp32;
};

/// Precisions of the linears of one layer.
struct LayerPrecisions {
  Precision qkv = Precision::fp32;
  Precision out = Precision::fp32;
  Precision up = Precision::fp32;
  Precision down = Precision::fp32;
};

/// What the parts of a model are stored in.
struct PartPrecisions {
  Precision word = Precision::fp32;  // of the word table, and of its projection where it has one
  std::vector<LayerPrecisions> layers;
};

/// Names of the parts of a model of `n_layers` layers, in the order of the model:
/// "embedding.word", then for each layer "layer.0.attention.qkv", "layer.0.attention.out",
/// "layer.0.ffn.up" and "layer.0.ffn.down". Parts are counted in this order everywhere.
[[nodiscard]] std::vector<std::string> part_names(std::size_t n_layers);

/// `fallback` for every part, then one rule after the other: the last that matches a name wins.
/// Throws Error(usage) for a pattern that is no regular expression, and for a rule that matches no
/// part, listing the names that there are.
[[nodiscard]] PartPrecisions precisions_by_rules(std::size_t n_layers, Precision fallback,
                                                 std::span<const PrecisionRule> rules);

/// What the parts of `spec` are stored in, in the order of part_names().
[[nodiscard]] std::vector<Precision> precisions_of(const format::ModelSpec& spec);

/// Bytes that part number `part` takes in the file, scales and input scales included, biases not.
[[nodiscard]] std::uint64_t part_bytes(const format::ModelSpec& spec, std::size_t part);

/// Puts part number `part` of `from` into `to`, a model of the same shape. What `to` views then
/// lives as long as both.
void take_part(format::ModelSpec& to, const format::ModelSpec& from, std::size_t part);

}  // namespace espalier::compress
