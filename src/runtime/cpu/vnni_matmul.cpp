#include "runtime/cpu/vnni_matmul.hpp"

#include <algorithm>

#include "runtime/cpu/avx512_math.hpp"

namespace espalier::runtime::cpu {
namespace {

constexpr std::uint32_t kColumns = kVnniTileBlocks * 16;

}  // namespace

// A panel stays in L2, and where it fits in L1, while the rows stream past it.
void multiply(const VnniKernels& kernels, TileEnd end, const VnniMatmul& matmul) noexcept {
  const std::size_t panel_bytes = std::size_t{matmul.depth} * kColumns;
  const std::int8_t* panel = matmul.panels;
  const std::uint32_t tiles = (matmul.n_rows + kVnniTileRows - 1) / kVnniTileRows;
  // Each tile asks for a quarter of the next panel; where there are fewer than four, for three.
  const std::size_t quarter = panel_bytes / 4;
  VnniTile tile = {.code_stride = matmul.code_stride,
                   .n_groups = matmul.depth / kVnniGroup,
                   .prefetch_stride = tiles < 4 ? quarter : 0,
                   .dst_stride = matmul.dst_stride * sizeof(float)};
  for (std::uint32_t column = 0; column < matmul.columns; column += kColumns) {
    const std::uint32_t blocks = std::min((matmul.columns - column + 15) / 16, kVnniTileBlocks);
    tile.panel = panel;
    tile.start = matmul.start == nullptr ? nullptr : matmul.start + column;
    tile.column_scale = matmul.column_scale == nullptr ? nullptr : matmul.column_scale + column;
    tile.bias = matmul.bias == nullptr ? nullptr : matmul.bias + column;
    panel += panel_bytes;
    std::uint32_t row = 0;
    // Tiles as even as can be: a tile of one row takes as long as its panel takes to arrive.
    for (std::uint32_t index = 0; index < tiles; ++index) {
      const std::uint32_t left = tiles - index;
      const std::uint32_t rows = (matmul.n_rows - row + left - 1) / left;
      tile.codes = matmul.codes + row * matmul.code_stride;
      tile.prefetch = panel + (tiles < 4 ? index * 4 / tiles : index % 4) * quarter;
      tile.row_zero = matmul.row_zero == nullptr ? nullptr : matmul.row_zero + row;
      tile.row_scale = matmul.row_scale + row;
      tile.dst = matmul.dst + row * matmul.dst_stride + column;
      kernels.run(end, rows, blocks, tile);
      row += rows;
    }
  }
}

ESPALIER_AVX512 void start_sums(const std::int8_t* panels, std::uint32_t depth,
                                std::uint32_t columns, std::uint8_t zero,
                                std::int32_t* dst) noexcept {
  const __m512i codes = _mm512_set1_epi8(static_cast<char>(zero));
  for (std::uint32_t column = 0; column < columns; column += 16) {
    std::size_t at = std::size_t{column / kColumns} * depth * kColumns + column % kColumns * 4;
    __m512i sum = _mm512_setzero_si512();
    for (std::uint32_t k = 0; k < depth; k += 4, at += std::size_t{4} * kColumns) {
      sum = _mm512_dpbusd_epi32(sum, codes, _mm512_loadu_si512(panels + at));
    }
    _mm512_storeu_si512(dst + column, _mm512_sub_epi32(_mm512_setzero_si512(), sum));
  }
}

}  // namespace espalier::runtime::cpu
