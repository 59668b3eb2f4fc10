// Whole matmuls of int8 codes in generated VNNI tiles.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/cpu/vnni_kernels.hpp"

namespace espalier::runtime::cpu {

/// dst (rows, columns rounded up to 16) = codes (rows, depth) x panels (depth, columns).
struct VnniMatmul {
  const std::uint8_t* codes = nullptr;
  std::size_t code_stride = 0;  // elements
  std::uint32_t n_rows = 0;
  std::uint32_t depth = 0;  // a multiple of kVnniGroup
  std::uint32_t columns = 0;
  const std::int8_t* panels = nullptr;  // [columns/64][depth/4][64][4], see VnniTile
  const std::int32_t* start = nullptr;  // all vectors: (columns rounded up to 16), 0 past the end
  const std::int32_t* row_zero = nullptr;  // (rows), or null; see VnniTile
  const float* row_scale = nullptr;        // (rows)
  const float* column_scale = nullptr;
  const float* bias = nullptr;
  float* dst = nullptr;
  std::size_t dst_stride = 0;  // elements
};

/// Thread-safe.
void multiply(const VnniKernels& kernels, TileEnd end, const VnniMatmul& matmul) noexcept;

/// dst[n] = -zero Σ_k panels[k][n]: what the sums of codes begin with whose code of 0 is `zero`.
/// dst: columns rounded up to 16 are written. Needs AVX-512 VNNI.
void start_sums(const std::int8_t* panels, std::uint32_t depth, std::uint32_t columns,
                std::uint8_t zero, std::int32_t* dst) noexcept;

}  // namespace espalier::runtime::cpu
