// Matmul kernels of the CPU back end for AVX2: tiles of 6 rows by 16 columns over the whole depth,
// the results finished in registers.
//
// Integers: codes are widened to 16 bits and multiplied in pairs (vpmaddwd), so that no sum can
// saturate as vpmaddubsw's do. 12 accumulators, 2 weight registers, 1 broadcast and 1 product fill
// the 16 ymm registers; a step of two k takes 12 vpmaddwd for 192 multiply-adds, which is the same
// rate per multiplier as vpmaddubsw + vpmaddwd.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/cpu/rows.hpp"

namespace espalier::runtime::cpu {

inline constexpr std::uint32_t kTileRows = 6;
inline constexpr std::uint32_t kTileColumns = 16;

/// Left operand: rows of 16-bit integers, at most 255 from 0. depth2 pairs are read of each row.
struct CodeMatrix {
  const std::int16_t* rows = nullptr;
  std::size_t stride = 0;  // elements
  std::uint32_t n_rows = 0;
};

/// Right operand: 8-bit weights in panels [columns/16][depth2][16][2], zero past the real depth.
struct CodePanels {
  const std::int8_t* panels = nullptr;
  std::uint32_t depth2 = 0;  // pairs of k
  std::uint32_t columns = 0;
};

struct FloatMatrix {
  float* rows = nullptr;
  std::size_t stride = 0;
};

/// How a linear ends: y = (sum * token_scale[row]) * channel_scale[n] + bias[n], fused as
/// canonical::dequantize; then `output`.
struct LinearEnd {
  const float* token_scale = nullptr;    // (rows)
  const float* channel_scale = nullptr;  // (columns rounded up to 16), 0 past the end
  const float* bias = nullptr;           // likewise
  Output output = Output::store;
};

/// dst (rows, columns rounded up to 16).
void linear_codes(const CodeMatrix& a, const CodePanels& b, const LinearEnd& end,
                  const FloatMatrix& dst) noexcept;

/// dst = (sum * row_scale[row]) * column_scale[n]: attention scores.
void scores_codes(const CodeMatrix& a, const CodePanels& b, const float* row_scale,
                  const float* column_scale, const FloatMatrix& dst) noexcept;

/// dst = sum * row_scale[row]: attention context.
void context_codes(const CodeMatrix& a, const CodePanels& b, const float* row_scale,
                   const FloatMatrix& dst) noexcept;

/// Right operand in floats: panels [columns/16][depth][16].
struct FloatPanels {
  const float* panels = nullptr;
  std::uint32_t depth = 0;
  std::uint32_t columns = 0;
};

/// Right operand in bfloat16: panels [columns/16][depth][8][2], where columns n and n + 8 share 32
/// bits, n in the lower half, so that a shift and a mask widen a register.
struct Bf16Panels {
  const std::uint16_t* panels = nullptr;
  std::uint32_t depth = 0;
  std::uint32_t columns = 0;
};

/// dst = row_scale[row] Σ a b in fp32: fp32 and bf16 linears, both matmuls of their attention.
void scaled_floats(const FloatMatrix& a, std::uint32_t n_rows, const FloatPanels& b,
                   const float* row_scale, const FloatMatrix& dst) noexcept;
void scaled_floats(const FloatMatrix& a, std::uint32_t n_rows, const Bf16Panels& b,
                   const float* row_scale, const FloatMatrix& dst) noexcept;

/// Bytes of CodePanels for this many columns and depth.
[[nodiscard]] constexpr std::size_t code_panel_bytes(std::uint32_t columns, std::uint32_t depth) {
  return std::size_t{(columns + 15) / 16 * 16} * ((depth + 1) / 2 * 2);
}

}  // namespace espalier::runtime::cpu
