#include "runtime/cpu/avx2_softmax.hpp"

#include <algorithm>

#include "runtime/cpu/avx2_math.hpp"

namespace espalier::runtime::cpu {
namespace {

// scores become e^(score - max), +0 up to the next multiple of 16; returns their sum. The scores'
// buffer is readable and writable up to that multiple.
ESPALIER_AVX2_INLINE float exponentials(float* scores, std::uint32_t n_keys) {
  for (std::uint32_t key = n_keys; key % 16 != 0; ++key) scores[key] = scores[0];
  __m256 top = _mm256_loadu_ps(scores);
  for (std::uint32_t key = 0; key < n_keys; key += 8) {
    top = _mm256_max_ps(_mm256_loadu_ps(scores + key), top);
  }
  const __m256 highest = _mm256_set1_ps(max_of(top));
  Sum16 total = zero_sum();
  for (std::uint32_t key = 0; key < n_keys; key += 16) {
    const auto left = static_cast<std::int32_t>(n_keys - key);
    __m256 low = exp_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(scores + key), highest));
    __m256 high = exp_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(scores + key + 8), highest));
    if (left < 16) {
      low = _mm256_and_ps(low, lanes_below(left));
      high = _mm256_and_ps(high, lanes_below(left - 8));
    }
    _mm256_storeu_ps(scores + key, low);
    _mm256_storeu_ps(scores + key + 8, high);
    total.low = _mm256_add_ps(total.low, low);
    total.high = _mm256_add_ps(total.high, high);
  }
  return join(total);
}

}  // namespace

ESPALIER_AVX2 float attention_weights(float* scores, std::uint32_t n_keys, const float* value_scale,
                                      std::int16_t* p, std::uint32_t padded_keys) noexcept {
  const float total = exponentials(scores, n_keys);
  __m256 top = _mm256_setzero_ps();
  for (std::uint32_t key = 0; key < n_keys; key += 8) {  // value_scale is 0 past n_keys
    const __m256 w =
        _mm256_mul_ps(_mm256_loadu_ps(scores + key), _mm256_loadu_ps(value_scale + key));
    _mm256_storeu_ps(scores + key, w);
    top = _mm256_max_ps(w, top);
  }
  const float top_weight = max_of(top);
  if (!(top_weight >= canonical::kTinyRow)) {
    std::fill(p, p + padded_keys, std::int16_t{0});
    return 0;
  }
  const __m256 inverse = _mm256_set1_ps(255.0F / top_weight);
  std::uint32_t key = 0;
  for (; key < n_keys; key += 8) {
    const __m256 scaled =
        _mm256_max_ps(_mm256_mul_ps(_mm256_loadu_ps(scores + key), inverse), _mm256_setzero_ps());
    const __m256i codes = _mm256_cvtps_epi32(_mm256_min_ps(scaled, _mm256_set1_ps(255.0F)));
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(p + key),
        _mm_packs_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1)));
  }
  if (key < padded_keys) std::fill(p + key, p + padded_keys, std::int16_t{0});
  return (top_weight / 255.0F) / total;
}

ESPALIER_AVX2 float softmax_weights(float* scores, std::uint32_t n_keys,
                                    std::uint32_t padded_keys) noexcept {
  const float total = exponentials(scores, n_keys);
  std::fill(scores + n_keys, scores + padded_keys, 0.0F);
  return 1.0F / total;
}

}  // namespace espalier::runtime::cpu
