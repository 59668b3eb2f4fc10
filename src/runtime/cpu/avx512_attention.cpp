// Attention on AVX-512 VNNI: keys and values of a head are packed into panels that stay in L1, then
// tiles of queries go scores → softmax → context without leaving it. fp32 runs on the AVX2 kernels.
#include <algorithm>
#include <array>

#include "base/canonical.hpp"
#include "format/spec.hpp"
#include "runtime/cpu/attention.hpp"
#include "runtime/cpu/avx512_pack.hpp"
#include "runtime/cpu/avx512_softmax.hpp"
#include "runtime/cpu/line_vector.hpp"
#include "runtime/cpu/vnni_matmul.hpp"

namespace espalier::runtime::cpu {
namespace {

using format::round_up;

class Avx512Attention final : public Attention {
 public:
  Avx512Attention(const AttentionSizes& sizes, Arena& arena);

  void run_codes(const AttentionJob& job, const CodedRows& queries, const KeysAndValues& block,
                 float* context, std::size_t context_stride) override;
  void run_floats(const AttentionJob& job, const LineVector<float>& queries,
                  const KeysAndValues& block, float* context, std::size_t context_stride) override {
    floats_->run_floats(job, queries, block, context, context_stride);
  }

 private:
  // Queries at a time: two of the matmul's tiles, whose scores of 512 keys take 24 KB.
  static constexpr std::uint32_t kQueries = 2 * kVnniTileRows;
  static_assert(kQueries == kSoftmaxQueries);

  // One head of one sentence.
  struct Head {
    std::size_t width;   // elements between rows of codes
    std::size_t column;  // of the head in a row
    std::size_t scales;  // of the head's first scale
  };

  void run_queries(const AttentionJob& job, const Head& head, std::uint32_t first,
                   const CodedRows& queries, const KeysAndValues& block, float* context,
                   std::size_t context_stride);

  const VnniKernels& kernels_;
  AttentionSizes sizes_;
  std::uint32_t depth_;                   // head_dim rounded up to a group
  LineVector<std::int8_t> key_panels_;    // as pack_keys() lays them out
  LineVector<std::int32_t> key_start_;    // (keys)
  LineVector<std::int8_t> value_panels_;  // as pack_values() lays them out
  LineVector<std::uint8_t> queries_;      // (kQueries, depth)
  LineVector<float> scores_;              // (kQueries, keys rounded up to 16)
  LineVector<std::uint8_t> weights_;      // likewise
  LineVector<float> tile_;                // (kQueries, depth)
  std::unique_ptr<Attention> floats_;
};

Avx512Attention::Avx512Attention(const AttentionSizes& sizes, Arena& arena)
    : kernels_(vnni_kernels()),
      sizes_(sizes),
      depth_(round_up(sizes.head_dim, kVnniGroup)),
      key_panels_(arena),
      key_start_(arena),
      value_panels_(arena),
      queries_(arena),
      scores_(arena),
      weights_(arena),
      tile_(arena) {
  if (sizes.codes) {
    const std::uint32_t keys = round_up(sizes.max_keys, kVnniGroup);
    key_panels_.resize(std::size_t{round_up(keys, 64)} * depth_);
    key_start_.resize(keys);
    value_panels_.resize(std::size_t{keys} * depth_);
    queries_.resize(std::size_t{kQueries} * depth_);
    scores_.resize(std::size_t{kQueries} * keys);
    weights_.resize(std::size_t{kQueries} * keys);
    tile_.resize(std::size_t{kQueries} * depth_);
  }
  AttentionSizes in_floats = sizes;
  in_floats.codes = false;
  if (sizes.floats) floats_ = make_avx2_attention(in_floats, arena);
}

void Avx512Attention::run_codes(const AttentionJob& job, const CodedRows& queries,
                                const KeysAndValues& block, float* context,
                                std::size_t context_stride) {
  const std::uint32_t d = sizes_.head_dim;
  for (std::uint32_t index = 0; index < job.n_heads; ++index) {
    const Head head = {std::size_t{job.n_heads} * d, std::size_t{index} * d,
                       index * sizes_.row_stride()};
    const std::size_t first = job.first_key * head.width + head.column;
    pack_keys({block.keys.codes.data() + first, head.width, job.n_keys, d}, key_panels_.data());
    start_sums(key_panels_.data(), depth_, job.n_keys, 128, key_start_.data());
    pack_values({block.values.codes.data() + first, head.width, job.n_keys, d},
                value_panels_.data());
    for (std::uint32_t done = 0; done < job.n_queries; done += kQueries) {
      run_queries(job, head, done, queries, block, context, context_stride);
    }
  }
}

void Avx512Attention::run_queries(const AttentionJob& job, const Head& head, std::uint32_t first,
                                  const CodedRows& queries, const KeysAndValues& block,
                                  float* context, std::size_t context_stride) {
  const std::uint32_t d = sizes_.head_dim;
  const std::uint32_t n = std::min(job.n_queries - first, kQueries);
  const std::uint32_t padded_keys = round_up(job.n_keys, kVnniGroup);
  const std::size_t row = job.first_query + first;
  float* const own = context + (job.first_context + first) * context_stride + head.column;
  const bool whole = d % 16 == 0;  // tiles end where the head does
  std::array<float, kQueries> row_scale{};
  shift_codes({queries.codes.data() + row * head.width + head.column, head.width, n, d},
              queries_.data());
  const float one = canonical::query_scale(1.0F, d);  // a root and a division, once
  for (std::uint32_t query = 0; query < n; ++query) {
    row_scale[query] = queries.scale[head.scales + row + query] * one;
  }
  multiply(kernels_, TileEnd::scores,
           {.codes = queries_.data(),
            .code_stride = depth_,
            .n_rows = n,
            .depth = depth_,
            .columns = job.n_keys,
            .panels = key_panels_.data(),
            .start = key_start_.data(),
            .row_scale = row_scale.data(),
            .column_scale = block.keys.scale.data() + head.scales + job.first_key,
            .dst = scores_.data(),
            .dst_stride = padded_keys});
  attention_weights_u8({.scores = scores_.data(),
                        .p = weights_.data(),
                        .scale = row_scale.data(),
                        .n_queries = n,
                        .stride = padded_keys},
                       job.n_keys, block.values.scale.data() + head.scales + job.first_key);
  multiply(kernels_, TileEnd::context,
           {.codes = weights_.data(),
            .code_stride = padded_keys,
            .n_rows = n,
            .depth = padded_keys,
            .columns = d,
            .panels = value_panels_.data(),
            .row_scale = row_scale.data(),
            .dst = whole ? own : tile_.data(),
            .dst_stride = whole ? context_stride : depth_});
  if (whole) return;
  for (std::uint32_t query = 0; query < n; ++query) {
    const float* src = tile_.data() + std::size_t{query} * depth_;
    std::copy(src, src + d, own + query * context_stride);
  }
}

}  // namespace

std::unique_ptr<Attention> make_avx512_attention(const AttentionSizes& sizes, Arena& arena) {
  return std::make_unique<Avx512Attention>(sizes, arena);
}

}  // namespace espalier::runtime::cpu
