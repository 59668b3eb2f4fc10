// Moves int8 weights between row-major order and the panels of the file (spec.hpp, panel_index).
// For exporters and tests: back ends read the panels where they lie.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "format/spec.hpp"

namespace espalier::format {

/// Number of bytes of the panels of an (out, in) layer: both padded to multiples of 64.
[[nodiscard]] constexpr std::size_t panel_bytes(std::uint32_t out, std::uint32_t in) noexcept {
  return std::size_t{round_up(out, kPanelColumns)} * round_up(in, kPanelDepthMultiple);
}

/// Lays `src` (out, in) row-major out in panels. dst: panel_bytes(out, in), overwritten, padding 0.
inline void pack_panels(std::span<const std::int8_t> src, std::uint32_t out, std::uint32_t in,
                        std::span<std::int8_t> dst) {
  assert(src.size() == std::size_t{out} * in && dst.size() == panel_bytes(out, in));
  for (std::int8_t& code : dst) code = 0;
  for (std::uint32_t row = 0; row < out; ++row) {
    for (std::uint32_t col = 0; col < in; ++col) {
      dst[panel_index(row, col, in)] = src[std::size_t{row} * in + col];
    }
  }
}

/// The same, into memory of its own (not aligned for a Tensor).
[[nodiscard]] inline std::vector<std::int8_t> pack_panels(std::span<const std::int8_t> src,
                                                          std::uint32_t out, std::uint32_t in) {
  std::vector<std::int8_t> dst(panel_bytes(out, in));
  pack_panels(src, out, in, dst);
  return dst;
}

/// Gives back the (out, in) row-major weights of panels of panel_bytes(out, in).
[[nodiscard]] inline std::vector<std::int8_t> unpack_panels(std::span<const std::int8_t> src,
                                                            std::uint32_t out, std::uint32_t in) {
  assert(src.size() == panel_bytes(out, in));
  std::vector<std::int8_t> dst(std::size_t{out} * in);
  for (std::uint32_t row = 0; row < out; ++row) {
    for (std::uint32_t col = 0; col < in; ++col) {
      dst[std::size_t{row} * in + col] = src[panel_index(row, col, in)];
    }
  }
  return dst;
}

}  // namespace espalier::format
