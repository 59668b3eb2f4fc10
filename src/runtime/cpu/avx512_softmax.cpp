#include "runtime/cpu/avx512_softmax.hpp"

#include <algorithm>

#include "runtime/cpu/avx512_math.hpp"

namespace espalier::runtime::cpu {
namespace {

ESPALIER_AVX512_INLINE float top_of(const float* scores, std::uint32_t n_keys) {
  const __m512 first = _mm512_set1_ps(scores[0]);
  __m512 top = first;
  for (std::uint32_t key = 0; key < n_keys; key += 16) {
    const __mmask16 lanes = first_lanes(n_keys - key);
    top = _mm512_max_ps(_mm512_mask_loadu_ps(first, lanes, scores + key), top);
  }
  return max_of(top);
}

// scores become w; returns Σ e and the largest w in lanes of their own.
struct Sums {
  __m512 total;
  __m512 top;
};

ESPALIER_AVX512_INLINE Sums weigh(float* scores, float highest, std::uint32_t n_keys,
                                  const float* value_scale) {
  const __m512 top = _mm512_set1_ps(highest);
  Sums sums = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  for (std::uint32_t key = 0; key < n_keys; key += 16) {
    const __mmask16 lanes = first_lanes(n_keys - key);
    const __m512 below = _mm512_sub_ps(_mm512_loadu_ps(scores + key), top);
    const __m512 e = _mm512_maskz_mov_ps(lanes, exp_nonpositive(below));
    sums.total = _mm512_add_ps(sums.total, e);
    const __m512 w = _mm512_mul_ps(e, _mm512_maskz_loadu_ps(lanes, value_scale + key));
    sums.top = _mm512_max_ps(w, sums.top);
    _mm512_storeu_ps(scores + key, w);
  }
  return sums;
}

ESPALIER_AVX512_INLINE float code(const float* weights, const Sums& sums, std::uint32_t n_keys,
                                  std::uint8_t* p) {
  const float top_weight = max_of(sums.top);
  if (!(top_weight >= canonical::kTinyRow)) {
    std::fill(p, p + (n_keys + 15) / 16 * 16, std::uint8_t{0});
    return 0;
  }
  const __m512 inverse = _mm512_set1_ps(255.0F / top_weight);
  for (std::uint32_t key = 0; key < n_keys; key += 16) {
    const __m512 scaled =
        _mm512_max_ps(_mm512_mul_ps(_mm512_loadu_ps(weights + key), inverse), _mm512_setzero_ps());
    const __m512i codes = _mm512_cvtps_epi32(_mm512_min_ps(scaled, _mm512_set1_ps(255.0F)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + key), _mm512_cvtepi32_epi8(codes));
  }
  return (top_weight / 255.0F) / join(sums.total);
}

}  // namespace

// Step by step for all queries: what ends a step waits for all keys of its own query, so that the
// processor can go on with the next one meanwhile.
ESPALIER_AVX512 void attention_weights_u8(const SoftmaxRows& rows, std::uint32_t n_keys,
                                          const float* value_scale) noexcept {
  float highest[kSoftmaxQueries];
  Sums sums[kSoftmaxQueries];
  for (std::uint32_t query = 0; query < rows.n_queries; ++query) {
    highest[query] = top_of(rows.scores + query * rows.stride, n_keys);
  }
  for (std::uint32_t query = 0; query < rows.n_queries; ++query) {
    sums[query] = weigh(rows.scores + query * rows.stride, highest[query], n_keys, value_scale);
  }
  for (std::uint32_t query = 0; query < rows.n_queries; ++query) {
    const std::size_t first = query * rows.stride;
    rows.scale[query] = code(rows.scores + first, sums[query], n_keys, rows.p + first);
  }
}

}  // namespace espalier::runtime::cpu
