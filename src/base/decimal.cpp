#include "base/decimal.hpp"

#include <charconv>
#include <cstddef>

namespace espalier {

std::string fixed(double number, int decimals) {
  // The largest double has 309 digits before the point; then the sign and the point itself.
  std::string text(static_cast<std::size_t>(decimals) + 311, '\0');
  const std::to_chars_result written = std::to_chars(text.data(), text.data() + text.size(), number,
                                                     std::chars_format::fixed, decimals);
  text.resize(static_cast<std::size_t>(written.ptr - text.data()));
  const bool is_zero = text.find_first_not_of("-0.") == std::string::npos;
  if (is_zero && text.front() == '-') text.erase(0, 1);
  return text;
}

}  // namespace espalier
