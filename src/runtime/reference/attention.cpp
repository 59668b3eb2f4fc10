#include "runtime/reference/attention.hpp"

#include <algorithm>
#include <cmath>

#include "base/canonical.hpp"

namespace espalier::runtime::reference {
namespace {

void fp32_head(HeadShape shape, std::uint32_t head, const KeyValues& key_values, KeyRange keys,
               std::span<const float> query, std::span<float> context, AttentionScratch& scratch) {
  const std::span<double> scores(scratch.wide_scores.data(), keys.size);
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  const std::size_t width = shape.width();
  const std::size_t first = keys.first * width + head * shape.head_dim;
  double top = -HUGE_VAL;
  for (std::size_t key = 0; key < keys.size; ++key) {
    const float* row = key_values.keys.data() + first + key * width;
    double sum = 0;
    for (std::uint32_t unit = 0; unit < shape.head_dim; ++unit) {
      sum += double{query[unit]} * double{row[unit]};
    }
    scores[key] = sum * scale;
    top = std::max(top, scores[key]);
  }
  double total = 0;
  std::fill(scratch.wide_context.begin(), scratch.wide_context.end(), 0.0);
  for (std::size_t key = 0; key < keys.size; ++key) {
    const double e = std::exp(scores[key] - top);
    total += e;
    const float* row = key_values.values.data() + first + key * width;
    for (std::uint32_t unit = 0; unit < shape.head_dim; ++unit) {
      scratch.wide_context[unit] += e * double{row[unit]};
    }
  }
  for (std::uint32_t unit = 0; unit < shape.head_dim; ++unit) {
    context[unit] = static_cast<float>(scratch.wide_context[unit] / total);
  }
}

void int8_head(HeadShape shape, std::uint32_t head, const KeyValues& key_values, KeyRange keys,
               std::span<const float> query, std::span<float> context, AttentionScratch& scratch) {
  const std::size_t width = shape.width();
  const std::size_t first = keys.first * width + head * shape.head_dim;
  const std::size_t first_scale = head * key_values.scale_stride + keys.first;
  const float scale =
      canonical::query_scale(canonical::quantize_row(query, scratch.query), shape.head_dim);
  const std::span<float> scores(scratch.scores.data(), keys.size);
  for (std::size_t key = 0; key < keys.size; ++key) {
    const std::int8_t* row = key_values.key_codes.data() + first + key * width;
    std::int32_t sum = 0;
    for (std::uint32_t unit = 0; unit < shape.head_dim; ++unit) {
      sum += scratch.query[unit] * row[unit];
    }
    scores[key] = static_cast<float>(sum) * scale * key_values.key_scales[first_scale + key];
  }
  const std::span<std::uint8_t> weights(scratch.weights.data(), keys.size);
  const float context_scale = canonical::attention_weights(
      scores, std::span(key_values.value_scales).subspan(first_scale, keys.size), weights);
  std::fill(scratch.sums.begin(), scratch.sums.end(), 0);
  for (std::size_t key = 0; key < keys.size; ++key) {
    const std::int8_t* row = key_values.value_codes.data() + first + key * width;
    for (std::uint32_t unit = 0; unit < shape.head_dim; ++unit) {
      scratch.sums[unit] += weights[key] * row[unit];
    }
  }
  for (std::uint32_t unit = 0; unit < shape.head_dim; ++unit) {
    context[unit] = static_cast<float>(scratch.sums[unit]) * context_scale;
  }
}

}  // namespace

KeyValues::KeyValues(Precision mode, std::uint32_t max_rows, HeadShape widest)
    : scale_stride(max_rows) {
  const std::size_t size = std::size_t{max_rows} * widest.width();
  switch (mode) {
    case Precision::fp32:
    case Precision::bf16:
      keys.resize(size);
      values.resize(size);
      return;
    case Precision::int8:
      key_codes.resize(size);
      value_codes.resize(size);
      key_scales.resize(std::size_t{max_rows} * widest.n_heads);
      value_scales.resize(key_scales.size());
      return;
  }
}

void KeyValues::store(Precision mode, HeadShape shape, std::size_t row,
                      std::span<const float> qkv_row) {
  const std::size_t width = shape.width();
  const std::span<const float> key = qkv_row.subspan(width, width);
  const std::span<const float> value = qkv_row.subspan(2 * width, width);
  switch (mode) {
    case Precision::fp32:
    case Precision::bf16:
      std::copy_n(key.data(), width, keys.data() + row * width);
      std::copy_n(value.data(), width, values.data() + row * width);
      return;
    case Precision::int8:
      for (std::size_t head = 0; head < shape.n_heads; ++head) {
        const std::size_t first = head * shape.head_dim;
        const auto code = [&](std::span<const float> src, std::vector<std::int8_t>& codes) {
          return canonical::quantize_row(
              src.subspan(first, shape.head_dim),
              std::span(codes).subspan(row * width + first, shape.head_dim));
        };
        key_scales[head * scale_stride + row] = code(key, key_codes);
        value_scales[head * scale_stride + row] = code(value, value_codes);
      }
      return;
  }
}

AttentionScratch::AttentionScratch(std::uint32_t max_sentence_tokens, std::uint32_t head_dim)
    : scores(max_sentence_tokens),
      weights(max_sentence_tokens),
      query(head_dim),
      wide_scores(max_sentence_tokens),
      wide_context(head_dim),
      sums(head_dim) {}

void attend_token(Precision mode, HeadShape shape, const KeyValues& key_values, KeyRange keys,
                  std::span<const float> qkv_row, std::span<float> context,
                  AttentionScratch& scratch) {
  for (std::uint32_t head = 0; head < shape.n_heads; ++head) {
    const std::size_t first = std::size_t{head} * shape.head_dim;
    const std::span<const float> query = qkv_row.subspan(first, shape.head_dim);
    const std::span<float> answer = context.subspan(first, shape.head_dim);
    switch (mode) {
      case Precision::fp32:
      case Precision::bf16:
        fp32_head(shape, head, key_values, keys, query, answer, scratch);
        break;
      case Precision::int8:
        int8_head(shape, head, key_values, keys, query, answer, scratch);
        break;
    }
  }
}

}  // namespace espalier::runtime::reference
