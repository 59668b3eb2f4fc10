#include "runtime/cpu/avx2_bf16.hpp"

#include "runtime/cpu/avx2_math.hpp"

namespace espalier::runtime::cpu {
namespace {

// Eight patterns in the upper halves of 32-bit words, with some bits left below them.
ESPALIER_AVX2_INLINE __m256i rounded(__m256 x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i half = _mm256_add_epi32(even, _mm256_set1_epi32(0x7FFF));
  // Rounding up could carry a NaN into a number: its quiet bit is set instead.
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const __m256 nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
  return _mm256_blendv_epi8(_mm256_add_epi32(bits, half), quiet, _mm256_castps_si256(nan));
}

}  // namespace

ESPALIER_AVX2 void round_row(const float* src, std::uint32_t size, float* dst) noexcept {
  const __m256i upper = _mm256_set1_epi32(static_cast<std::int32_t>(0xFFFF0000));
  for (std::uint32_t i = 0; i < size; i += 8) {
    const __m256i y = _mm256_and_si256(rounded(_mm256_loadu_ps(src + i)), upper);
    _mm256_storeu_ps(dst + i, _mm256_castsi256_ps(y));
  }
}

ESPALIER_AVX2 void narrow_row(const float* src, std::uint32_t size, std::uint16_t* dst) noexcept {
  for (std::uint32_t i = 0; i < size; i += 8) {
    const __m256i y = _mm256_srli_epi32(rounded(_mm256_loadu_ps(src + i)), 16);
    const __m128i packed =
        _mm_packus_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + i), packed);
  }
}

}  // namespace espalier::runtime::cpu
