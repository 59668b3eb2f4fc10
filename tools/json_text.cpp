#include "json_text.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace espalier::tools {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the well-formed character that `text` starts with (Unicode 15, table 3-7); 0 when none
// does.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) -> unsigned {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const auto follows = [&](std::size_t at) { return (byte(at) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool too_short = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return follows(1) && follows(2) && !too_short && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool too_short = lead == 0xF0 && byte(1) < 0x90;
    const bool too_large = lead == 0xF4 && byte(1) > 0x8F;
    return follows(1) && follows(2) && follows(3) && !too_short && !too_large ? 4 : 0;
  }
  return 0;
}

// Calls use(character) for each character of `text`, with U+FFFD for each stray byte.
template <typename Use>
void for_each_character(std::string_view text, Use&& use) {
  while (!text.empty()) {
    const std::size_t n_bytes = character_bytes(text);
    if (!use(n_bytes == 0 ? kReplacement : text.substr(0, n_bytes))) return;
    text.remove_prefix(n_bytes == 0 ? 1 : n_bytes);
  }
}

bool is_control(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character[0]);
  return byte < 0x20 || byte == 0x7F ||
         (byte == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for_each_character(text, [&](std::string_view character) {
    valid += character;
    return true;
  });
  return valid;
}

std::string one_line(std::string_view text, std::size_t max_characters) {
  std::string line;
  std::size_t n_characters = 0;
  for_each_character(text, [&](std::string_view character) {
    if (n_characters++ == max_characters) {
      line += "...";
      return false;
    }
    if (is_control(character)) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x",
                    static_cast<unsigned>(static_cast<unsigned char>(character.back())));
      line += escaped;
    } else {
      line += character;
    }
    return true;
  });
  return line;
}

void append_json(std::string& json, std::string_view text) {
  json += '"';
  for_each_character(text, [&](std::string_view character) {
    const auto byte = static_cast<unsigned char>(character[0]);
    if (byte == '"' || byte == '\\') {
      json += '\\';
      json += character;
    } else if (byte < 0x20 || byte == 0x7F) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(byte));
      json += escaped;
    } else {
      json += character;
    }
    return true;
  });
  json += '"';
}

void append_json(std::string& json, float number) {
  if (!std::isfinite(number)) {
    json += "null";
    return;
  }
  char digits[32];
  const std::to_chars_result result = std::to_chars(digits, digits + sizeof digits, number);
  json.append(digits, result.ptr);
}

}  // namespace espalier::tools
