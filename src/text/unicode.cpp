// Table of class bits over utf8proc, shared by the process; mappings ask utf8proc.
#include "text/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <atomic>

#include "text/unicode_exceptions.hpp"

namespace espalier::text {
namespace {

constexpr char32_t kCodePoints = 0x110000;
constexpr std::uint32_t kBlock = 256;
constexpr char32_t kDottedCapitalI = 0x130;

bool is_white_space(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// The blocks that BERT's original code lists; Hangul, kana and extensions from F on are not in it.
bool is_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B81F) ||
         (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
         (c >= 123 && c <= 126);
}

std::uint8_t category_flags(utf8proc_category_t category) {
  switch (category) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
      return kDropped;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return kPunctuation;
    case UTF8PROC_CATEGORY_MN:
      return kMark;
    default:
      return 0;
  }
}

std::uint8_t lookup_flags(char32_t code_point) {
  const auto c = static_cast<utf8proc_int32_t>(code_point);
  const utf8proc_property_t* property = utf8proc_get_property(c);
  unsigned flags = category_flags(static_cast<utf8proc_category_t>(property->category));
  const bool is_hangul_syllable = code_point >= 0xAC00 && code_point <= 0xD7A3;
  const bool is_canonical = property->decomp_seqindex != UINT16_MAX && property->decomp_type == 0;
  if (is_hangul_syllable || is_canonical) {
    // What decomposes is judged by its parts.
    flags = (flags | kDecomposes) & ~unsigned{kMark};
  } else if (property->combining_class != 0) {
    flags |= kNonstarter;
  }
  if (is_white_space(code_point)) flags |= kSpace;
  if (is_ideograph(code_point)) flags |= kIdeograph;
  if (is_ascii_punctuation(code_point)) flags |= kPunctuation;
  if (code_point == '\t' || code_point == '\n' || code_point == '\r') flags &= ~unsigned{kDropped};
  if (code_point == kDottedCapitalI || utf8proc_tolower(c) != c ||
      lower_case_exception(code_point) != 0) {
    flags |= kLowers;
  }
  return static_cast<std::uint8_t>(flags);
}

// Flags of every character, filled a block at a time when one of its characters is first asked for:
// a program that reads one script starts without paying for the others. Two threads that fill the
// same block write the same bytes.
class FlagTable {
 public:
  [[nodiscard]] std::uint8_t operator[](char32_t c) noexcept {
    if (!is_filled_[c / kBlock].load(std::memory_order_acquire)) fill(c / kBlock);
    return std::atomic_ref(flags_[c]).load(std::memory_order_relaxed);
  }

 private:
  void fill(std::size_t block) noexcept {
    const std::span<const ClassException> exceptions = class_exceptions();
    const auto first = static_cast<char32_t>(block * kBlock);
    auto exception = std::lower_bound(
        exceptions.begin(), exceptions.end(), first,
        [](const ClassException& range, char32_t wanted) { return range.last < wanted; });
    for (char32_t c = first; c < first + kBlock; ++c) {
      while (exception != exceptions.end() && exception->last < c) ++exception;
      unsigned flags = lookup_flags(c);
      if (exception != exceptions.end() && exception->first <= c) {
        flags = (flags & ~unsigned{exception->removed}) | exception->added;
      }
      std::atomic_ref(flags_[c]).store(static_cast<std::uint8_t>(flags), std::memory_order_relaxed);
    }
    is_filled_[block].store(true, std::memory_order_release);
  }

  std::array<std::atomic<bool>, kCodePoints / kBlock> is_filled_{};
  // Plain bytes read as atomics: clang counts a step for each atomic that it makes a constant of.
  std::array<std::uint8_t, kCodePoints> flags_{};
};

}  // namespace

std::uint8_t char_flags(char32_t code_point) noexcept {
  static constinit FlagTable table;  // pages that nobody asks for take no memory
  return table[code_point];
}

std::span<const char32_t> decompose(char32_t code_point, CharBuffer& buffer) {
  buffer[0] = code_point;
  if ((char_flags(code_point) & kDecomposes) == 0) return {buffer.data(), 1};
  std::array<utf8proc_int32_t, std::tuple_size_v<CharBuffer>> parts{};
  int boundary = 0;
  const utf8proc_ssize_t n_parts = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(code_point), parts.data(),
      static_cast<utf8proc_ssize_t>(parts.size()), UTF8PROC_DECOMPOSE, &boundary);
  // No canonical decomposition has more than four parts.
  const std::size_t n_kept = std::min<std::size_t>(static_cast<std::size_t>(n_parts), parts.size());
  std::transform(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(n_kept), buffer.begin(),
                 [](utf8proc_int32_t part) { return static_cast<char32_t>(part); });
  return {buffer.data(), n_kept};
}

std::span<const char32_t> to_lower(char32_t code_point, CharBuffer& buffer) {
  if (code_point == kDottedCapitalI) {
    buffer[0] = U'i';
    buffer[1] = 0x307;
    return {buffer.data(), 2};
  }
  const char32_t exception = lower_case_exception(code_point);
  buffer[0] =
      exception != 0
          ? exception
          : static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point)));
  return {buffer.data(), 1};
}

std::uint8_t combining_class(char32_t code_point) {
  return static_cast<std::uint8_t>(
      utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point))->combining_class);
}

bool is_word_character(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:  // joiners, and symbols that are alphabetic all the same: circled and squared letters
      return c == 0x200C || c == 0x200D || (c >= 0x24B6 && c <= 0x24E9) ||
             (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
             (c >= 0x1F170 && c <= 0x1F189);
  }
}

}  // namespace espalier::text
