// Makes a WordPiece vocabulary of word counts: the characters, and then, as long as there is room,
// the most frequent pair of neighbouring pieces joined to a new piece (Sennrich et al. 2016). The
// pieces are those of WordPieceTrainer in Hugging Face's `tokenizers`, up to the order of ties.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "text/vocabulary_counter.hpp"

namespace espalier::text {

struct VocabularyOptions {
  std::size_t n_pieces = 30'000;   ///< special tokens and characters included
  std::uint64_t min_count = 2;     ///< a pair that is seen less often is not joined
  std::size_t max_characters = 0;  ///< the most frequent so many become pieces; 0: all of them
};

/// Called after each new piece with the number of pieces so far; may throw to stop.
using VocabularyProgress = std::function<void(std::size_t n_pieces)>;

/// The vocabulary by id: [PAD], [UNK], [CLS], [SEP], [MASK], the characters by code point, those of
/// them that go on with a word ("##e") likewise, then joined pieces in the order they were found.
/// At most n_pieces; fewer when no pair is left that is frequent enough. Depends on nothing but the
/// counts and options: of pairs that are equally frequent the one whose pieces have smaller ids is
/// joined first, of characters the smaller code point is kept.
/// A character that does not become a piece is taken out of its words, as in `tokenizers`.
/// Throws Error(bad_input) when there are no words, Error(usage) when n_pieces has no room for the
/// special tokens and characters or is over kMaxPieces. Thread-safe.
[[nodiscard]] std::vector<std::string> train_vocabulary(const WordCounts& counts,
                                                        const VocabularyOptions& options,
                                                        const VocabularyProgress& progress = {});

}  // namespace espalier::text
