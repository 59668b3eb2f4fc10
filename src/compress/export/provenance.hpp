// Where a model came from, as its file says it: names, versions and hashes, nothing that could tell
// who made it, where or when.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "format/spec.hpp"

namespace espalier::compress {

/// XXH3-64 of a file as 16 hex digits, read in pieces. Throws Error(bad_input) when it cannot be
/// read.
[[nodiscard]] std::string file_hash(const std::filesystem::path& file);

/// XXH3-64 of the bytes of `text` as 16 hex digits.
[[nodiscard]] std::string text_hash(std::string_view text);

/// The stage that made a model: `options` as given, and the base name and hash of each of `inputs`.
[[nodiscard]] format::ProvenanceStage make_stage(
    std::string_view name, std::vector<std::pair<std::string, std::string>> options,
    const std::vector<std::filesystem::path>& inputs);

}  // namespace espalier::compress
