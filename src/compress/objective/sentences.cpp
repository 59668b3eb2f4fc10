#include "compress/objective/sentences.hpp"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>

#include <algorithm>

namespace espalier::objective {
namespace {

template <typename Value>
at::Tensor copy_of(std::span<const Value> values, at::ScalarType type) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, type);
  std::copy(values.begin(), values.end(), tensor.data_ptr<Value>());
  return tensor;
}

}  // namespace

void append_sentence(Examples& examples, const Text& text, const Tokenizing& with,
                     text::Scratch& scratch) {
  TokenBatch& tokens = examples.tokens;
  if (tokens.offsets.empty()) tokens.offsets.push_back(0);
  with.tokenizer.encode(text, {.max_length = with.max_length}, tokens, scratch);
  tokens.spans.clear();  // nobody asks where in the text a token stood
  examples.n_truncated += tokens.truncated.back();
}

Examples read_sentences(const LabelledRows& rows, const Tokenizing& with) {
  Examples examples;
  examples.file = rows.file;
  text::Scratch scratch;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    Text text{.first = rows.rows[row].text};
    if (rows.rows[row].pair) text.second = *rows.rows[row].pair;
    append_sentence(examples, text, with, scratch);
    examples.lines.push_back(rows.rows[row].line);
    examples.rows.push_back(row);
  }
  return examples;
}

at::Tensor mean_cross_entropy(const at::Tensor& answers, const at::Tensor& targets,
                              const at::Tensor& weights) {
  const at::Tensor sum =
      at::cross_entropy_loss(answers, targets, weights, at::Reduction::Sum, kIgnored);
  at::Tensor counted = targets.ne(kIgnored).to(at::kFloat);
  if (weights.defined()) counted = counted * weights.index_select(0, targets.clamp_min(0));
  return sum / counted.sum().clamp_min(1e-12);
}

at::Tensor tensor_of(std::span<const std::int64_t> values) {
  return copy_of(values, at::kLong);
}

at::Tensor tensor_of(std::span<const float> values) {
  return copy_of(values, at::kFloat);
}

}  // namespace espalier::objective
