// Which columns of a data file hold the text, its pair and the label: what the user asks for, and
// what a header makes of it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/place.hpp"

namespace espalier::data {

/// What is wanted of a file. An empty name means the default:
/// - text: the first of `text`, `sentence`, `text_a`, `review` that the header has; CoNLL: 1
/// - pair: `text_b` if the text column was found as `text_a`; else none. Other pairs (sentence1 and
///   sentence2, say) must be named
/// - label: the first of `label`, `labels`, `score` that the header has; CoNLL: the last column
struct Columns {
  std::string text = {};
  std::string pair = {};
  std::string label = {};
  std::vector<std::string> slices = {};  ///< read beside the others, to group rows by; not CoNLL
  bool header = true;      ///< false: columns are named 1, 2, 3, ...; JSONL has names in any case
  bool need_label = true;  ///< false: a file without a label column is fine, labels stay empty
  bool words = false;      ///< rows are sentences of words with a tag each (always so in CoNLL)
};

/// Positions in a header, from 0.
struct ColumnChoice {
  std::size_t text = 0;
  std::optional<std::size_t> pair;
  std::optional<std::size_t> label;
  std::vector<std::size_t> slices = {};
};

/// More columns than this are a mistake, such as a binary file read as text.
inline constexpr std::size_t kMaxColumns = 4096;

/// Finds the wanted columns in `header`.
/// Throws Error(bad_input), listing the header, if one is missing, is there twice, or is wanted for
/// two purposes.
[[nodiscard]] ColumnChoice choose_columns(std::span<const std::string> header,
                                          const Columns& wanted, const Place& place);

/// The names of `n_columns` columns without a header: 1, 2, 3, ...
[[nodiscard]] std::vector<std::string> numbered_columns(std::size_t n_columns);

}  // namespace espalier::data
