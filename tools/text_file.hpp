// Texts to measure on, one a line of a file, held in memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "espalier/espalier.hpp"

namespace espalier::tools {

/// The first `most` lines of `path` ("-": standard input) that hold more than blanks.
/// Throws Error(bad_input) when the file cannot be read or has none, and as InputLines does.
[[nodiscard]] std::vector<std::string> read_texts(const std::string& path, std::size_t most);

/// Views of `texts`, as a tokenizer takes them.
[[nodiscard]] std::vector<Text> texts_of(std::span<const std::string> texts);

}  // namespace espalier::tools
