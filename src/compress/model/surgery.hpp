// Cuts that make a model physically smaller: heads and neurons of the feed-forward, unevenly layer
// by layer. (Whole layers: student.hpp.) What is cut is gone; the rest keeps its bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/model/bert.hpp"

namespace espalier::model {

/// What a layer keeps, by position among what it has now; rising, may be empty: then the layer's
/// bias, residual and LayerNorm are left of that half.
struct Kept {
  std::vector<std::uint32_t> heads;
  std::vector<std::uint32_t> neurons;

  friend bool operator==(const Kept&, const Kept&) = default;
};

/// All that a model's layers have.
[[nodiscard]] std::vector<Kept> all_units(const Bert& bert);

/// A copy of `bert` with what is kept of each layer; the names of heads in its config stay those of
/// the original model. Keeping all gives the same bits. Throws Error(usage) unless there is one
/// Kept a layer and each lists units that are there, in rising order.
[[nodiscard]] Bert cut(const Bert& bert, std::span<const Kept> layers);

/// Indexes into the width of a layer's attention, head_dim for each of `heads`.
[[nodiscard]] std::vector<std::uint32_t> head_channels(std::span<const std::uint32_t> heads,
                                                       std::uint32_t head_dim);

}  // namespace espalier::model
