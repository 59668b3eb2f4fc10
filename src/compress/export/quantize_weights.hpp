// Float weights of a linear to signed 8-bit codes with one scale an output channel: the dynamic
// int8 mode, which needs no data. Source: Jacob et al. 2018, §2.1, symmetric and per channel.
#pragma once

#include <cstdint>
#include <span>

#include "compress/export/tensor_store.hpp"
#include "format/spec.hpp"

namespace espalier::compress {

/// Scale stored for an output channel whose weights are all (nearly) zero: its codes are 0, and a
/// reader asks for scales > 0.
inline constexpr float kZeroChannelScale = 1.0F;

/// Codes an int8 linear channel by channel and lays the codes in panels.
/// |code * scale - weight| <= scale / 2, up to one rounding of the product.
class LinearPacker {
 public:
  /// The tensors live in `store`.
  LinearPacker(TensorStore& store, std::uint32_t out, std::uint32_t in);

  /// Codes `weights` (in), finite, as the next output channel. At most `out` calls.
  void add_channel(std::span<const float> weights) noexcept;

  [[nodiscard]] const format::Tensor& weight() const noexcept { return weight_.tensor; }  // panels
  [[nodiscard]] const format::Tensor& scale() const noexcept { return scale_.tensor; }  // (1, out)

 private:
  std::uint32_t in_;
  std::uint32_t n_channels_ = 0;
  TensorStore::Fresh weight_;
  TensorStore::Fresh scale_;
};

}  // namespace espalier::compress
