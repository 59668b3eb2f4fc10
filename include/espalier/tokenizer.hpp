// Text to token ids, exactly as BERT's WordPiece tokenizer cuts it. Usable without a model.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "espalier/error.hpp"
#include "espalier/export.hpp"
#include "espalier/types.hpp"

namespace espalier {

class Model;

/// WordPiece tokenizer of a checkpoint folder or a model. A cheap handle on shared, immutable
/// state: copy it freely; every call may come from any thread.
class ESPALIER_EXPORT Tokenizer {
 public:
  /// Reads `tokenizer.json`, or `vocab.txt` with `tokenizer_config.json`, from a checkpoint folder.
  /// Throws Error(bad_input) naming the file and key.
  static Tokenizer open(const std::filesystem::path& folder);

  /// Encodes texts with [CLS] and [SEP], pairs with segments 0 and 1. A sentence longer than
  /// `max_length` tokens loses pieces from the end of its longer text first and is marked
  /// truncated. Any bytes are accepted; invalid UTF-8 is read as U+FFFD. max_length 0 means
  /// max_length().
  [[nodiscard]] TokenBatch encode(std::span<const Text> texts, std::uint32_t max_length = 0) const;

  /// The piece of `id` as the vocabulary spells it; Error(bad_input) when out of range.
  [[nodiscard]] std::string_view piece(TokenId id) const;

  [[nodiscard]] std::size_t vocabulary_size() const noexcept;

  /// Longest sentence in tokens that the checkpoint states, 512 where it states none.
  [[nodiscard]] std::uint32_t max_length() const noexcept;

  class Impl;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// The same spans counted in characters (Unicode code points) of `text` instead of bytes.
[[nodiscard]] ESPALIER_EXPORT std::vector<ByteSpan> character_spans(
    std::string_view text, std::span<const ByteSpan> byte_spans);

}  // namespace espalier
