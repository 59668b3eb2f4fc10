// Makes untrusted bytes fit for an error message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace espalier {

/// Quotes `bytes` for a message of one line that means what it shows: valid UTF-8 stays; quotes,
/// backslashes, control characters (C0, DEL, C1), line and paragraph separators, bidirectional
/// controls and what is not UTF-8 become \xNN, byte by byte. Past `max_bytes` of `bytes` it is cut
/// before the character that would not fit, and ends with "...". Thread-safe.
[[nodiscard]] std::string printable(std::string_view bytes, std::size_t max_bytes = 80);

}  // namespace espalier
