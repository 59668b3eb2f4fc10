// Where the reference tokenizer's Unicode tables and utf8proc's disagree.
#pragma once

#include <cstdint>
#include <span>

namespace espalier::text {

/// Class bits (CharFlag) to add to and remove from what utf8proc says of first..last.
struct ClassException {
  char32_t first;
  char32_t last;
  std::uint8_t added;
  std::uint8_t removed;
};

/// Sorted, without overlap.
[[nodiscard]] std::span<const ClassException> class_exceptions();

/// Lower case of a character that utf8proc does not know to have one, or 0.
[[nodiscard]] char32_t lower_case_exception(char32_t code_point);

}  // namespace espalier::text
