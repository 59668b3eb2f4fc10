// UTF-8 as it comes: any bytes decode, what is malformed reads as U+FFFD.
// Malformed parts are cut as the Unicode Standard recommends (section 3.9, maximal subparts), so
// that counts of characters agree with Python's and Rust's lossy decoders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace espalier::text {

inline constexpr char32_t kReplacement = 0xFFFD;

/// One decoded character and how many bytes of the text it took (1 to 4).
struct Decoded {
  char32_t code_point;
  std::uint32_t n_bytes;
};

/// Decodes the character at `text[position]`; position < text.size().
[[nodiscard]] Decoded decode(std::string_view text, std::size_t position) noexcept;

/// Decodes the character that ends just before `end`; end > 0.
[[nodiscard]] Decoded decode_before(std::string_view text, std::size_t end) noexcept;

/// Writes `code_point` to `dst` (room for 4 bytes) and returns the number of bytes.
std::uint32_t encode_utf8(char32_t code_point, char* dst) noexcept;

/// Whether all of `text` is well-formed UTF-8.
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace espalier::text
