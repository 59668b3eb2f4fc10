// Which precision each part of a model is stored in: the names of its linears and its word table,
// rules that pick some of them by name, and the same parts found in a finished ModelSpec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/types.hpp"
#include "format/spec.hpp"

namespace espalier::compress {

/// What a part is stored in: a precision, or int8 whose weights are codes of four bits that are
/// multiplied out when a model is loaded. Every precision is one by itself.
struct PartType {
  constexpr PartType(Precision of = Precision::fp32) noexcept : precision(of) {}  // NOLINT
  constexpr PartType(Precision of, std::uint32_t four_bit_group) noexcept
      : precision(of), group(four_bit_group) {}

  [[nodiscard]] friend constexpr bool operator==(const PartType&, const PartType&) = default;

  Precision precision;
  std::uint32_t group =
      0;  // int8 of four bits: weights that share a multiplier, is_group(); else 0
};

/// int4 with a multiplier for each `group` weights.
[[nodiscard]] constexpr PartType int4_of(std::uint32_t group) noexcept {
  return {Precision::int8, group};
}

/// "fp32", "int8", "bf16", "int4".
[[nodiscard]] constexpr std::string_view name_of(const PartType& type) noexcept {
  return type.group != 0 ? "int4" : espalier::name_of(type.precision);
}

/// The same with its group: "int4 g64".
[[nodiscard]] std::string type_text(const PartType& type);

/// The parts whose names `pattern` matches are stored in `precision`. pattern: a regular expression
/// (ECMAScript) that is looked for anywhere in the name; ^ and $ stand for its ends.
struct PrecisionRule {
  std::string pattern;
  PartType precision = Precision::fp32;
};

/// Precisions of the linears of one layer.
struct LayerPrecisions {
  PartType qkv = Precision::fp32;
  PartType out = Precision::fp32;
  PartType up = Precision::fp32;
  PartType down = Precision::fp32;
};

/// What the parts of a model are stored in.
struct PartPrecisions {
  PartType word = Precision::fp32;  // of the word table; of its projection, too, but int8 for int4
  std::vector<LayerPrecisions> layers;
};

/// Names of the parts of a model of `n_layers` layers, in the order of the model:
/// "embedding.word", then for each layer "layer.0.attention.qkv", "layer.0.attention.out",
/// "layer.0.ffn.up" and "layer.0.ffn.down". Parts are counted in this order everywhere.
[[nodiscard]] std::vector<std::string> part_names(std::size_t n_layers);

/// `fallback` for every part, then one rule after the other: the last that matches a name wins.
/// Throws Error(usage) for a pattern that is no regular expression, for a rule that matches no
/// part, listing the names that there are, and for an int4 of another group than 32, 64 or 128.
[[nodiscard]] PartPrecisions precisions_by_rules(std::size_t n_layers, Precision fallback,
                                                 std::span<const PrecisionRule> rules);

/// What the parts of `spec` are stored in, in the order of part_names().
[[nodiscard]] std::vector<PartType> precisions_of(const format::ModelSpec& spec);

/// Bytes that part number `part` takes in the file, scales of all kinds included, biases not.
[[nodiscard]] std::uint64_t part_bytes(const format::ModelSpec& spec, std::size_t part);

/// Puts part number `part` of `from` into `to`, a model of the same shape. What `to` views then
/// lives as long as both.
void take_part(format::ModelSpec& to, const format::ModelSpec& from, std::size_t part);

}  // namespace espalier::compress
