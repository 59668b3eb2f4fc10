// One labelled input of a data set.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/place.hpp"

namespace espalier::data {

/// More words than this in one sentence are a mistake; the bound keeps memory small.
inline constexpr std::size_t kMaxWords = std::size_t{1} << 20;

/// Bytes are passed on as they stand in the file: TSV, CSV and CoNLL do not check that they are
/// UTF-8.
struct Row {
  std::size_t line = 0;                  ///< where it starts in its file, from 1
  std::string text = {};                 ///< listed words (CoNLL, JSON) are joined by a blank each
  std::optional<std::string> pair = {};  ///< set if the reader has a pair column
  std::string label = {};                ///< the cell; a JSON list stays JSON; empty with words
  std::vector<std::string> words = {};   ///< sentences of words only (Columns::words)
  std::vector<std::string> slices = {};  ///< (slice columns), their cells; a JSON list stays JSON
  std::vector<std::string> tags = {};    ///< (words), or empty if the reader has no label column
};

/// Empties all fields but keeps their memory, and sets the line.
void restart(Row& row, std::size_t line);

/// The words of `cell`, split at runs of blanks and TABs.
/// Throws Error(resource) over kMaxWords.
[[nodiscard]] std::vector<std::string> split_blanks(std::string_view cell, const Place& place);

/// Joins words with one blank each.
[[nodiscard]] std::string join_words(const std::vector<std::string>& words);

/// Throws Error(bad_input) if `row` has no word or, with `has_tags`, not one tag for each word.
void check_words(const Row& row, bool has_tags, const Place& place);

}  // namespace espalier::data
