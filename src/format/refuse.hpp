// How this room says no: where in the file, what was found, what was expected.
#pragma once

#include <string>
#include <string_view>

#include "espalier/error.hpp"

namespace espalier::format {

/// Throws Error(verification, "where: what"). `where` is the path of a field of formats/model.fbs.
[[noreturn]] inline void refuse(std::string_view where, std::string_view what) {
  throw Error(ErrorCode::verification, std::string(where) + ": " + std::string(what));
}

/// "layers[3]"
[[nodiscard]] inline std::string indexed(std::string_view name, std::size_t index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

}  // namespace espalier::format
