// Questions about paths that never throw.
#pragma once

#include <filesystem>
#include <string_view>

namespace espalier::checkpoint {

/// Whether `name` is the name of a file or folder right here: no separator, not "." or "..", no
/// control byte, at most 255 bytes.
[[nodiscard]] bool is_plain_name(std::string_view name) noexcept;

/// Whether there is anything at `path`. What cannot be looked at counts as absent.
[[nodiscard]] bool is_there(const std::filesystem::path& path) noexcept;

}  // namespace espalier::checkpoint
