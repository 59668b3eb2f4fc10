// Checks at the door of this room, and the one way it makes percentages. For its .cpp files only.
#pragma once

#include <cstddef>
#include <string>

#include "espalier/error.hpp"

namespace espalier::measure {

/// `part` of `whole` in percent; 0 of nothing.
[[nodiscard]] inline double percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

/// Throws Error(bad_input) unless both counts are the same and not 0.
inline void check_pairs(std::size_t n_first, std::size_t n_second, const std::string& first,
                        const std::string& second) {
  if (n_first != n_second) {
    throw Error(ErrorCode::bad_input, std::to_string(n_first) + " " + first + " but " +
                                          std::to_string(n_second) + " " + second);
  }
  if (n_first == 0) throw Error(ErrorCode::bad_input, "nothing to measure: no " + first);
}

/// Throws Error(bad_input) unless `n_values` are whole rows of `width`.
inline void check_rows(std::size_t n_values, std::size_t width) {
  if (width == 0 || n_values % width != 0) {
    throw Error(ErrorCode::bad_input,
                std::to_string(n_values) + " values are no whole rows of " + std::to_string(width));
  }
}

}  // namespace espalier::measure
