#include "runtime/cpu/avx2_matmul.hpp"
#include "runtime/cpu/avx2_math.hpp"

namespace espalier::runtime::cpu {
namespace {

// Calls a tile function with its number of rows as a constant, six at a time.
template <typename Tile>
ESPALIER_AVX2_INLINE void for_row_tiles(std::uint32_t n_rows, Tile tile) {
  std::uint32_t row = 0;
  for (; row + kTileRows <= n_rows; row += kTileRows) tile.template run<6>(row);
  switch (n_rows - row) {
    case 5:
      tile.template run<5>(row);
      break;
    case 4:
      tile.template run<4>(row);
      break;
    case 3:
      tile.template run<3>(row);
      break;
    case 2:
      tile.template run<2>(row);
      break;
    case 1:
      tile.template run<1>(row);
      break;
    default:
      break;
  }
}

// One row's step. Written as assembly because GCC 12 hoists the six broadcasts of a step together
// and then spills half of the accumulators: 3 times slower.
ESPALIER_AVX2_INLINE void add_products(__m256i& sum_left, __m256i& sum_right,
                                       const std::int16_t* codes, __m256i left, __m256i right) {
  __m256i both, product;
  __asm__(
      "vpbroadcastd %[codes], %[both]\n\t"
      "vpmaddwd %[left], %[both], %[product]\n\t"
      "vpmaddwd %[right], %[both], %[both]\n\t"
      "vpaddd %[product], %[sum_left], %[sum_left]\n\t"
      "vpaddd %[both], %[sum_right], %[sum_right]"
      : [sum_left] "+x"(sum_left), [sum_right] "+x"(sum_right), [both] "=&x"(both),
        [product] "=&x"(product)
      : [codes] "m"(*reinterpret_cast<const std::int16_t(*)[2]>(codes)), [left] "x"(left),
        [right] "x"(right));
}

ESPALIER_AVX2_INLINE void add_products(__m256& sum_left, __m256& sum_right, const float* value,
                                       __m256 left, __m256 right) {
  __m256 both;
  __asm__(
      "vbroadcastss %[value], %[both]\n\t"
      "vfmadd231ps %[left], %[both], %[sum_left]\n\t"
      "vfmadd231ps %[right], %[both], %[sum_right]"
      : [sum_left] "+x"(sum_left), [sum_right] "+x"(sum_right), [both] "=&x"(both)
      : [value] "m"(*value), [left] "x"(left), [right] "x"(right));
}

// The output is a constant, so that a tile's twelve ends are one run of code without branches.
template <Output kOutput>
struct EndLinear {
  LinearEnd end;
  ESPALIER_AVX2_INLINE void operator()(__m256 sum, std::uint32_t row, std::uint32_t column,
                                       float* dst) const {
    const __m256 scaled = _mm256_mul_ps(sum, _mm256_broadcast_ss(end.token_scale + row));
    __m256 y = _mm256_fmadd_ps(scaled, _mm256_loadu_ps(end.channel_scale + column),
                               _mm256_loadu_ps(end.bias + column));
    if constexpr (kOutput == Output::gelu) y = gelu(y);
    if constexpr (kOutput == Output::add) y = _mm256_add_ps(_mm256_loadu_ps(dst), y);
    _mm256_storeu_ps(dst, y);
  }
};

struct EndScores {
  const float* row_scale;
  const float* column_scale;
  ESPALIER_AVX2_INLINE void operator()(__m256 sum, std::uint32_t row, std::uint32_t column,
                                       float* dst) const {
    const __m256 scaled = _mm256_mul_ps(sum, _mm256_broadcast_ss(row_scale + row));
    _mm256_storeu_ps(dst, _mm256_mul_ps(scaled, _mm256_loadu_ps(column_scale + column)));
  }
};

struct EndContext {
  const float* row_scale;
  ESPALIER_AVX2_INLINE void operator()(__m256 sum, std::uint32_t row, std::uint32_t,
                                       float* dst) const {
    _mm256_storeu_ps(dst, _mm256_mul_ps(sum, _mm256_broadcast_ss(row_scale + row)));
  }
};

template <typename End>
struct CodeTile {
  const CodeMatrix& a;
  const std::int8_t* panel;
  std::uint32_t depth2;
  std::uint32_t column;
  End end;
  const FloatMatrix& dst;

  template <int kRows>
  ESPALIER_AVX2_INLINE void run(std::uint32_t row) const {
    __m256i sums[kRows][2];
    const std::int16_t* src[kRows];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      sums[r][0] = _mm256_setzero_si256();
      sums[r][1] = _mm256_setzero_si256();
      src[r] = a.rows + (row + static_cast<std::uint32_t>(r)) * a.stride;
    }
    const std::int8_t* weights = panel;
    for (std::uint32_t pair = 0; pair < depth2; ++pair, weights += 32) {
      const __m256i left =
          _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights)));
      const __m256i right =
          _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights + 16)));
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        add_products(sums[r][0], sums[r][1], src[r] + std::size_t{2} * pair, left, right);
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const std::uint32_t at = row + static_cast<std::uint32_t>(r);
      float* out = dst.rows + at * dst.stride + column;
      end(_mm256_cvtepi32_ps(sums[r][0]), at, column, out);
      end(_mm256_cvtepi32_ps(sums[r][1]), at, column + 8, out + 8);
    }
  }
};

