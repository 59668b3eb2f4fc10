// Softmax of int8 attention for AVX-512, one query's scores at a time.
#pragma once

#include <cstdint>

namespace espalier::runtime::cpu {

/// canonical::attention_weights: scores (n_keys rounded up to 16) are used up; p (likewise) gets
/// the codes, 0 past n_keys. Returns the context's scale. n_keys > 0.
float attention_weights_u8(float* scores, std::uint32_t n_keys, const float* value_scale,
                           std::uint8_t* p) noexcept;

}  // namespace espalier::runtime::cpu
