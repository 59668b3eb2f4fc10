// Counts the words of training text, as the tokenizer that is to come will cut them. The first half
// of making a vocabulary; vocabulary_trainer.hpp is the second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/normalizer.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::text {

/// Hashes a word that is at hand as a view, so that looking it up copies nothing.
struct WordHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view word) const noexcept {
    return std::hash<std::string_view>{}(word);
  }
};

/// How often each word occurs; words are cleaned UTF-8 and not empty.
using WordCounts = std::unordered_map<std::string, std::uint64_t, WordHash, std::equal_to<>>;

/// Counts words over any number of texts. One thread at a time.
class VocabularyCounter {
 public:
  /// About 100 bytes each: memory stays below half a GB however large the text is.
  static constexpr std::size_t kMaxWords = 4'000'000;

  /// spec: how text is cleaned and how long a word may be; its pieces are not looked at. A longer
  /// word does not count: the tokenizer reads it as unknown whatever pieces there are.
  /// max_words: at most so many different words are kept, from 1. Past it the rarest go, so that
  /// what is lost of a word is what it had when there were too many; nothing is lost below it.
  explicit VocabularyCounter(const TokenizerSpec& spec, std::size_t max_words = kMaxWords);

  /// Adds the words of a text; none crosses its ends. Malformed UTF-8 reads as U+FFFD, which
  /// cleaning drops. Names of special tokens are text here like any other.
  void add(std::string_view text);

  [[nodiscard]] const WordCounts& counts() const noexcept { return counts_; }

 private:
  void read_chars();
  void end_word();
  void drop_rare_words();

  Normalizer normalizer_;
  std::uint32_t max_word_chars_;
  std::size_t max_words_;
  WordCounts counts_;
  std::uint64_t dropped_count_ = 0;  // words of so small a count have been dropped
  Normalizer::State state_;
  std::vector<NormalizedChar> chars_;
  std::string word_;
  std::uint32_t n_chars_ = 0;  // of word_, counted past the longest allowed, not stored
};

}  // namespace espalier::text
