// What the public Tokenizer is a handle on, and the way from a model file to it.
#pragma once

#include <cstdint>
#include <utility>

#include "espalier/tokenizer.hpp"
#include "format/spec.hpp"
#include "text/tokenizer.hpp"

namespace espalier {

class [[gnu::visibility("hidden")]] Tokenizer::Impl {
 public:
  /// max_tokens: of a sentence, special tokens included. Throws as text::Tokenizer does.
  Impl(text::TokenizerSpec spec, std::uint32_t max_tokens)
      : tokenizer(std::move(spec)), max_length(max_tokens) {}

  const text::Tokenizer tokenizer;
  const std::uint32_t max_length;
};

}  // namespace espalier

namespace espalier::api {

/// The tokenizer that a verified model file describes. Copies the vocabulary.
[[nodiscard]] text::TokenizerSpec tokenizer_spec(const format::TokenizerSpec& stored);

}  // namespace espalier::api
