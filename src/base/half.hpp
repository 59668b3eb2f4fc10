// IEEE 754 binary16 to and from binary32, in integers only: the same bits on every machine, with or
// without F16C. Not for hot loops: kernels convert rows with their own instructions.
#pragma once

#include <bit>
#include <cstdint>

namespace espalier {

/// The value of a binary16 pattern; exact. NaN stays NaN (quiet), infinities stay infinite.
[[nodiscard]] constexpr float half_to_float(std::uint16_t half) noexcept {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0x1F) {
    const std::uint32_t quiet = fraction == 0 ? 0 : 0x400000U;
    return std::bit_cast<float>(sign | 0x7F800000U | quiet | (fraction << 13));
  }
  if (exponent == 0) {
    // Zero and subnormals are fraction * 2^-24, which a float holds exactly.
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
  // 112 = 127 - 15, the difference of the exponent biases.
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

/// The nearest binary16 pattern, ties to even; what rounds to 65520 or more becomes infinite.
/// NaN stays NaN (quiet) with the top bits of its payload.
[[nodiscard]] constexpr std::uint16_t float_to_half(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {
    return static_cast<std::uint16_t>(sign | 0x7E00U | ((magnitude >> 13) & 0x3FFU));
  }
  if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);  // >= 65520
  if (magnitude < 0x33000000U) return static_cast<std::uint16_t>(sign);             // < 2^-25
  const std::uint32_t exponent = magnitude >> 23;
  // Normal numbers lose 13 bits of fraction; below 2^-14 one more for each power of two.
  const std::uint32_t lost = exponent >= 113 ? 13 : 126 - exponent;
  const std::uint32_t kept =
      exponent >= 113 ? magnitude - (112U << 23) : (magnitude & 0x7FFFFFU) | 0x800000U;
  const std::uint32_t even = (kept >> lost) & 1U;
  // A carry out of the fraction runs into the exponent, which is what rounding up means.
  return static_cast<std::uint16_t>(sign | ((kept + (1U << (lost - 1)) - 1 + even) >> lost));
}

}  // namespace espalier
