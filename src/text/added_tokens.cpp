// One trie over the contents, entered only at bytes that begin one of them.
#include "text/added_tokens.hpp"

#include <algorithm>

#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace espalier::text {
namespace {

bool is_space(char32_t code_point) {
  return (char_flags(code_point) & kSpace) != 0;
}

bool ends_in_word(std::string_view text) {
  return !text.empty() && is_word_character(decode_before(text, text.size()).code_point);
}

bool begins_with_word(std::string_view text) {
  return !text.empty() && is_word_character(decode(text, 0).code_point);
}

std::size_t skip_space_back(std::string_view text, std::size_t end, std::size_t lowest) {
  while (end > lowest) {
    const Decoded before = decode_before(text, end);
    if (!is_space(before.code_point)) break;
    end -= before.n_bytes;
  }
  return std::max(end, lowest);
}

std::size_t skip_space(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const Decoded here = decode(text, begin);
    if (!is_space(here.code_point)) break;
    begin += here.n_bytes;
  }
  return begin;
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<Pattern> patterns) {
  std::stable_sort(patterns.begin(), patterns.end(),
                   [](const Pattern& a, const Pattern& b) { return a.content < b.content; });
  std::vector<Trie::Entry> entries;
  for (const Pattern& pattern : patterns) {
    if (pattern.content.empty()) continue;
    if (!entries.empty() && entries.back().key == pattern.content) continue;
    entries.push_back({pattern.content, static_cast<std::uint32_t>(tokens_.size())});
    tokens_.push_back(pattern.token);
    is_first_byte_[static_cast<std::uint8_t>(pattern.content[0])] = true;
  }
  trie_ = Trie(entries);
  start_ = trie_.start_after("");
  if (std::count(is_first_byte_.begin(), is_first_byte_.end(), true) == 1) {
    only_first_byte_ = entries[0].key[0];
  }
}

std::size_t AddedTokenFinder::next_candidate(std::string_view text,
                                             std::size_t from) const noexcept {
  if (only_first_byte_) return std::min(text.find(*only_first_byte_, from), text.size());
  while (from < text.size() && !is_first_byte_[static_cast<std::uint8_t>(text[from])]) ++from;
  return from;
}

std::optional<AddedTokenFinder::Match> AddedTokenFinder::next(std::string_view text,
                                                              Cursor& cursor) const {
  if (tokens_.empty()) return std::nullopt;
  for (;;) {
    const std::size_t begin = next_candidate(text, cursor.scan);
    if (begin >= text.size()) {
      cursor.scan = text.size();
      return std::nullopt;
    }
    const Trie::Match found = trie_.longest(start_, text.substr(begin));
    if (found.value == Trie::kNone) {
      cursor.scan = begin + 1;
      continue;
    }
    const AddedToken& token = tokens_[found.value];
    Match match{token.id, begin, begin + found.n_bytes};
    cursor.scan = match.end;
    if (token.single_word &&
        (ends_in_word(text.substr(0, match.begin)) || begins_with_word(text.substr(match.end)))) {
      continue;
    }
    if (token.lstrip)
      match.begin = skip_space_back(text, match.begin, std::min(match.begin, cursor.taken));
    // A token that itself begins with white space may lie in what the one before took along: that
    // is not walked again, or a text of blanks would cost its square.
    if (token.rstrip) match.end = skip_space(text, std::max(match.end, cursor.taken));
    cursor.taken = match.end;
    return match;
  }
}

}  // namespace espalier::text
