// Writes a ModelSpec as an .espl file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "base/atomic_file.hpp"
#include "format/spec.hpp"

namespace espalier::format {

/// Writes `spec` to `path`, whole or not at all. The same spec gives the same bytes. Tensors are
/// streamed from where they lie: no second copy of them is made.
/// Throws Error(failed) when the spec is not a sound model (see check_spec; nothing is written),
/// Error(resource) when its header is over the limit, Error(output) when the file exists and
/// `overwrite` is refuse, or cannot be written.
void write_model(const ModelSpec& spec, const std::filesystem::path& path, Overwrite overwrite);

/// The bytes that write_model would write, in memory. Throws as it does, but for the output.
[[nodiscard]] std::vector<std::byte> to_bytes(const ModelSpec& spec);

}  // namespace espalier::format
