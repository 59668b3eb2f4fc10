// Softmax of int8 attention for AVX-512, the scores of some queries at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace espalier::runtime::cpu {

inline constexpr std::uint32_t kSoftmaxQueries = 12;

/// Scores of queries, used up, and what becomes of them.
struct SoftmaxRows {
  float* scores = nullptr;    // (queries, stride)
  std::uint8_t* p = nullptr;  // (queries, stride): the codes, 0 from n_keys to a multiple of 16
  float* scale = nullptr;     // (queries): of the context
  std::uint32_t n_queries = 0;
  std::size_t stride = 0;  // a multiple of 16, at least n_keys
};

/// canonical::attention_weights of each query. n_queries in [1, kSoftmaxQueries], n_keys > 0.
void attention_weights_u8(const SoftmaxRows& rows, std::uint32_t n_keys,
                          const float* value_scale) noexcept;

}  // namespace espalier::runtime::cpu
