// Attention of one sentence at a time: keys and values of a head are packed into panels that stay
// in L1, then tiles of queries go scores → softmax → context without leaving it.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/cpu/matmul.hpp"

namespace espalier::runtime::cpu {

/// Keys and values of a block, int8: codes row by row, a scale for each (head, row).
struct CodedRows {
  std::vector<std::int8_t> codes;  // (rows, A)
  std::vector<float> scale;        // (heads, row_stride)
};

/// Rows of a block that attention reads. All layers use the same memory.
struct KeysAndValues {
  CodedRows keys;
  CodedRows values;
  std::vector<float> float_keys;    // (rows, A), fp32 layers
  std::vector<float> float_values;  // (rows, A)
};

struct AttentionSizes {
  std::uint32_t max_rows = 0;   // of a block
  std::uint32_t max_keys = 0;   // of a sentence
  std::uint32_t max_heads = 0;  // of a layer
  std::uint32_t head_dim = 0;
  bool codes = false;   // some layer is int8
  bool floats = false;  // some layer is fp32

  [[nodiscard]] std::size_t row_stride() const noexcept { return max_rows + 16U; }
};

[[nodiscard]] KeysAndValues make_keys_and_values(const AttentionSizes& sizes);

/// One sentence's part of a layer's attention.
struct AttentionJob {
  std::uint32_t n_heads = 0;
  std::uint32_t first_key = 0;  // row of the sentence's first token in the block
  std::uint32_t n_keys = 0;
  std::uint32_t first_query = 0;  // row in the query buffers
  std::uint32_t n_queries = 0;
  std::uint32_t first_context = 0;  // row of the context that the first query's goes to
};

/// Scratch of one thread; allocates when made.
class Attention {
 public:
  explicit Attention(const AttentionSizes& sizes);

  /// queries: (rows, A) codes and (heads, row_stride) scales as CodedRows. context: (rows, A),
  /// stride context_stride.
  void run_codes(const AttentionJob& job, const CodedRows& queries, const KeysAndValues& block,
                 float* context, std::size_t context_stride);

  /// The same in fp32. queries: (rows, A).
  void run_floats(const AttentionJob& job, const std::vector<float>& queries,
                  const KeysAndValues& block, float* context, std::size_t context_stride);

 private:
  // Queries of one tile: a multiple of 6 small enough for its scores of 128 keys to stay in L1.
  static constexpr std::uint32_t kQueries = 12;

  void pack_keys(const std::int8_t* keys, std::size_t stride, std::uint32_t n_keys);
  void pack_values(const std::int8_t* values, std::size_t stride, std::uint32_t n_keys);

  AttentionSizes sizes_;
  std::vector<std::int8_t> key_panels_;    // [keys/16][d/2][16][2]
  std::vector<std::int8_t> value_panels_;  // [d/16][keys/2][16][2]
  std::vector<float> float_panels_;        // [keys/16][d][16], then [d/16][keys][16]
  std::vector<std::int16_t> queries_;      // (kQueries, d rounded up to 2)
  std::vector<float> scores_;              // (kQueries, keys rounded up to 16)
  std::vector<std::int16_t> weights_;      // likewise
  std::vector<float> tile_;                // (kQueries, d rounded up to 16)
};

}  // namespace espalier::runtime::cpu
