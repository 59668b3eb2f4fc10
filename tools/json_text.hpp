// Writes JSON straight into a string. For programs on the public API alone; the others build a
// value with nlohmann-json and dump it.
#pragma once

#include <string>
#include <string_view>

namespace espalier::tools {

/// `text` as valid UTF-8: each byte that belongs to no character becomes U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// `text` for one line of a table: control characters as \xNN, cut to `max_characters` with "...".
[[nodiscard]] std::string one_line(std::string_view text, std::size_t max_characters);

/// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_json(std::string& json, std::string_view text);

/// Appends the shortest digits that read back as the same float; null when it is not finite.
void append_json(std::string& json, float number);

}  // namespace espalier::tools
