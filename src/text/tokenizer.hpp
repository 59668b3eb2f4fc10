// Text to token ids as BERT reads them: [CLS] first [SEP], or [CLS] first [SEP] second [SEP].
// Ids, segments and spans are those of Hugging Face's fast tokenizers. Usable without a model.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/types.hpp"
#include "text/added_tokens.hpp"
#include "text/normalizer.hpp"
#include "text/tokenizer_spec.hpp"
#include "text/word_piece.hpp"

namespace espalier::text {

/// What is cut off when a sentence with its special tokens is longer than allowed.
enum class Truncation : std::uint8_t {
  longest_first,  ///< the longer text of a pair, then both evenly
  only_first,     ///< the first text; an error when that is not enough
  only_second,    ///< the second text; an error when that is not enough
  none,           ///< nothing: the sentence is as long as it is
};

struct EncodeOptions {
  std::uint32_t max_length = 512;  ///< tokens, special ones included; unused with Truncation::none
  Truncation truncation = Truncation::longest_first;
};

/// The pieces of a sentence given in words, without special tokens.
struct WordPieces {
  std::vector<TokenId> ids;
  std::vector<ByteSpan> spans;       // (pieces), bytes in the piece's own word
  std::vector<std::uint32_t> first;  // (words + 1), pieces of word w are first[w] .. first[w + 1];
                                     // none for a word that cleaning leaves nothing of
};

/// Memory that a thread lends to calls of encode, so that they allocate little. Any Scratch fits
/// any Tokenizer; one call at a time.
class Scratch {
 public:
  Scratch() = default;

 private:
  friend class Tokenizer;

  // The word being read, cleaned, and where in the text each byte of it comes from.
  struct Word {
    std::string bytes;
    std::vector<ByteSpan> sources;  // (bytes), the same for all bytes of a character
    std::uint32_t n_chars = 0;      // counted past the longest allowed, not stored
    ByteSpan whole;

    void clear() noexcept {
      bytes.clear();
      sources.clear();
      n_chars = 0;
    }
  };

  PieceList first_;
  PieceList second_;
  Word word_;
  Normalizer::State state_;
  std::vector<NormalizedChar> chars_;
  std::vector<NormalizedChar> segment_;  // only when added tokens are looked for in cleaned text
  std::string segment_bytes_;            // segment_ as UTF-8
  std::vector<std::uint32_t> segment_starts_;  // (segment_), where each begins in segment_bytes_
};

/// Immutable: const calls are thread-safe. Time is linear in the text for any bytes.
/// A text may hold any bytes below 4 GiB; malformed UTF-8 reads as U+FFFD, which cleaning drops.
class Tokenizer {
 public:
  /// Throws Error(bad_input) as validate() does.
  explicit Tokenizer(TokenizerSpec spec);

  /// Appends one sentence to `batch` (spans and truncated included).
  /// Throws Error(usage) when max_length leaves no room for the special tokens or only_second has
  /// no second text, and Error(bad_input) when truncation cannot reach max_length or a text is too
  /// large; `batch` is then unchanged.
  void encode(const Text& text, const EncodeOptions& options, TokenBatch& batch,
              Scratch& scratch) const;

  /// Encodes all `texts`, longest text of a pair truncated first. Throws as above, naming the text.
  [[nodiscard]] TokenBatch encode(std::span<const Text> texts, std::uint32_t max_length) const;

  /// Replaces `pieces` with the pieces of each of `words`, cut by themselves and in full: windows
  /// are the caller's. Throws Error(bad_input) when a word is too large.
  void encode_words(std::span<const std::string_view> words, WordPieces& pieces,
                    Scratch& scratch) const;

  /// The piece of `id`, which is in [0, vocabulary_size()).
  [[nodiscard]] std::string_view piece(TokenId id) const {
    return spec_.pieces[static_cast<std::size_t>(to_int(id))];
  }
  /// The id of a piece or added token; of equal pieces the last.
  [[nodiscard]] std::optional<TokenId> find(std::string_view piece) const;

  [[nodiscard]] std::size_t vocabulary_size() const noexcept { return spec_.pieces.size(); }
  [[nodiscard]] TokenId cls() const noexcept { return cls_; }
  [[nodiscard]] TokenId sep() const noexcept { return sep_; }
  [[nodiscard]] TokenId pad() const noexcept { return pad_; }
  [[nodiscard]] TokenId unk() const noexcept { return word_piece_.unk(); }
  [[nodiscard]] std::optional<TokenId> mask() const noexcept { return mask_; }
  [[nodiscard]] const TokenizerSpec& spec() const noexcept { return spec_; }

 private:
  enum class ByteClass : std::uint8_t { word, space, punctuation, other };

  // One text on its way to pieces; work stops soon after `limit` pieces.
  struct Job {
    std::string_view text;
    std::size_t limit;
    PieceList& out;
    Scratch& scratch;

    [[nodiscard]] bool is_full() const noexcept { return out.count() >= limit; }
  };

  enum class Stage { raw, normalized };

  [[nodiscard]] AddedTokenFinder make_finder(Stage stage) const;
  [[nodiscard]] std::string normalized(std::string_view text) const;

  // In cutting.cpp. Those that return a position say where the text goes on.
  void cut_text(const Job& job) const;
  void cut_segment(const Job& job, std::size_t begin, std::size_t end) const;
  [[nodiscard]] std::size_t cut_ascii_word(const Job& job, std::size_t begin,
                                           std::size_t end) const;
  [[nodiscard]] std::size_t cut_any(const Job& job, std::size_t begin, std::size_t end) const;
  void cut_normalized(const Job& job, std::size_t begin, std::size_t end) const;
  void read_char(const Job& job, const NormalizedChar& next) const;
  void end_word(const Job& job) const;

  TokenizerSpec spec_;
  std::vector<std::uint32_t> sorted_ids_;  // by piece; of equal pieces the last id
  Normalizer normalizer_;
  WordPiece word_piece_;
  AddedTokenFinder raw_added_;
  AddedTokenFinder normalized_added_;
  std::array<ByteClass, 256> byte_class_{};
  std::array<char, 256> lower_byte_{};
  TokenId cls_;
  TokenId sep_;
  TokenId pad_;
  std::optional<TokenId> mask_;
};

}  // namespace espalier::text
