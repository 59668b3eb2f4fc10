// Self-attention of the reference back end: the keys and values of a block, and the context of one
// token. bf16 attends as fp32 does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "espalier/types.hpp"

namespace espalier::runtime::reference {

/// Shape of a layer's attention.
struct HeadShape {
  std::uint32_t n_heads = 0;
  std::uint32_t head_dim = 0;

  [[nodiscard]] std::uint32_t width() const noexcept { return n_heads * head_dim; }
};

/// Keys and values of the rows of one block, coded per (row, head) in int8 mode. Different rows may
/// be stored by different threads.
struct KeyValues {
  KeyValues(Precision mode, std::uint32_t max_rows, HeadShape widest);

  /// qkv_row (3 * width): Q, K, V of one token.
  void store(Precision mode, HeadShape shape, std::size_t row, std::span<const float> qkv_row);

  std::vector<float> keys, values;                  // (rows, width), else
  std::vector<std::int8_t> key_codes, value_codes;  // (rows, width), int8 mode
  std::vector<float> key_scales, value_scales;      // (n_heads, rows): keys of a head lie together
  std::size_t scale_stride;                         // rows of the scales
};

/// Room for the context of one token; made once for the longest sentence.
struct AttentionScratch {
  AttentionScratch(std::uint32_t max_sentence_tokens, std::uint32_t head_dim);

  std::vector<float> scores;          // (keys)
  std::vector<std::uint8_t> weights;  // (keys)
  std::vector<std::int8_t> query;     // (head_dim)
  std::vector<double> wide_scores;    // (keys)
  std::vector<double> wide_context;   // (head_dim)
  std::vector<std::int32_t> sums;     // (head_dim)
};

/// Keys that a token sees: all of its sentence, as rows of the block.
struct KeyRange {
  std::size_t first = 0;
  std::size_t size = 0;
};

/// context (width) of one token with the queries at the start of `qkv_row`.
void attend_token(Precision mode, HeadShape shape, const KeyValues& key_values, KeyRange keys,
                  std::span<const float> qkv_row, std::span<float> context,
                  AttentionScratch& scratch);

}  // namespace espalier::runtime::reference
