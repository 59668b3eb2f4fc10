// Where in a data file something was read, and the errors that say so.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "espalier/error.hpp"

namespace espalier::data {

/// One line of one file. Borrows the name, so it lives no longer than the Reader it came from.
struct Place {
  std::string_view file;
  std::size_t line = 0;  // from 1; 0 means the file as a whole
};

/// Throws Error(code, "line 12 of 'dev.tsv': what").
[[noreturn]] void fail_at(const Place& place, const std::string& what,
                          ErrorCode code = ErrorCode::bad_input);

/// Quotes names for a message, as in "'text', 'label'". More than twenty are cut with "...".
[[nodiscard]] std::string list_names(std::span<const std::string> names);

}  // namespace espalier::data
