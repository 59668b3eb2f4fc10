// Decoder by the ranges of table 3-7 of the Unicode Standard; no state, no allocation.
#include "text/utf8.hpp"

#include <algorithm>

namespace espalier::text {
namespace {

struct Lead {
  std::uint32_t n_bytes;       // length that the lead byte announces; 0 for no lead byte
  std::uint8_t second_lowest;  // the second byte's range; later bytes are 80..BF
  std::uint8_t second_highest;
};

Lead lead_of(std::uint8_t byte) noexcept {
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};  // below A0: overlong
  if (byte == 0xED) return {3, 0x80, 0x9F};  // above 9F: surrogates
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};  // below 90: overlong
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};  // above 8F: past U+10FFFF
  return {0, 0, 0};
}

}  // namespace

Decoded decode(std::string_view text, std::size_t position) noexcept {
  const auto first = static_cast<std::uint8_t>(text[position]);
  if (first < 0x80) return {first, 1};
  const Lead lead = lead_of(first);
  if (lead.n_bytes == 0) return {kReplacement, 1};
  char32_t code_point = first & (0x7Fu >> lead.n_bytes);
  std::uint8_t lowest = lead.second_lowest;
  std::uint8_t highest = lead.second_highest;
  for (std::uint32_t at = 1; at < lead.n_bytes; ++at) {
    if (position + at >= text.size()) return {kReplacement, at};
    const auto byte = static_cast<std::uint8_t>(text[position + at]);
    if (byte < lowest || byte > highest) return {kReplacement, at};
    code_point = (code_point << 6) | (byte & 0x3Fu);
    lowest = 0x80;
    highest = 0xBF;
  }
  return {code_point, lead.n_bytes};
}

Decoded decode_before(std::string_view text, std::size_t end) noexcept {
  const std::size_t furthest = std::min<std::size_t>(end, 4);
  for (std::size_t back = 2; back <= furthest; ++back) {
    const Decoded decoded = decode(text.substr(0, end), end - back);
    if (decoded.n_bytes == back) return decoded;
  }
  return decode(text.substr(0, end), end - 1);
}

std::uint32_t encode_utf8(char32_t code_point, char* dst) noexcept {
  const auto tail = [code_point](int shift) {
    return static_cast<char>(0x80u | ((code_point >> shift) & 0x3Fu));
  };
  if (code_point < 0x80) {
    dst[0] = static_cast<char>(code_point);
    return 1;
  }
  if (code_point < 0x800) {
    dst[0] = static_cast<char>(0xC0u | (code_point >> 6));
    dst[1] = tail(0);
    return 2;
  }
  if (code_point < 0x10000) {
    dst[0] = static_cast<char>(0xE0u | (code_point >> 12));
    dst[1] = tail(6);
    dst[2] = tail(0);
    return 3;
  }
  dst[0] = static_cast<char>(0xF0u | (code_point >> 18));
  dst[1] = tail(12);
  dst[2] = tail(6);
  dst[3] = tail(0);
  return 4;
}

bool is_valid_utf8(std::string_view text) noexcept {
  for (std::size_t position = 0; position < text.size();) {
    const Decoded decoded = decode(text, position);
    // U+FFFD itself takes three bytes, a malformed part of three bytes cannot be EF BF BD.
    if (decoded.code_point == kReplacement && text.substr(position, 3) != "\xEF\xBF\xBD") {
      return false;
    }
    position += decoded.n_bytes;
  }
  return true;
}

}  // namespace espalier::text
