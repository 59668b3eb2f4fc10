// Vector forms of the canonical functions for AVX-512: sixteen floats, which are the sixteen lanes
// of a canonical sum; the same operations in the same order. Every function carries its own target
// attribute, so that nothing else in the translation unit is compiled for a processor it may not
// run on.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "base/canonical.hpp"

#define ESPALIER_AVX512_TARGET target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c")
#define ESPALIER_AVX512 __attribute__((ESPALIER_AVX512_TARGET))
#define ESPALIER_AVX512_ALWAYS __attribute__((ESPALIER_AVX512_TARGET, always_inline))
#define ESPALIER_AVX512_INLINE ESPALIER_AVX512_ALWAYS inline

namespace espalier::runtime::cpu {

/// The first `left` of 16 lanes, all of them when `left` is 16 or more.
ESPALIER_AVX512_INLINE __mmask16 first_lanes(std::uint32_t left) {
  return left >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1U << left) - 1U);
}

/// canonical::join
ESPALIER_AVX512_INLINE float join(__m512 sum) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

ESPALIER_AVX512_INLINE float max_of(__m512 x) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

ESPALIER_AVX512_INLINE float min_of(__m512 x) {
  const __m256 eight = _mm256_min_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_min_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_min_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_min_ss(two, _mm_movehdup_ps(two)));
}

/// canonical::exp_nonpositive
ESPALIER_AVX512_INLINE __m512 exp_nonpositive(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-87.0F));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(0x1.715476p+0F)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0x1.62e400p-1F), x);
  r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0x1.7f7d1cp-20F), r);
  __m512 p = _mm512_set1_ps(0x1.6c16c2p-10F);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.111112p-7F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.555556p-5F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.555556p-3F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
  // p * 2^n, rounded once, as the multiplication by the number with that exponent is.
  return _mm512_scalef_ps(p, n);
}

/// canonical::tanh
ESPALIER_AVX512_INLINE __m512 tanh(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0F);
  const __m512 e = exp_nonpositive(_mm512_mul_ps(_mm512_set1_ps(-2.0F), _mm512_abs_ps(x)));
  const __m512 ratio = _mm512_div_ps(_mm512_sub_ps(one, e), _mm512_add_ps(one, e));
  const __m512 size = _mm512_abs_ps(_mm512_add_ps(ratio, _mm512_sub_ps(x, x)));
  return _mm512_or_ps(size, _mm512_and_ps(x, _mm512_set1_ps(-0.0F)));
}

/// canonical::gelu
ESPALIER_AVX512_INLINE __m512 gelu(__m512 x) {
  using canonical::kGelu;
  const __m512 clamp = _mm512_set1_ps(canonical::kGeluClamp);
  const __m512 y = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-canonical::kGeluClamp)), clamp);
  const __m512 u = _mm512_fmadd_ps(_mm512_mul_ps(y, y), _mm512_set1_ps(canonical::kGeluScale),
                                   _mm512_set1_ps(-1.0F));
  __m512 p = _mm512_set1_ps(kGelu[0]);
#pragma GCC unroll 16
  for (std::size_t i = 1; i < kGelu.size(); ++i)
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(kGelu[i]));
  const __m512 phi = _mm512_fmadd_ps(y, p, _mm512_set1_ps(0.5F));
  const __m512 one = _mm512_set1_ps(1.0F);
  return _mm512_mul_ps(x, _mm512_min_ps(_mm512_max_ps(phi, _mm512_setzero_ps()), one));
}

/// canonical::code_difference, as 32-bit integers.
ESPALIER_AVX512_INLINE __m512i code_differences(__m512 x, __m512 inverse, __m512 low, __m512 high) {
  return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(_mm512_mul_ps(x, inverse), low), high));
}

/// canonical::symmetric_code, as 32-bit integers.
ESPALIER_AVX512_INLINE __m512i symmetric_codes(__m512 x, __m512 inverse) {
  return code_differences(x, inverse, _mm512_set1_ps(-127.0F), _mm512_set1_ps(127.0F));
}

}  // namespace espalier::runtime::cpu
