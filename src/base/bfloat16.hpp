// bfloat16, the upper half of an IEEE 754 binary32 (1 sign, 8 exponent and 7 fraction bits), to and
// from binary32, in integers only: the same bits on every machine. Source: Intel, "BFLOAT16 -
// Hardware Numerics Definition", 2018. Not for hot loops: kernels convert rows with vectors.
#pragma once

#include <bit>
#include <cstdint>

namespace espalier {

/// The value of a bfloat16 pattern; exact. NaN stays NaN, infinities stay infinite.
[[nodiscard]] constexpr float bfloat16_to_float(std::uint16_t brain) noexcept {
  return std::bit_cast<float>(std::uint32_t{brain} << 16);
}

/// The nearest bfloat16 pattern, ties to even, subnormals included; what rounds past the largest
/// (2 - 2^-7) * 2^127 becomes infinite. NaN stays NaN (quiet) with the top bits of its payload.
[[nodiscard]] constexpr std::uint16_t float_to_bfloat16(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  const std::uint32_t even = (bits >> 16) & 1U;
  // A carry out of the fraction runs into the exponent, which is what rounding up means.
  return static_cast<std::uint16_t>((bits + 0x7FFFU + even) >> 16);
}

/// The value nearest to `value` that bfloat16 holds.
[[nodiscard]] constexpr float round_to_bfloat16(float value) noexcept {
  return bfloat16_to_float(float_to_bfloat16(value));
}

}  // namespace espalier
