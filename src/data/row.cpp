#include "data/row.hpp"

namespace espalier::data {

void restart(Row& row, std::size_t line) {
  row.line = line;
  row.text.clear();
  row.pair.reset();
  row.label.clear();
  row.words.clear();
  row.tags.clear();
  row.slices.clear();
}

std::vector<std::string> split_blanks(std::string_view cell, const Place& place) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = cell.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    cell.remove_prefix(begin);
    const std::string_view word = cell.substr(0, cell.find_first_of(" \t"));
    if (words.size() == kMaxWords) {
      fail_at(place, "has more than " + std::to_string(kMaxWords) + " words", ErrorCode::resource);
    }
    words.emplace_back(word);
    cell.remove_prefix(word.size());
  }
}

std::string join_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

void check_words(const Row& row, bool has_tags, const Place& place) {
  if (row.words.empty()) fail_at(place, "has no words; each row must hold a sentence");
  if (has_tags && row.words.size() != row.tags.size()) {
    fail_at(place, std::to_string(row.words.size()) + " words but " +
                       std::to_string(row.tags.size()) + " tags; each word needs one tag");
  }
}

}  // namespace espalier::data
