// Makes untrusted bytes fit for an error message.
#pragma once

#include <string>
#include <string_view>

namespace espalier {

/// Quotes `bytes` for a message: control bytes, quotes and invalid UTF-8 lead-outs become \xNN, and
/// what is longer than `max_bytes` is cut with "...".
[[nodiscard]] std::string printable(std::string_view bytes, std::size_t max_bytes = 80);

}  // namespace espalier
