#include "base/printable.hpp"

namespace espalier {

std::string printable(std::string_view bytes, std::size_t max_bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  const bool cut = bytes.size() > max_bytes;
  std::string quoted = "'";
  for (const char byte : bytes.substr(0, max_bytes)) {
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x20 || value == 0x7f || value == '\'' || value == '\\') {
      quoted += "\\x";
      quoted += kHex[value >> 4];
      quoted += kHex[value & 15];
    } else {
      quoted += byte;
    }
  }
  quoted += cut ? "...'" : "'";
  return quoted;
}

}  // namespace espalier
