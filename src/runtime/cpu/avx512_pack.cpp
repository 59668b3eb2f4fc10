#include "runtime/cpu/avx512_pack.hpp"

#include <algorithm>

#include "runtime/cpu/avx512_math.hpp"

namespace espalier::runtime::cpu {
namespace {

struct FourRows {
  __m128i a, b, c, d;
};

// Sixteen codes of each of four rows from `column` on, 0 past `lanes` and for rows that there are
// not.
ESPALIER_AVX512_INLINE FourRows load_rows(const HeadCodes& src, std::uint32_t row,
                                          std::uint32_t column, __mmask16 lanes) {
  const std::int8_t* const codes = src.codes + row * src.stride + column;
  const std::uint32_t n = std::min(src.n_rows - std::min(row, src.n_rows), 4U);
  const auto load = [&](std::uint32_t index) ESPALIER_AVX512 {
    return _mm_maskz_loadu_epi8(index < n ? lanes : __mmask16{0}, codes + index * src.stride);
  };
  return {load(0), load(1), load(2), load(3)};
}

ESPALIER_AVX512_INLINE void store16(std::int8_t* dst, __m128i codes) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), codes);
}

}  // namespace

// A 4 x 4 transpose of quads at a time.
ESPALIER_AVX512 void pack_keys(HeadCodes keys, std::int8_t* dst) noexcept {
  const std::size_t panel_bytes = (keys.head_dim + 15) / 16 * std::size_t{16 * 64};
  for (std::uint32_t column = 0; column < keys.head_dim; column += 16) {
    const __mmask16 lanes = first_lanes(keys.head_dim - column);
    for (std::uint32_t key = 0; key < (keys.n_rows + 15) / 16 * 16; key += 4) {
      const auto [a, b, c, d] = load_rows(keys, key, column, lanes);
      const __m128i ab_low = _mm_unpacklo_epi32(a, b), ab_high = _mm_unpackhi_epi32(a, b);
      const __m128i cd_low = _mm_unpacklo_epi32(c, d), cd_high = _mm_unpackhi_epi32(c, d);
      std::int8_t* const quads =
          dst + key / 64 * panel_bytes + column * std::size_t{64} + key % 64 * std::size_t{4};
      store16(quads, _mm_unpacklo_epi64(ab_low, cd_low));
      store16(quads + 256, _mm_unpackhi_epi64(ab_low, cd_low));
      store16(quads + 512, _mm_unpacklo_epi64(ab_high, cd_high));
      store16(quads + 768, _mm_unpackhi_epi64(ab_high, cd_high));
    }
  }
}

// Bytes of four rows are interleaved, sixteen columns at a time.
ESPALIER_AVX512 void pack_values(HeadCodes values, std::int8_t* dst) noexcept {
  const std::uint32_t end = (values.n_rows + 15) / 16 * 16;
  for (std::uint32_t first = 0; first < values.head_dim; first += 64) {
    const std::uint32_t columns = std::min((values.head_dim - first + 15) / 16 * 16, 64U);
    for (std::uint32_t column = 0; column < columns; column += 16) {
      const __mmask16 lanes = first_lanes(values.head_dim - first - column);
      std::int8_t* quads = dst + column * std::size_t{4};
      for (std::uint32_t row = 0; row < end; row += 4, quads += columns * std::size_t{4}) {
        const auto [a, b, c, d] = load_rows(values, row, first + column, lanes);
        const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
        const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
        store16(quads, _mm_unpacklo_epi16(ab_low, cd_low));
        store16(quads + 16, _mm_unpackhi_epi16(ab_low, cd_low));
        store16(quads + 32, _mm_unpacklo_epi16(ab_high, cd_high));
        store16(quads + 48, _mm_unpackhi_epi16(ab_high, cd_high));
      }
    }
    dst += std::size_t{end} * columns;
  }
}

ESPALIER_AVX512 void shift_codes(HeadCodes src, std::uint8_t* dst) noexcept {
  for (std::uint32_t row = 0; row < src.n_rows; ++row) {
    for (std::uint32_t column = 0; column < src.head_dim; column += 16, dst += 16) {
      const __m128i codes =
          _mm_maskz_loadu_epi8(first_lanes(src.head_dim - column), src.codes + column);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), _mm_xor_si128(codes, _mm_set1_epi8(-128)));
    }
    src.codes += src.stride;
  }
}

}  // namespace espalier::runtime::cpu
