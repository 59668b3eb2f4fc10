// Cuts one cleaned word into pieces of the vocabulary: the longest that fits, again and again.
// Work is bounded by the word's length times the longest piece, and words by max_word_chars.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "espalier/types.hpp"
#include "text/tokenizer_spec.hpp"
#include "text/trie.hpp"

namespace espalier::text {

/// Pieces of a text in order.
struct PieceList {
  std::vector<TokenId> ids;
  std::vector<ByteSpan> spans;  // (pieces), bytes in the text as given

  [[nodiscard]] std::size_t count() const noexcept { return ids.size(); }
  void clear() noexcept;
  void cut(std::size_t n_kept);
  void add(TokenId id, ByteSpan span) {
    ids.push_back(id);
    spans.push_back(span);
  }
};

/// The pieces of a vocabulary that words are cut into. Immutable.
class WordPiece {
 public:
  /// sorted_ids: ids of the pieces in byte order, of equal pieces only the last id.
  WordPiece(const TokenizerSpec& spec, const std::vector<std::uint32_t>& sorted_ids, TokenId unk);

  [[nodiscard]] std::uint32_t max_chars() const noexcept { return max_chars_; }
  [[nodiscard]] TokenId unk() const noexcept { return unk_; }

  /// Appends the pieces of `word`, or `unk` for all of it. `span_of(begin, end)` gives the bytes of
  /// the text for bytes begin..end of the word. The word is not empty and has at most max_chars().
  template <typename SpanOf>
  void split(std::string_view word, const SpanOf& span_of, PieceList& out) const {
    const std::size_t n_before = out.count();
    const Trie::Start* start = &word_start_;
    for (std::size_t at = 0; at < word.size();) {
      const Trie::Match match = trie_.longest(*start, word.substr(at));
      if (match.value == Trie::kNone) {
        out.cut(n_before);
        out.add(unk_, span_of(0, word.size()));
        return;
      }
      out.add(static_cast<TokenId>(match.value), span_of(at, at + match.n_bytes));
      at += match.n_bytes;
      start = &continuation_start_;
    }
  }

 private:
  Trie trie_;
  Trie::Start word_start_;
  Trie::Start continuation_start_;
  TokenId unk_;
  std::uint32_t max_chars_;
};

}  // namespace espalier::text
