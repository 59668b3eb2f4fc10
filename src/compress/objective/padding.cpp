#include "compress/objective/padding.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <numeric>

namespace espalier::objective {
namespace {

std::size_t length_of(const TokenBatch& tokens, std::size_t sentence) {
  return tokens.offsets[sentence + 1] - tokens.offsets[sentence];
}

std::size_t longest(const TokenBatch& tokens, std::span<const std::size_t> sentences) {
  std::size_t n_tokens = 0;
  for (const std::size_t sentence : sentences) {
    n_tokens = std::max(n_tokens, length_of(tokens, sentence));
  }
  return n_tokens;
}

at::Tensor new_matrix(std::size_t rows, std::size_t columns, at::ScalarType type) {
  return at::empty({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, type);
}

}  // namespace

model::TokenTensors pad(const TokenBatch& tokens, std::span<const std::size_t> sentences,
                        std::uint32_t pad_id) {
  const std::size_t width = longest(tokens, sentences);
  model::TokenTensors padded;
  padded.ids = new_matrix(sentences.size(), width, at::kLong);
  padded.segments = new_matrix(sentences.size(), width, at::kLong);
  at::Tensor mask = new_matrix(sentences.size(), width, at::kBool);
  auto* id = padded.ids.data_ptr<std::int64_t>();
  auto* segment = padded.segments.data_ptr<std::int64_t>();
  bool* is_token = mask.data_ptr<bool>();
  bool any_padding = false;
  for (const std::size_t sentence : sentences) {
    const std::size_t begin = tokens.offsets[sentence];
    const std::size_t length = length_of(tokens, sentence);
    any_padding |= length < width;
    for (std::size_t token = 0; token < width; ++token, ++id, ++segment, ++is_token) {
      const bool real = token < length;
      *id = real ? to_int(tokens.ids[begin + token]) : static_cast<std::int64_t>(pad_id);
      *segment = real ? tokens.segments[begin + token] : 0;
      *is_token = real;
    }
  }
  if (any_padding) padded.mask = mask;
  return padded;
}

at::Tensor pad_values(std::span<const std::int64_t> values, const TokenBatch& tokens,
                      std::span<const std::size_t> sentences, std::int64_t filler) {
  const std::size_t width = longest(tokens, sentences);
  at::Tensor padded = new_matrix(sentences.size(), width, at::kLong);
  auto* value = padded.data_ptr<std::int64_t>();
  for (const std::size_t sentence : sentences) {
    const std::size_t begin = tokens.offsets[sentence];
    const std::size_t length = length_of(tokens, sentence);
    for (std::size_t token = 0; token < width; ++token, ++value) {
      *value = token < length ? values[begin + token] : filler;
    }
  }
  return padded;
}

std::vector<std::vector<std::size_t>> inference_batches(const TokenBatch& tokens,
                                                        std::size_t max_tokens) {
  std::vector<std::size_t> order(tokens.n_sentences());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t first, std::size_t second) {
    return length_of(tokens, first) < length_of(tokens, second);
  });
  std::vector<std::vector<std::size_t>> batches;
  for (const std::size_t sentence : order) {
    // Lengths rise, so the newcomer is the longest and sets the width.
    const std::size_t width = length_of(tokens, sentence);
    if (batches.empty() || (batches.back().size() + 1) * width > max_tokens) batches.emplace_back();
    batches.back().push_back(sentence);
  }
  return batches;
}

}  // namespace espalier::objective
