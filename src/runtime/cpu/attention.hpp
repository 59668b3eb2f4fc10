// Attention of one sentence at a time, and the queries, keys and values it reads. One
// implementation for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/cpu/line_vector.hpp"

namespace espalier::runtime::cpu {

struct AttentionSizes {
  std::uint32_t max_rows = 0;   // of a block
  std::uint32_t max_keys = 0;   // of a sentence
  std::uint32_t max_heads = 0;  // of a layer
  std::uint32_t head_dim = 0;
  bool codes = false;   // some layer is int8
  bool floats = false;  // some layer is fp32

  [[nodiscard]] std::size_t row_stride() const noexcept { return max_rows + 16U; }
};

/// Keys and values of a block, int8: codes row by row, a scale for each (head, row).
struct CodedRows {
  explicit CodedRows(Arena& arena) : codes(arena), scale(arena) {}

  LineVector<std::int8_t> codes;  // (rows, A)
  LineVector<float> scale;        // (heads, row_stride)
};

/// Rows of a block that attention reads. All layers use the same memory.
struct KeysAndValues {
  KeysAndValues(const AttentionSizes& sizes, Arena& arena);

  CodedRows keys;
  CodedRows values;
  LineVector<float> float_keys;    // (rows, A), fp32 layers
  LineVector<float> float_values;  // (rows, A)
};

/// One sentence's part of a layer's attention.
struct AttentionJob {
  std::uint32_t n_heads = 0;
  std::uint32_t first_key = 0;  // row of the sentence's first token in the block
  std::uint32_t n_keys = 0;
  std::uint32_t first_query = 0;  // row in the query buffers
  std::uint32_t n_queries = 0;
  std::uint32_t first_context = 0;  // row of the context that the first query's goes to
};

/// One thread's attention; its scratch is allocated in the arena when it is made.
class Attention {
 public:
  virtual ~Attention() = default;

  /// queries: (rows, A) codes and (heads, row_stride) scales as CodedRows. context: (rows, A),
  /// stride context_stride.
  virtual void run_codes(const AttentionJob& job, const CodedRows& queries,
                         const KeysAndValues& block, float* context,
                         std::size_t context_stride) = 0;

  /// The same in fp32. queries: (rows, A).
  virtual void run_floats(const AttentionJob& job, const LineVector<float>& queries,
                          const KeysAndValues& block, float* context,
                          std::size_t context_stride) = 0;
};

[[nodiscard]] std::unique_ptr<Attention> make_avx2_attention(const AttentionSizes& sizes,
                                                             Arena& arena);

/// Throws Error(unavailable) where the system grants no executable memory.
[[nodiscard]] std::unique_ptr<Attention> make_avx512_attention(const AttentionSizes& sizes,
                                                               Arena& arena);

}  // namespace espalier::runtime::cpu
