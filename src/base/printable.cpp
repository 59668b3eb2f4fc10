#include "base/printable.hpp"

#include <cstdint>

namespace espalier {
namespace {

struct Character {
  std::uint32_t code_point;
  std::size_t n_bytes;  // 1 where the bytes are not UTF-8: the next byte may start a character
  bool valid;
};

constexpr Character kInvalid = {0, 1, false};

// The first character of `bytes`, which are not empty. Source: Unicode 15, table 3-7.
Character first_character(std::string_view bytes) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  if (lead < 0xc0 || lead > 0xf7) return kInvalid;
  const std::size_t n_bytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (bytes.size() < n_bytes) return kInvalid;
  std::uint32_t code_point = lead & (0x7fU >> n_bytes);
  for (std::size_t at = 1; at < n_bytes; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return kInvalid;
    code_point = code_point << 6 | (byte(at) & 0x3fU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};  // less is an overlong form
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < kSmallest[n_bytes] || code_point > 0x10ffff || surrogate) return kInvalid;
  return {code_point, n_bytes, true};
}

// Whether a terminal shows the character as itself and leaves the line around it as it is.
bool shows_as_itself(std::uint32_t code_point) {
  const auto within = [&](std::uint32_t first, std::uint32_t last) {
    return code_point >= first && code_point <= last;
  };
  if (code_point < 0x20 || within(0x7f, 0x9f)) return false;           // C0, DEL, C1
  if (code_point == '\'' || code_point == '\\') return false;          // ours
  if (code_point == 0x61c || within(0x200e, 0x200f)) return false;     // marks of direction
  if (within(0x2028, 0x202e) || within(0x2066, 0x2069)) return false;  // separators, embeddings
  return true;
}

}  // namespace

std::string printable(std::string_view bytes, std::size_t max_bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string quoted = "'";
  std::size_t done = 0;
  while (done < bytes.size()) {
    const Character character = first_character(bytes.substr(done));
    if (character.n_bytes > max_bytes - done) break;
    const std::string_view own = bytes.substr(done, character.n_bytes);
    if (character.valid && shows_as_itself(character.code_point)) {
      quoted += own;
    } else {
      for (const char byte : own) {
        const auto value = static_cast<unsigned char>(byte);
        quoted += "\\x";
        quoted += kHex[value >> 4];
        quoted += kHex[value & 15];
      }
    }
    done += own.size();
  }
  quoted += done < bytes.size() ? "...'" : "'";
  return quoted;
}

}  // namespace espalier
