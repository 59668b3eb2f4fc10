#include "format/scan.hpp"

#include <algorithm>
#include <bit>

#include "format/panels.hpp"

namespace espalier::format {
namespace {

// Blocks of fixed length let the compiler vectorize the inner loop without a remainder.
constexpr std::size_t kBlock = 1024;

/// Index of the first element that `is_bad`; whole blocks are tested without a branch. `Flag` is as
/// wide as T, so that a vector of values gives a vector of flags.
template <typename Flag, typename T, typename IsBad>
BadIndex find_first(std::span<const T> values, IsBad is_bad) noexcept {
  static_assert(sizeof(Flag) == sizeof(T));
  std::size_t begin = 0;
  for (; values.size() - begin >= kBlock; begin += kBlock) {
    Flag bad = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      bad = static_cast<Flag>(bad | static_cast<Flag>(is_bad(values[begin + i])));
    }
    if (bad != 0) break;
  }
  for (; begin < values.size(); ++begin) {
    if (is_bad(values[begin])) return begin;
  }
  return std::nullopt;
}

/// Length of the well-formed sequence at the start of `text` whose first byte is not ASCII, or 0.
std::size_t sequence_bytes(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  std::size_t length = 0;
  unsigned low = 0x80;  // range of the second byte
  unsigned high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  if (length == 0 || text.size() < length) return 0;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

BadIndex find_nonfinite(std::span<const float> values) noexcept {
  return find_first<std::uint32_t>(values, [](float value) {  // all exponent bits set
    return (std::bit_cast<std::uint32_t>(value) & 0x7F800000U) == 0x7F800000U;
  });
}

BadIndex find_nonfinite(std::span<const std::uint16_t> halves) noexcept {
  return find_first<std::uint16_t>(halves,
                                   [](std::uint16_t half) { return (half & 0x7C00U) == 0x7C00U; });
}

BadIndex find_nonfinite_bfloat16(std::span<const std::uint16_t> brains) noexcept {
  return find_first<std::uint16_t>(
      brains, [](std::uint16_t brain) { return (brain & 0x7F80U) == 0x7F80U; });
}

BadIndex find_code_out_of_range(std::span<const std::int8_t> codes) noexcept {
  return find_first<std::uint8_t>(codes, [](std::int8_t code) { return code == -128; });
}

BadIndex find_four_bit_code_out_of_range(std::span<const std::uint8_t> bytes) noexcept {
  return find_first<std::uint8_t>(bytes, [](std::uint8_t byte) {
    return static_cast<unsigned>((byte & 0x0F) == 0x08) | static_cast<unsigned>(byte >> 4 == 0x08);
  });
}

BadIndex find_multiplier_out_of_range(std::span<const std::int8_t> multipliers) noexcept {
  return find_first<std::uint8_t>(multipliers, [](std::int8_t multiplier) {
    return static_cast<unsigned>(multiplier < 1) |
           static_cast<unsigned>(multiplier > kMaxMultiplier);
  });
}

BadIndex find_nonzero(std::span<const std::int8_t> bytes) noexcept {
  return find_first<std::uint8_t>(bytes, [](std::int8_t byte) { return byte != 0; });
}

BadIndex find_dirty_padding(std::span<const std::int8_t> panels, std::uint32_t out,
                            std::uint32_t in) noexcept {
  constexpr std::size_t kGroupBytes = std::size_t{4} * kPanelColumns;  // 4 inputs of 64 columns
  const std::size_t n_groups = round_up(in, kPanelDepthMultiple) / 4;
  const auto find = [&](std::size_t begin, std::size_t size) -> BadIndex {
    const BadIndex bad = find_nonzero(panels.subspan(begin, size));
    return bad ? BadIndex(begin + *bad) : std::nullopt;
  };
  for (std::size_t panel = 0; panel * kPanelColumns < out; ++panel) {
    const std::size_t base = panel * n_groups * kGroupBytes;
    const std::size_t columns = std::min<std::size_t>(kPanelColumns, out - panel * kPanelColumns);
    // Columns past the last output channel, in every group.
    for (std::size_t group = 0; columns < kPanelColumns && group < n_groups; ++group) {
      const BadIndex bad =
          find(base + group * kGroupBytes + columns * 4, kGroupBytes - columns * 4);
      if (bad) return bad;
    }
    // Inputs past the last one: the tail of the group it lies in, then whole groups.
    for (std::size_t column = 0; in % 4 != 0 && column < kPanelColumns; ++column) {
      const BadIndex bad =
          find(base + in / 4 * kGroupBytes + column * 4 + in % 4, std::size_t{4} - in % 4);
      if (bad) return bad;
    }
    const std::size_t used_groups = (in + std::size_t{3}) / 4;
    const BadIndex bad =
        find(base + used_groups * kGroupBytes, (n_groups - used_groups) * kGroupBytes);
    if (bad) return bad;
  }
  return std::nullopt;
}

BadIndex find_invalid_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = sequence_bytes(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

}  // namespace espalier::format
