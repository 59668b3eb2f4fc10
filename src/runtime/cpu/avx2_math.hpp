// Vector forms of the canonical functions: eight floats, the same operations in the same order.
// Every function carries its own target attribute, so that nothing else in the translation unit
// (and no inline function of the standard library) is compiled for a processor it may not run on.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "base/canonical.hpp"

#define ESPALIER_AVX2 __attribute__((target("avx2,fma,f16c")))
#define ESPALIER_AVX2_ALWAYS __attribute__((target("avx2,fma,f16c"), always_inline))
#define ESPALIER_AVX2_INLINE ESPALIER_AVX2_ALWAYS inline

namespace espalier::runtime::cpu {

/// Sixteen running sums: lanes 0..7 and 8..15.
struct Sum16 {
  __m256 low;
  __m256 high;
};

ESPALIER_AVX2_INLINE Sum16 zero_sum() {
  return {_mm256_setzero_ps(), _mm256_setzero_ps()};
}

/// canonical::join
ESPALIER_AVX2_INLINE float join(const Sum16& sum) {
  const __m256 eight = _mm256_add_ps(sum.low, sum.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

ESPALIER_AVX2_INLINE float max_of(__m256 x) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

ESPALIER_AVX2_INLINE float min_of(__m256 x) {
  const __m128 four = _mm_min_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_min_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_min_ss(two, _mm_movehdup_ps(two)));
}

ESPALIER_AVX2_INLINE __m256 magnitude(__m256 x) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), x);
}

/// All ones in lanes below `count`, which may be negative or past 8.
ESPALIER_AVX2_INLINE __m256 lanes_below(std::int32_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
}

/// canonical::exp_nonpositive
ESPALIER_AVX2_INLINE __m256 exp_nonpositive(__m256 x) {
  x = _mm256_max_ps(x, _mm256_set1_ps(-87.0F));
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(0x1.715476p+0F)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-0x1.62e400p-1F), x);
  r = _mm256_fmadd_ps(n, _mm256_set1_ps(-0x1.7f7d1cp-20F), r);
  __m256 p = _mm256_set1_ps(0x1.6c16c2p-10F);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.111112p-7F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.555556p-5F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.555556p-3F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0F));
  const __m256i exponent =
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  return _mm256_mul_ps(p, _mm256_castsi256_ps(exponent));
}

/// canonical::tanh
ESPALIER_AVX2_INLINE __m256 tanh(__m256 x) {
  const __m256 one = _mm256_set1_ps(1.0F);
  const __m256 e = exp_nonpositive(_mm256_mul_ps(_mm256_set1_ps(-2.0F), magnitude(x)));
  const __m256 ratio = _mm256_div_ps(_mm256_sub_ps(one, e), _mm256_add_ps(one, e));
  const __m256 size = magnitude(_mm256_add_ps(ratio, _mm256_sub_ps(x, x)));
  return _mm256_or_ps(size, _mm256_and_ps(x, _mm256_set1_ps(-0.0F)));
}

/// canonical::gelu
ESPALIER_AVX2_INLINE __m256 gelu(__m256 x) {
  using canonical::kGelu;
  const __m256 clamp = _mm256_set1_ps(canonical::kGeluClamp);
  const __m256 y = _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(-canonical::kGeluClamp)), clamp);
  const __m256 one = _mm256_set1_ps(1.0F);
  const __m256 u = _mm256_fmadd_ps(_mm256_mul_ps(y, y), _mm256_set1_ps(canonical::kGeluScale),
                                   _mm256_set1_ps(-1.0F));
  __m256 p = _mm256_set1_ps(kGelu[0]);
#pragma GCC unroll 16
  for (std::size_t i = 1; i < kGelu.size(); ++i)
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(kGelu[i]));
  const __m256 phi = _mm256_fmadd_ps(y, p, _mm256_set1_ps(0.5F));
  return _mm256_mul_ps(x, _mm256_min_ps(_mm256_max_ps(phi, _mm256_setzero_ps()), one));
}

/// canonical::code_difference, as 32-bit integers.
ESPALIER_AVX2_INLINE __m256i code_differences(__m256 x, __m256 inverse, __m256 low, __m256 high) {
  return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(_mm256_mul_ps(x, inverse), low), high));
}

/// canonical::symmetric_code, as 32-bit integers.
ESPALIER_AVX2_INLINE __m256i symmetric_codes(__m256 x, __m256 inverse) {
  return code_differences(x, inverse, _mm256_set1_ps(-127.0F), _mm256_set1_ps(127.0F));
}

}  // namespace espalier::runtime::cpu
