// Vocabulary pruning: a model that reads one kind of text needs few of its pieces, and in a small
// BERT the table of word embeddings is half of all weights. What stays: the pieces that a corpus
// is cut into, and every single character, so that any other word is still read, in smaller pieces.
// The model is bound to its kind of text from then on, and compare_segmentation says how closely.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "compress/model/bert.hpp"
#include "text/tokenizer.hpp"

namespace espalier::prune {

/// Counts the pieces that texts are cut into. Borrows the tokenizer. One thread at a time.
class PieceCounter {
 public:
  explicit PieceCounter(const text::Tokenizer& tokenizer);

  /// Counts a text in full, however long a sentence of the model may be; [CLS] and [SEP] once each.
  /// Throws Error(bad_input) for a text of 4 GiB.
  void add(std::string_view text);

  [[nodiscard]] const std::vector<std::uint64_t>& counts() const noexcept { return counts_; }

 private:
  const text::Tokenizer& tokenizer_;
  text::Scratch scratch_;
  TokenBatch batch_;
  std::vector<std::uint64_t> counts_;  // (pieces), by id
};

struct KeepRules {
  std::uint64_t min_count = 1;           ///< fewest times a piece occurs to stay; 0 keeps all
  std::span<const TokenId> always = {};  ///< stay however rare they are
};

/// Ids of the pieces that stay, rising: those that occur often enough, special and added tokens,
/// single characters at the beginning of a word and after it, and pieces with a character that does
/// not stand alone in the vocabulary (real ones have none, see n_unspellable). counts: (pieces).
///
/// With these, a text whose pieces all stay is cut into the same pieces: the longest piece that
/// fits is there, and no longer one has come. And no word becomes [UNK] that was not, nor the other
/// way round, where every character stands alone: a single piece fits wherever another did.
/// Throws Error(usage) when counts or `always` are of another vocabulary.
[[nodiscard]] std::vector<TokenId> choose_pieces(const text::Tokenizer& tokenizer,
                                                 std::span<const std::uint64_t> counts,
                                                 const KeepRules& rules);

/// Number of pieces that hold a character which is no piece by itself where it stands in them.
/// Words with such a character are the ones that may become [UNK], or cease to be.
[[nodiscard]] std::size_t n_unspellable(const text::Tokenizer& tokenizer);

/// Ids of the sentences whose magnitudes an int8 export is scaled by. Only where these stay are the
/// int8 files before and after alike bit for bit on the texts they both cut alike.
[[nodiscard]] std::vector<TokenId> int8_scale_pieces(const text::Tokenizer& tokenizer,
                                                     std::uint32_t max_length);

/// `spec` with the pieces `kept` alone, in their order: piece kept[i] gets id i. Throws
/// Error(usage) unless `kept` rises, is within the vocabulary and holds special and added tokens.
[[nodiscard]] text::TokenizerSpec cut_tokenizer(const text::TokenizerSpec& spec,
                                                std::span<const TokenId> kept);

/// `bert` with the rows `kept` of its word table, and of a masked LM's bias; all else is shared
/// with `bert`. The same rows give the same logits, bit for bit. Throws Error(usage) unless `kept`
/// rises, is within the vocabulary and holds the id for padding.
[[nodiscard]] model::Bert cut_vocabulary(const model::Bert& bert, std::span<const TokenId> kept);

/// How texts are cut before and after. A word is what a blank, a CJK character, punctuation or an
/// added token ends; special tokens are none.
struct SegmentationChange {
  std::uint64_t n_texts = 0;
  std::uint64_t n_changed_texts = 0;  // with at least one word that is cut otherwise
  std::uint64_t n_words = 0;
  std::uint64_t n_changed_words = 0;
  std::uint64_t n_new_unknown_words = 0;  // [UNK] now, and not before
  std::uint64_t n_tokens_before = 0;      // without special ones
  std::uint64_t n_tokens_after = 0;
};

/// Compares two tokenizers, the second cut out of the first, on texts that were held out. Borrows
/// both. One thread at a time.
class SegmentationComparison {
 public:
  /// kept: as given to cut_tokenizer. Throws Error(usage) when it does not fit the tokenizers.
  SegmentationComparison(const text::Tokenizer& before, const text::Tokenizer& after,
                         std::span<const TokenId> kept);

  /// Returns whether the text is cut into the same pieces. Throws as PieceCounter::add.
  bool add(std::string_view text);

  [[nodiscard]] const SegmentationChange& change() const noexcept { return change_; }

 private:
  /// Token after the word that begins at `token`.
  [[nodiscard]] std::size_t end_of_word(std::span<const TokenId> ids, std::size_t token) const;
  /// The pieces of `text` by their ids before, without special tokens.
  void cut(const text::Tokenizer& tokenizer, std::string_view text, std::vector<TokenId>& ids);

  const text::Tokenizer& before_;
  const text::Tokenizer& after_;
  std::vector<TokenId> kept_;
  std::vector<char> continues_;  // (pieces), by id before: goes on with a word
  text::Scratch scratch_;
  TokenBatch batch_;
  std::vector<TokenId> ids_before_;
  std::vector<TokenId> ids_after_;
  SegmentationChange change_;
};

}  // namespace espalier::prune
