// Sentences of tokens as the tensors that a model reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compress/model/bert.hpp"
#include "espalier/types.hpp"

namespace espalier::objective {

/// Sentences of `tokens`, in the order of `sentences`, padded with `pad_id` to the longest of them.
/// No mask when all have one length.
[[nodiscard]] model::TokenTensors pad(const TokenBatch& tokens,
                                      std::span<const std::size_t> sentences, std::uint32_t pad_id);

/// Values that stand beside the tokens of a batch, padded the same way with `filler`:
/// (sentences, tokens) of int64.
[[nodiscard]] at::Tensor pad_values(std::span<const std::int64_t> values, const TokenBatch& tokens,
                                    std::span<const std::size_t> sentences, std::int64_t filler);

/// The batches in which an inference pass walks all sentences: by rising length, so that little is
/// padded, at most `max_tokens` padded tokens each (one sentence if it alone has more).
[[nodiscard]] std::vector<std::vector<std::size_t>> inference_batches(const TokenBatch& tokens,
                                                                      std::size_t max_tokens);

}  // namespace espalier::objective
