// Names of files in text that brings its own marks around them.
#pragma once

#include <string>
#include <string_view>

#include "base/printable.hpp"

namespace espalier::recipe {

/// printable() without its quotes.
[[nodiscard]] inline std::string unquoted(std::string_view name) {
  const std::string quoted = printable(name);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace espalier::recipe
