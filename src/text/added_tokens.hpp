// Finds added tokens ([MASK] and the like) in a text: leftmost first, of those the longest.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer_spec.hpp"
#include "text/trie.hpp"

namespace espalier::text {

/// Immutable. Bytes of work per byte of text are bounded by kMaxAddedTokenBytes.
class AddedTokenFinder {
 public:
  struct Pattern {
    std::string content;
    AddedToken token;
  };

  struct Match {
    TokenId id;
    std::size_t begin;  // bytes of the text, white space that the token takes along included
    std::size_t end;
  };

  /// Where a search goes on.
  struct Cursor {
    std::size_t scan = 0;   // first byte not yet looked at
    std::size_t taken = 0;  // end of the last match
  };

  /// patterns: of equal contents the first counts; empty contents are left out.
  explicit AddedTokenFinder(std::vector<Pattern> patterns);

  [[nodiscard]] bool empty() const noexcept { return tokens_.empty(); }

  /// The next match, and moves the cursor behind it. Matches of one text come in order.
  [[nodiscard]] std::optional<Match> next(std::string_view text, Cursor& cursor) const;

 private:
  [[nodiscard]] std::size_t next_candidate(std::string_view text, std::size_t from) const noexcept;

  std::vector<AddedToken> tokens_;  // by the trie's values
  Trie trie_;
  Trie::Start start_{};
  std::array<bool, 256> is_first_byte_{};
  std::optional<char> only_first_byte_;  // set when all tokens begin alike, as in BERT
};

}  // namespace espalier::text
