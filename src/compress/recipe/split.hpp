// Cuts a file of labelled rows in two: rows that candidates are chosen by, and rows that nobody
// looks at until one is chosen. By place, so that the same file is always cut alike.
#pragma once

#include <cstddef>
#include <filesystem>

#include "data/reader.hpp"

namespace espalier::recipe {

struct SplitFiles {
  std::filesystem::path choosing;
  std::filesystem::path deciding;
};

struct SplitCounts {
  std::size_t choosing = 0;
  std::size_t deciding = 0;
};

/// Writes every third row of `file`, from the third on, to one file and all others to the other, as
/// they stand, after the header line where there is one; plain where `file` is .gz. Rows keep their
/// lines: quoted line breaks, and the empty lines and -DOCSTART- of CoNLL stay with the row before
/// them. Throws Error(bad_input) for fewer than three rows, and what Reader throws; Error(output).
SplitCounts split_rows(const std::filesystem::path& file, data::Format format,
                       const data::Columns& columns, const SplitFiles& to);

}  // namespace espalier::recipe