// A panel stays in L1 while the rows stream past it.
template <typename End>
ESPALIER_AVX2_INLINE void multiply_codes(const CodeMatrix& a, const CodePanels& b, End end,
                                         const FloatMatrix& dst) {
  const std::size_t panel_bytes = std::size_t{b.depth2} * 2 * kTileColumns;
  const std::int8_t* panel = b.panels;
  for (std::uint32_t column = 0; column < b.columns; column += kTileColumns, panel += panel_bytes) {
    for_row_tiles(a.n_rows, CodeTile<End>{a, panel, b.depth2, column, end, dst});
  }
}

// A step's weights, as floats.
ESPALIER_AVX2_INLINE void load_weights(const float* src, __m256& left, __m256& right) {
  left = _mm256_loadu_ps(src);
  right = _mm256_loadu_ps(src + 8);
}

// Two bfloat16 a 32-bit word: one load, one shift and one mask widen both exactly, no shuffle.
ESPALIER_AVX2_INLINE void load_weights(const std::uint16_t* src, __m256& left, __m256& right) {
  const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src));
  const __m256i upper = _mm256_set1_epi32(static_cast<std::int32_t>(0xFFFF0000));
  left = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
  right = _mm256_castsi256_ps(_mm256_and_si256(both, upper));
}

template <typename Weight>
struct FloatTile {
  const FloatMatrix& a;
  const Weight* panel;
  std::uint32_t depth;
  std::uint32_t column;
  const float* row_scale;
  const FloatMatrix& dst;

  template <int kRows>
  ESPALIER_AVX2_INLINE void run(std::uint32_t row) const {
    __m256 sums[kRows][2];
    const float* src[kRows];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      sums[r][0] = _mm256_setzero_ps();
      sums[r][1] = _mm256_setzero_ps();
      src[r] = a.rows + (row + static_cast<std::uint32_t>(r)) * a.stride;
    }
    const Weight* weights = panel;
    for (std::uint32_t k = 0; k < depth; ++k, weights += kTileColumns) {
      __m256 left, right;
      load_weights(weights, left, right);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        add_products(sums[r][0], sums[r][1], src[r] + k, left, right);
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const std::uint32_t at = row + static_cast<std::uint32_t>(r);
      const __m256 scale = _mm256_broadcast_ss(row_scale + at);
      float* out = dst.rows + at * dst.stride + column;
      _mm256_storeu_ps(out, _mm256_mul_ps(sums[r][0], scale));
      _mm256_storeu_ps(out + 8, _mm256_mul_ps(sums[r][1], scale));
    }
  }
};

template <typename Weight, typename Panels>
ESPALIER_AVX2_INLINE void multiply_floats(const FloatMatrix& a, std::uint32_t n_rows,
                                          const Panels& b, const float* row_scale,
                                          const FloatMatrix& dst) {
  const Weight* panel = b.panels;
  for (std::uint32_t column = 0; column < b.columns; column += kTileColumns) {
    for_row_tiles(n_rows, FloatTile<Weight>{a, panel, b.depth, column, row_scale, dst});
    panel += std::size_t{b.depth} * kTileColumns;
  }
}

}  // namespace

ESPALIER_AVX2 void linear_codes(const CodeMatrix& a, const CodePanels& b, const LinearEnd& end,
                                const FloatMatrix& dst) noexcept {
  switch (end.output) {
    case Output::store:
      return multiply_codes(a, b, EndLinear<Output::store>{end}, dst);
    case Output::gelu:
      return multiply_codes(a, b, EndLinear<Output::gelu>{end}, dst);
    case Output::add:
      return multiply_codes(a, b, EndLinear<Output::add>{end}, dst);
  }
}

ESPALIER_AVX2 void scores_codes(const CodeMatrix& a, const CodePanels& b, const float* row_scale,
                                const float* column_scale, const FloatMatrix& dst) noexcept {
  multiply_codes(a, b, EndScores{row_scale, column_scale}, dst);
}

ESPALIER_AVX2 void context_codes(const CodeMatrix& a, const CodePanels& b, const float* row_scale,
                                 const FloatMatrix& dst) noexcept {
  multiply_codes(a, b, EndContext{row_scale}, dst);
}

ESPALIER_AVX2 void scaled_floats(const FloatMatrix& a, std::uint32_t n_rows, const FloatPanels& b,
                                 const float* row_scale, const FloatMatrix& dst) noexcept {
  multiply_floats<float>(a, n_rows, b, row_scale, dst);
}

ESPALIER_AVX2 void scaled_floats(const FloatMatrix& a, std::uint32_t n_rows, const Bf16Panels& b,
                                 const float* row_scale, const FloatMatrix& dst) noexcept {
  multiply_floats<std::uint16_t>(a, n_rows, b, row_scale, dst);
}

}  // namespace espalier::runtime::cpu
