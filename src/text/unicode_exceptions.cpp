// The reference takes general categories from about Unicode 8, combining classes and decompositions
// from Unicode 9 and lower case from Unicode 16; utf8proc 2.8 is Unicode 15. With another utf8proc
// the test over every code point (tests/text/unicode_test.cpp) prints the rows that must change.
#include "text/unicode_exceptions.hpp"

#include "text/unicode.hpp"

namespace espalier::text {
namespace {

// clang-format off
constexpr ClassException kExceptions[] = {
    {0x061D, 0x061D, 0, kPunctuation},
    {0x07FD, 0x07FD, 0, kMark | kNonstarter},
    {0x0890, 0x0891, 0, kDropped},
    {0x0898, 0x089F, 0, kMark | kNonstarter},
    {0x08CA, 0x08D3, 0, kMark | kNonstarter},
    {0x08D4, 0x08E1, 0, kMark},
    {0x08E2, 0x08E2, 0, kDropped},
    {0x09FD, 0x09FD, 0, kPunctuation},
    {0x09FE, 0x09FE, 0, kMark | kNonstarter},
    {0x0A76, 0x0A76, 0, kPunctuation},
    {0x0AFA, 0x0AFF, 0, kMark},
    {0x0B55, 0x0B55, 0, kMark},
    {0x0C04, 0x0C04, 0, kMark},
    {0x0C3C, 0x0C3C, 0, kMark | kNonstarter},
    {0x0C77, 0x0C77, 0, kPunctuation},
    {0x0C84, 0x0C84, 0, kPunctuation},
    {0x0D00, 0x0D00, 0, kMark},
    {0x0D3B, 0x0D3C, 0, kMark | kNonstarter},
    {0x0D81, 0x0D81, 0, kMark},
    {0x0EBA, 0x0EBA, 0, kMark | kNonstarter},
    {0x0ECE, 0x0ECE, 0, kMark},
    {0x166D, 0x166D, kPunctuation, 0},
    {0x1715, 0x1715, 0, kNonstarter},
    {0x1734, 0x1734, kMark, 0},
    {0x180F, 0x180F, 0, kMark},
    {0x1885, 0x1886, 0, kMark},
    {0x1ABF, 0x1ACE, 0, kMark | kNonstarter},
    {0x1B7D, 0x1B7E, 0, kPunctuation},
    {0x1DF6, 0x1DFA, 0, kMark | kNonstarter},
    {0x1DFB, 0x1DFB, 0, kMark},
    {0x2E43, 0x2E4F, 0, kPunctuation},
    {0x2E52, 0x2E5D, 0, kPunctuation},
    {0xA82C, 0xA82C, 0, kMark | kNonstarter},
    {0xA8C5, 0xA8C5, 0, kMark},
    {0xA8FF, 0xA8FF, 0, kMark},
    {0xA9BD, 0xA9BD, 0, kMark},
    {0xFFFD, 0xFFFD, kDropped, 0},
    {0x10D24, 0x10D27, 0, kMark | kNonstarter},
    {0x10EAB, 0x10EAC, 0, kMark | kNonstarter},
    {0x10EAD, 0x10EAD, 0, kPunctuation},
    {0x10EFD, 0x10EFF, 0, kMark | kNonstarter},
    {0x10F46, 0x10F50, 0, kMark | kNonstarter},
    {0x10F55, 0x10F59, 0, kPunctuation},
    {0x10F82, 0x10F85, 0, kMark | kNonstarter},
    {0x10F86, 0x10F89, 0, kPunctuation},
    {0x11070, 0x11070, 0, kMark | kNonstarter},
    {0x11073, 0x11074, 0, kMark},
    {0x110C2, 0x110C2, 0, kMark},
    {0x110CD, 0x110CD, 0, kDropped},
    {0x111C9, 0x111C9, kPunctuation, kMark},
    {0x111CF, 0x111CF, 0, kMark},
    {0x1123E, 0x1123E, 0, kMark},
    {0x11241, 0x11241, 0, kMark},
    {0x1133B, 0x1133B, 0, kMark | kNonstarter},
    {0x11438, 0x1143F, 0, kMark},
    {0x11442, 0x11444, 0, kMark},
    {0x11446, 0x11446, 0, kMark},
    {0x1144B, 0x1144F, 0, kPunctuation},
    {0x1145A, 0x1145B, 0, kPunctuation},
    {0x1145D, 0x1145D, 0, kPunctuation},
    {0x1145E, 0x1145E, 0, kMark | kNonstarter},
    {0x11660, 0x1166C, 0, kPunctuation},
    {0x116B9, 0x116B9, 0, kPunctuation},
    {0x1182F, 0x11837, 0, kMark},
    {0x11839, 0x1183A, 0, kMark | kNonstarter},
    {0x1183B, 0x1183B, 0, kPunctuation},
    {0x11938, 0x11938, 0, kDecomposes},
    {0x1193B, 0x1193C, 0, kMark},
    {0x1193D, 0x1193D, 0, kNonstarter},
    {0x1193E, 0x1193E, 0, kMark | kNonstarter},
    {0x11943, 0x11943, 0, kMark | kNonstarter},
    {0x11944, 0x11946, 0, kPunctuation},
    {0x119D4, 0x119D7, 0, kMark},
    {0x119DA, 0x119DB, 0, kMark},
    {0x119E0, 0x119E0, 0, kMark | kNonstarter},
    {0x119E2, 0x119E2, 0, kPunctuation},
    {0x11A01, 0x11A0A, 0, kMark},
    {0x11A33, 0x11A33, 0, kMark},
    {0x11A34, 0x11A34, 0, kMark | kNonstarter},
    {0x11A35, 0x11A38, 0, kMark},
    {0x11A3B, 0x11A3E, 0, kMark},
    {0x11A3F, 0x11A46, 0, kPunctuation},
    {0x11A47, 0x11A47, 0, kMark | kNonstarter},
    {0x11A51, 0x11A56, 0, kMark},
    {0x11A59, 0x11A5B, 0, kMark},
    {0x11A8A, 0x11A96, 0, kMark},
    {0x11A98, 0x11A98, 0, kMark},
    {0x11A99, 0x11A99, 0, kMark | kNonstarter},
    {0x11A9A, 0x11A9C, 0, kPunctuation},
    {0x11A9E, 0x11AA2, 0, kPunctuation},
    {0x11B00, 0x11B09, 0, kPunctuation},
    {0x11C30, 0x11C36, 0, kMark},
    {0x11C38, 0x11C3D, 0, kMark},
    {0x11C3F, 0x11C3F, 0, kMark},
    {0x11C41, 0x11C45, 0, kPunctuation},
    {0x11C70, 0x11C71, 0, kPunctuation},
    {0x11C92, 0x11CA7, 0, kMark},
    {0x11CAA, 0x11CB0, 0, kMark},
    {0x11CB2, 0x11CB3, 0, kMark},
    {0x11CB5, 0x11CB6, 0, kMark},
    {0x11D31, 0x11D36, 0, kMark},
    {0x11D3A, 0x11D3A, 0, kMark},
    {0x11D3C, 0x11D3D, 0, kMark},
    {0x11D3F, 0x11D41, 0, kMark},
    {0x11D42, 0x11D42, 0, kMark | kNonstarter},
    {0x11D43, 0x11D43, 0, kMark},
    {0x11D44, 0x11D45, 0, kMark | kNonstarter},
    {0x11D47, 0x11D47, 0, kMark},
    {0x11D90, 0x11D91, 0, kMark},
    {0x11D95, 0x11D95, 0, kMark},
    {0x11D97, 0x11D97, 0, kMark | kNonstarter},
    {0x11EF3, 0x11EF4, 0, kMark},
    {0x11EF7, 0x11EF8, 0, kPunctuation},
    {0x11F00, 0x11F01, 0, kMark},
    {0x11F36, 0x11F3A, 0, kMark},
    {0x11F40, 0x11F40, 0, kMark},
    {0x11F41, 0x11F41, 0, kNonstarter},
    {0x11F42, 0x11F42, 0, kMark | kNonstarter},
    {0x11F43, 0x11F4F, 0, kPunctuation},
    {0x11FFF, 0x11FFF, 0, kPunctuation},
    {0x12FF1, 0x12FF2, 0, kPunctuation},
    {0x13430, 0x1343F, 0, kDropped},
    {0x13440, 0x13440, 0, kMark},
    {0x13447, 0x13455, 0, kMark},
    {0x16E97, 0x16E9A, 0, kPunctuation},
    {0x16F4F, 0x16F4F, 0, kMark},
    {0x16FE2, 0x16FE2, 0, kPunctuation},
    {0x16FE4, 0x16FE4, 0, kMark},
    {0x16FF0, 0x16FF1, 0, kNonstarter},
    {0x1CF00, 0x1CF2D, 0, kMark},
    {0x1CF30, 0x1CF46, 0, kMark},
    {0x1E000, 0x1E006, 0, kMark},
    {0x1E008, 0x1E018, 0, kMark},
    {0x1E01B, 0x1E021, 0, kMark},
    {0x1E023, 0x1E024, 0, kMark},
    {0x1E026, 0x1E02A, 0, kMark},
    {0x1E08F, 0x1E08F, 0, kMark | kNonstarter},
    {0x1E130, 0x1E136, 0, kMark | kNonstarter},
    {0x1E2AE, 0x1E2AE, 0, kMark | kNonstarter},
    {0x1E2EC, 0x1E2EF, 0, kMark | kNonstarter},
    {0x1E4EC, 0x1E4EF, 0, kMark | kNonstarter},
    {0x1E944, 0x1E94A, 0, kMark},
    {0x1E95E, 0x1E95F, 0, kPunctuation},
};
// clang-format on

}  // namespace

std::span<const ClassException> class_exceptions() {
  return kExceptions;
}

char32_t lower_case_exception(char32_t code_point) {
  switch (code_point) {
    case 0x1C89:
    case 0xA7CC:
    case 0xA7DA:
      return code_point + 1;
    case 0xA7CB:
      return 0x0264;
    case 0xA7DC:
      return 0x019B;
    default:  // Garay, the one script that got its cases whole
      return code_point >= 0x10D50 && code_point <= 0x10D65 ? code_point + 0x20 : 0;
  }
}

}  // namespace espalier::text
