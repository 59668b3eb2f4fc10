// Four-bit codes and what they stand for: two a byte, the lower bits first, each times the
// multiplier of its group. For loading and exporting; no kernel computes with them.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "format/spec.hpp"

namespace espalier::format {

/// The lower and the upper of the two codes of a byte.
[[nodiscard]] constexpr std::int8_t lower_code(std::uint8_t byte) noexcept {
  return static_cast<std::int8_t>(static_cast<std::int8_t>(byte << 4) >> 4);
}
[[nodiscard]] constexpr std::int8_t upper_code(std::uint8_t byte) noexcept {
  return static_cast<std::int8_t>(static_cast<std::int8_t>(byte) >> 4);
}

/// Packs a row of codes in [-7, 7]. dst: row_bytes(s4, codes.size()), the last upper half 0 where
/// their number is odd.
inline void pack_four_bits(std::span<const std::int8_t> codes,
                           std::span<std::uint8_t> dst) noexcept {
  assert(dst.size() == row_bytes(ElementType::s4, static_cast<std::uint32_t>(codes.size())));
  for (std::size_t col = 0; col < codes.size(); col += 2) {
    const unsigned lower = static_cast<unsigned>(codes[col]) & 0x0FU;
    const unsigned upper = col + 1 < codes.size() ? static_cast<unsigned>(codes[col + 1]) : 0;
    dst[col / 2] = static_cast<std::uint8_t>(lower | (upper & 0x0FU) << 4);
  }
}

/// A row of s4 codes with its multipliers.
struct FourBitRow {
  std::span<const std::uint8_t> codes;       // row_bytes(s4, cols)
  std::span<const std::int8_t> multipliers;  // (n_groups)
  std::uint32_t group = 0;
};

/// The int8 codes that `row` stands for, in [-126, 126]. dst: (cols).
inline void multiply_out(const FourBitRow& row, std::span<std::int8_t> dst) noexcept {
  for (std::size_t first = 0, group = 0; first < dst.size(); first += row.group, ++group) {
    const std::int16_t multiplier = row.multipliers[group];
    const std::size_t end = std::min<std::size_t>(dst.size(), first + row.group);
    const std::uint8_t* bytes = row.codes.data() + first / 2;  // `first` is even
    std::int8_t* codes = dst.data() + first;
    const std::size_t n_pairs = (end - first) / 2;
    for (std::size_t pair = 0; pair < n_pairs; ++pair) {
      codes[2 * pair] = static_cast<std::int8_t>(lower_code(bytes[pair]) * multiplier);
      codes[2 * pair + 1] = static_cast<std::int8_t>(upper_code(bytes[pair]) * multiplier);
    }
    if (end % 2 != 0) {
      codes[2 * n_pairs] = static_cast<std::int8_t>(lower_code(bytes[n_pairs]) * multiplier);
    }
  }
}

/// Row `row` of a table of s4 `codes`.
[[nodiscard]] inline FourBitRow four_bit_row(const Tensor& codes, const Tensor& multiplier,
                                             std::uint32_t group, std::size_t row) noexcept {
  const std::size_t stride = row_bytes(ElementType::s4, codes.cols);
  return {codes.as<std::uint8_t>().subspan(row * stride, stride),
          multiplier.as<std::int8_t>().subspan(row * multiplier.cols, multiplier.cols), group};
}

/// The codes of word `id` of a table of s8, where they lie, or of s4, multiplied out into scratch
/// (word.cols).
[[nodiscard]] inline std::span<const std::int8_t> word_codes(
    const EmbeddingSpec& embedding, std::size_t id, std::span<std::int8_t> scratch) noexcept {
  const std::size_t cols = embedding.word.cols;
  if (embedding.word.type == ElementType::s8) {
    return embedding.word.as<std::int8_t>().subspan(id * cols, cols);
  }
  const std::span<std::int8_t> row = scratch.first(cols);
  multiply_out(four_bit_row(embedding.word, embedding.word_multiplier, embedding.word_group, id),
               row);
  return row;
}

}  // namespace espalier::format
