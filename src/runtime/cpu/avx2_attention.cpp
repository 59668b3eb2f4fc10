// Keys and values of a head are packed into panels that stay in L1, then tiles of queries go
// scores → softmax → context without leaving it.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/canonical.hpp"
#include "format/spec.hpp"
#include "runtime/cpu/attention.hpp"
#include "runtime/cpu/avx2_matmul.hpp"
#include "runtime/cpu/avx2_softmax.hpp"

namespace espalier::runtime::cpu {

namespace {

using format::round_up;

class Avx2Attention final : public Attention {
 public:
  Avx2Attention(const AttentionSizes& sizes, Arena& arena);

  void run_codes(const AttentionJob& job, const CodedRows& queries, const KeysAndValues& block,
                 float* context, std::size_t context_stride) override;
  void run_floats(const AttentionJob& job, const LineVector<float>& queries,
                  const KeysAndValues& block, float* context, std::size_t context_stride) override;

 private:
  // Queries of one tile: a multiple of 6 small enough for its scores of 128 keys to stay in L1.
  static constexpr std::uint32_t kQueries = 12;

  void pack_keys(const std::int8_t* keys, std::size_t stride, std::uint32_t n_keys);
  void pack_values(const std::int8_t* values, std::size_t stride, std::uint32_t n_keys);

