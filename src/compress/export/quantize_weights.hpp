// Float weights of a linear to codes with scales, laid out as the file has them: eight bits with
// one scale an output channel, in panels, or four bits with a multiplier for each group as well.
// Source: Jacob et al. 2018, §2.1, symmetric and per channel; Dai et al. 2021 (VS-Quant), two
// levels of scales.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/export/round_weights.hpp"
#include "compress/export/tensor_store.hpp"
#include "format/spec.hpp"

namespace espalier::compress {

/// Scale stored for an output channel whose weights are all (nearly) zero: its codes are 0, and a
/// reader asks for scales > 0.
inline constexpr float kZeroChannelScale = 1.0F;

/// What the codes of a linear are.
struct CodeKind {
  std::uint32_t group = 0;  // of four-bit codes, format::is_group(); 0: eight bits
  Rounding rounding = Rounding::absmax;
};

/// Codes a linear channel by channel. |code * step - weight| <= step / 2 with absmax, up to one
/// rounding of the product.
class LinearPacker {
 public:
  /// The tensors live in `store`.
  LinearPacker(TensorStore& store, std::uint32_t out, std::uint32_t in, const CodeKind& kind = {});

  /// Codes `weights` (in), finite, as the next output channel. At most `out` calls.
  void add_channel(std::span<const float> weights);

  /// Takes all channels from `rounder`. Throws Error(failed) when what it answers is not what
  /// `asked`, of this shape and group, asks for.
  void add_all(LinearRounder& rounder, const LinearToRound& asked);

  [[nodiscard]] const format::Tensor& weight() const noexcept { return weight_.tensor; }
  [[nodiscard]] const format::Tensor& scale() const noexcept { return scale_.tensor; }  // (1, out)

  /// Puts the weights with all their scales into `linear`.
  void store_in(format::LinearSpec& linear) const noexcept;

 private:
  void store_channel(std::span<const std::int8_t> codes, float scale) noexcept;
  [[nodiscard]] std::span<std::int8_t> next_multipliers() noexcept;

  std::uint32_t in_;
  CodeKind kind_;
  std::uint32_t n_channels_ = 0;
  TensorStore::Fresh weight_;
  TensorStore::Fresh scale_;
  TensorStore::Fresh multiplier_;
  std::vector<std::int8_t> codes_;  // of a channel
};

}  // namespace espalier::compress
