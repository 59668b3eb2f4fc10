// Labelled text for training and judging, read whole and checked before the first step is taken.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/reader.hpp"

namespace espalier::objective {

/// The rows of one data file.
struct LabelledRows {
  std::string file;             // its name without folders, for messages
  std::vector<data::Row> rows;  // at least one

  [[nodiscard]] data::Place place(std::size_t row) const { return {file, rows[row].line}; }
};

/// Throws Error(bad_input) unless `text` is UTF-8; `what` is how the message calls it.
void check_utf8(std::string_view text, std::string_view what, const data::Place& place);

/// Reads all rows. Throws Error(bad_input), naming the line, for what data::Reader refuses, for a
/// file without rows and for a text or label that is not UTF-8: a model would learn from the
/// damage, and no config.json could name the label.
[[nodiscard]] LabelledRows read_labelled_rows(const std::filesystem::path& path,
                                              data::Format format, const data::Columns& columns);

/// The labels in the cells of `rows`, each once: numbers by value if all are whole numbers, else by
/// name.
[[nodiscard]] std::vector<std::string> distinct_labels(const LabelledRows& rows);

/// The tags of a sentence with every entity begun by B-, whichever of IOB1 and IOB2 they were in.
/// Tags of schemes that mark ends too (E, S, L, U) and tags that are no entity tags stay as they
/// are. Source: Tjong Kim Sang and Veenstra 1999, "Representing text chunks".
[[nodiscard]] std::vector<std::string> to_iob2(const std::vector<std::string>& tags);

}  // namespace espalier::objective
