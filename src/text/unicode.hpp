// What BERT's text cleaning asks of a character: classes, canonical decomposition, lower case.
// The answers are those of the reference tokenizer (Hugging Face `tokenizers` 0.22), whose parts
// use Unicode tables of several ages; utf8proc is the source, unicode_exceptions.hpp the
// difference.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace espalier::text {

/// Bits of a character's class.
enum CharFlag : std::uint8_t {
  kSpace = 1,        ///< white space that separates words
  kPunctuation = 2,  ///< a word of its own
  kDropped = 4,      ///< removed by cleaning: control, format and private characters, U+FFFD
  kIdeograph = 8,    ///< a Chinese character in BERT's sense
  kMark = 16,        ///< removed with the accents: nonspacing mark
  kNonstarter = 32,  ///< takes part in canonical reordering
  kDecomposes = 64,  ///< has a canonical decomposition
  kLowers = 128,     ///< has a lower case of its own
};

/// Tab, line feed and carriage return are kSpace; other controls with white space semantics are
/// both kSpace and kDropped: cleaning decides first. `code_point` ≤ 0x10FFFF. Thread-safe.
[[nodiscard]] std::uint8_t char_flags(char32_t code_point) noexcept;

/// Room for any decomposition or lower case of one character.
using CharBuffer = std::array<char32_t, 8>;

/// The full canonical decomposition (NFD) of one character, in `buffer`.
[[nodiscard]] std::span<const char32_t> decompose(char32_t code_point, CharBuffer& buffer);

/// The full lower case of one character, in `buffer`: one character, two for U+0130.
[[nodiscard]] std::span<const char32_t> to_lower(char32_t code_point, CharBuffer& buffer);

/// Unicode's canonical combining class, for characters with kNonstarter.
[[nodiscard]] std::uint8_t combining_class(char32_t code_point);

/// Whether a regular expression's \w would take it; bounds of added tokens marked single_word.
[[nodiscard]] bool is_word_character(char32_t code_point);

}  // namespace espalier::text