  AttentionSizes sizes_;
  LineVector<std::int8_t> key_panels_;    // [keys/16][d/2][16][2]
  LineVector<std::int8_t> value_panels_;  // [d/16][keys/2][16][2]
  LineVector<float> float_panels_;        // [keys/16][d][16], then [d/16][keys][16]
  LineVector<std::int16_t> queries_;      // (kQueries, d rounded up to 2)
  LineVector<float> scores_;              // (kQueries, keys rounded up to 16)
  LineVector<std::int16_t> weights_;      // likewise
  LineVector<float> tile_;                // (kQueries, d rounded up to 16)
};

Avx2Attention::Avx2Attention(const AttentionSizes& sizes, Arena& arena)
    : sizes_(sizes),
      key_panels_(arena),
      value_panels_(arena),
      float_panels_(arena),
      queries_(arena),
      scores_(arena),
      weights_(arena),
      tile_(arena) {
  const std::uint32_t d = sizes.head_dim;
  const std::uint32_t keys = round_up(sizes.max_keys, 16);
  if (sizes.codes) {
    key_panels_.resize(code_panel_bytes(keys, d));
    value_panels_.resize(code_panel_bytes(d, keys));
    queries_.resize(std::size_t{kQueries} * round_up(d, 2));
    weights_.resize(std::size_t{kQueries} * keys);
  }
  if (sizes.floats) {
    float_panels_.resize(std::size_t{keys} * std::max(d, round_up(d, 16)));
  }
  scores_.resize(std::size_t{kQueries} * keys);
  tile_.resize(std::size_t{kQueries} * round_up(d, 16));
}

void Avx2Attention::pack_keys(const std::int8_t* keys, std::size_t stride, std::uint32_t n_keys) {
  const std::uint32_t d = sizes_.head_dim;
  const std::size_t depth2 = (d + 1) / 2;
  std::int8_t* panel = key_panels_.data();
  for (std::uint32_t first = 0; first < n_keys; first += 16, panel += depth2 * 32) {
    const std::uint32_t n = std::min(n_keys - first, 16U);
    if (n < 16 || d % 2 != 0) std::memset(panel, 0, depth2 * 32);
    for (std::uint32_t key = 0; key < n; ++key) {
      const std::int8_t* src = keys + (first + key) * stride;
      std::int8_t* dst = panel + key * 2;
      for (std::uint32_t pair = 0; pair < d / 2; ++pair)
        std::memcpy(dst + pair * 32, src + pair * 2, 2);
      if (d % 2 != 0) dst[(depth2 - 1) * 32] = src[d - 1];
    }
  }
}

void Avx2Attention::pack_values(const std::int8_t* values, std::size_t stride,
                                std::uint32_t n_keys) {
  const std::uint32_t d = sizes_.head_dim;
  const std::size_t depth2 = (n_keys + 1) / 2;
  for (std::uint32_t column = 0; column < d; column += 16) {
    std::int8_t* panel = value_panels_.data() + column / 16 * depth2 * 32;
    const std::uint32_t n = std::min(d - column, 16U);
    for (std::size_t pair = 0; pair < depth2; ++pair) {
      static constexpr std::array<std::int8_t, 16> kZeros = {};
      const std::int8_t* even = values + 2 * pair * stride + column;
      const std::int8_t* odd = 2 * pair + 1 < n_keys ? even + stride : kZeros.data();
      std::int8_t* dst = panel + pair * 32;
      if (n < 16) std::memset(dst, 0, 32);
      for (std::uint32_t c = 0; c < n; ++c) {
        dst[2 * c] = even[c];
        dst[2 * c + 1] = odd[c];
      }
    }
  }
}

void Avx2Attention::run_codes(const AttentionJob& job, const CodedRows& queries,
                              const KeysAndValues& block, float* context,
                              std::size_t context_stride) {
  const std::uint32_t d = sizes_.head_dim;
  const std::uint32_t depth2 = (d + 1) / 2;
  const std::size_t width = std::size_t{job.n_heads} * d;
  const std::uint32_t padded_keys = round_up(job.n_keys, 16);
  for (std::uint32_t head = 0; head < job.n_heads; ++head) {
    const std::size_t column = std::size_t{head} * d;
    const std::size_t scales = head * sizes_.row_stride();
    pack_keys(block.keys.codes.data() + job.first_key * width + column, width, job.n_keys);
    pack_values(block.values.codes.data() + job.first_key * width + column, width, job.n_keys);
    const float* key_scale = block.keys.scale.data() + scales + job.first_key;
    const float* value_scale = block.values.scale.data() + scales + job.first_key;
    for (std::uint32_t done = 0; done < job.n_queries; done += kQueries) {
      const std::uint32_t n = std::min(job.n_queries - done, kQueries);
      const std::size_t row = job.first_query + done;
      std::array<float, kQueries> row_scale{};
      for (std::uint32_t q = 0; q < n; ++q) {
        const std::int8_t* src = queries.codes.data() + (row + q) * width + column;
        std::copy(src, src + d, queries_.data() + std::size_t{q} * 2 * depth2);
        row_scale[q] = canonical::query_scale(queries.scale[scales + row + q], d);
      }
      scores_codes({queries_.data(), 2 * depth2, n}, {key_panels_.data(), depth2, job.n_keys},
                   row_scale.data(), key_scale, {scores_.data(), padded_keys});
      for (std::uint32_t q = 0; q < n; ++q) {
        row_scale[q] = attention_weights(
            scores_.data() + std::size_t{q} * padded_keys, job.n_keys, value_scale,
            weights_.data() + std::size_t{q} * padded_keys, padded_keys);
      }
      const std::uint32_t tile_stride = round_up(d, 16);
      context_codes({weights_.data(), padded_keys, n},
                    {value_panels_.data(), (job.n_keys + 1) / 2, d}, row_scale.data(),
                    {tile_.data(), tile_stride});
      for (std::uint32_t q = 0; q < n; ++q) {
        const float* src = tile_.data() + std::size_t{q} * tile_stride;
        std::copy(src, src + d, context + (job.first_context + done + q) * context_stride + column);
      }
    }
  }
}

void Avx2Attention::run_floats(const AttentionJob& job, const LineVector<float>& queries,
                               const KeysAndValues& block, float* context,
                               std::size_t context_stride) {
  const std::uint32_t d = sizes_.head_dim;
  const std::size_t width = std::size_t{job.n_heads} * d;
  const std::uint32_t padded_keys = round_up(job.n_keys, 16);
  const std::uint32_t tile_stride = round_up(d, 16);
  for (std::uint32_t head = 0; head < job.n_heads; ++head) {
    const std::size_t column = std::size_t{head} * d;
    const float* keys = block.float_keys.data() + job.first_key * width + column;
    const float* values = block.float_values.data() + job.first_key * width + column;
    for (std::uint32_t done = 0; done < job.n_queries; done += kQueries) {
      const std::uint32_t n = std::min(job.n_queries - done, kQueries);
      const std::size_t row = job.first_query + done;
      float* panels = float_panels_.data();
      for (std::uint32_t key = 0; key < padded_keys; ++key) {
        float* dst = panels + key / 16 * std::size_t{16} * d + key % 16;
        for (std::uint32_t c = 0; c < d; ++c)
          dst[c * 16] = key < job.n_keys ? keys[key * width + c] : 0;
      }
      std::array<float, kQueries> row_scale{};
      row_scale.fill(1.0F / std::sqrt(static_cast<float>(d)));
      // The kernel reads its left operand through the type that it also writes with.
      auto* query = const_cast<float*>(queries.data() + row * width + column);
      scaled_floats({query, width}, n, {panels, d, job.n_keys}, row_scale.data(),
                    {scores_.data(), padded_keys});
      for (std::uint32_t q = 0; q < n; ++q) {
        row_scale[q] =
            softmax_weights(scores_.data() + std::size_t{q} * padded_keys, job.n_keys, padded_keys);
      }
      for (std::uint32_t c = 0; c < tile_stride; ++c) {
        float* dst = panels + c / 16 * std::size_t{16} * job.n_keys + c % 16;
        for (std::uint32_t key = 0; key < job.n_keys; ++key) {
          dst[key * std::size_t{16}] = c < d ? values[key * width + c] : 0;
        }
      }
      scaled_floats({scores_.data(), padded_keys}, n, {panels, job.n_keys, d}, row_scale.data(),
                    {tile_.data(), tile_stride});
      for (std::uint32_t q = 0; q < n; ++q) {
        const float* src = tile_.data() + std::size_t{q} * tile_stride;
        std::copy(src, src + d, context + (job.first_context + done + q) * context_stride + column);
      }
    }
  }
}

}  // namespace

std::unique_ptr<Attention> make_avx2_attention(const AttentionSizes& sizes, Arena& arena) {
  return std::make_unique<Avx2Attention>(sizes, arena);
}

}  // namespace espalier::runtime::cpu
