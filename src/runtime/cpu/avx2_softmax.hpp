// Softmax of attention for AVX2, one query's scores at a time.
#pragma once

#include <cstdint>

namespace espalier::runtime::cpu {

/// canonical::attention_weights: scores (n_keys) are used up; p (padded_keys) gets the codes
/// widened to 16 bits, 0 past n_keys. Returns the context's scale.
float attention_weights(float* scores, std::uint32_t n_keys, const float* value_scale,
                        std::int16_t* p, std::uint32_t padded_keys) noexcept;

/// Softmax of fp32 attention: scores (n_keys) become e^(score - max), 0 up to padded_keys; returns
/// 1 / Σ.
float softmax_weights(float* scores, std::uint32_t n_keys, std::uint32_t padded_keys) noexcept;

}  // namespace espalier::runtime::cpu
