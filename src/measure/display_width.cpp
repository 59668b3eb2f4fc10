// How wide text stands on a terminal, by a short table of ranges.
#include <array>
#include <cstdint>

#include "measure/report.hpp"

namespace espalier::measure {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
  std::uint8_t width;
};

// Blocks of combining marks and of wide characters (Unicode's East Asian Width W and F), rising.
constexpr std::array<Range, 21> kRanges = {{
    {0x0300, 0x036F, 0},   {0x1100, 0x115F, 2}, {0x1AB0, 0x1AFF, 0},   {0x1DC0, 0x1DFF, 0},
    {0x200B, 0x200F, 0},   {0x20D0, 0x20FF, 0}, {0x2E80, 0x303E, 2},   {0x3041, 0x33FF, 2},
    {0x3400, 0x4DBF, 2},   {0x4E00, 0x9FFF, 2}, {0xA000, 0xA4CF, 2},   {0xAC00, 0xD7A3, 2},
    {0xF900, 0xFAFF, 2},   {0xFE00, 0xFE0F, 0}, {0xFE20, 0xFE2F, 0},   {0xFE30, 0xFE6F, 2},
    {0xFF00, 0xFF60, 2},   {0xFFE0, 0xFFE6, 2}, {0x1F300, 0x1F64F, 2}, {0x1F900, 0x1F9FF, 2},
    {0x20000, 0x3FFFD, 2},
}};

std::size_t width_of(std::uint32_t code_point) {
  for (const Range& range : kRanges) {
    if (code_point < range.first) return 1;
    if (code_point <= range.last) return range.width;
  }
  return 1;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t index = 0; index < text.size();) {
    const auto lead = static_cast<unsigned char>(text[index++]);
    std::uint32_t code_point = lead;
    if (lead >= 0xC0)
      code_point = lead >= 0xF0 ? lead & 7u : lead >= 0xE0 ? lead & 15u : lead & 31u;
    // Takes what trails a lead byte, valid or not: a wrong width only shifts a column.
    while (lead >= 0xC0 && index < text.size() &&
           (static_cast<unsigned char>(text[index]) & 0xC0) == 0x80) {
      code_point = code_point << 6 | (static_cast<unsigned char>(text[index++]) & 0x3Fu);
    }
    width += width_of(code_point);
  }
  return width;
}

}  // namespace espalier::measure
