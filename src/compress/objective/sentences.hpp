// What the tasks on whole sentences share: rows to token ids, one example a row; the loss
// of one label out of many.
#pragma once

#include "compress/objective/task.hpp"

namespace espalier::objective {

/// Tokenises text and, where there is one, pair of every row as one sentence; targets are left to
/// the caller.
[[nodiscard]] Examples read_sentences(const LabelledRows& rows, const Tokenizing& with);

/// Appends one sentence and counts it if it lost pieces.
void append_sentence(Examples& examples, const Text& text, const Tokenizing& with,
                     text::Scratch& scratch);

/// Cross entropy of answers (n, labels) to targets (n), each counted by its label's weight in
/// `weights` (labels), or undefined: 1 each. Targets of kIgnored are left out; 0, not NaN, when
/// nothing has any weight, as in a batch of words that no model can read.
[[nodiscard]] at::Tensor mean_cross_entropy(const at::Tensor& answers, const at::Tensor& targets,
                                            const at::Tensor& weights);

/// (n) values as a tensor of their own.
[[nodiscard]] at::Tensor tensor_of(std::span<const std::int64_t> values);
[[nodiscard]] at::Tensor tensor_of(std::span<const float> values);

}  // namespace espalier::objective
