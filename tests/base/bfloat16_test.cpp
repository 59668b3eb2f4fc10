// bfloat16 conversions against arithmetic on doubles, over every pattern and every tie.
#include "base/bfloat16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace espalier {
namespace {

/// The value of a finite pattern: 8 exponent bits of bias 127, 7 fraction bits.
double value_of(std::uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 7 & 255);
  const double fraction = bits & 127;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -133) : std::ldexp(128 + fraction, exponent - 134);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(Bfloat16, EveryPatternHasItsValue) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = bfloat16_to_float(static_cast<std::uint16_t>(bits));
    if ((bits & 0x7F80) != 0x7F80) {
      ASSERT_EQ(value, value_of(bits)) << bits;
      ASSERT_EQ(std::signbit(value), bits >= 0x8000) << bits;
    } else if ((bits & 0x7F) == 0) {
      ASSERT_EQ(value, bits < 0x8000 ? INFINITY : -INFINITY);
    } else {
      ASSERT_TRUE(std::isnan(value)) << bits;
    }
  }
}

TEST(Bfloat16, EveryPatternComesBack) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = bfloat16_to_float(static_cast<std::uint16_t>(bits));
    const bool nan = (bits & 0x7FFF) > 0x7F80;
    ASSERT_EQ(float_to_bfloat16(value), nan ? bits | 0x40 : bits) << bits;
  }
}

TEST(Bfloat16, TiesGoToEvenAndTheirNeighboursToTheNearest) {
  for (std::uint32_t bits = 0; bits < 0x7F7F; ++bits) {  // subnormals are among them
    const auto tie = static_cast<float>((value_of(bits) + value_of(bits + 1)) / 2);
    ASSERT_EQ(float_to_bfloat16(tie), bits + (bits & 1)) << bits;
    ASSERT_EQ(float_to_bfloat16(-tie), 0x8000 + bits + (bits & 1)) << bits;
    ASSERT_EQ(float_to_bfloat16(std::nextafter(tie, 0.0F)), bits) << bits;
    ASSERT_EQ(float_to_bfloat16(std::nextafter(tie, INFINITY)), bits + 1) << bits;
  }
}

TEST(Bfloat16, WhatIsTooLargeBecomesInfinite) {
  const float tie = std::bit_cast<float>(0x7F7F8000U);  // halfway from the largest to 2^128

  EXPECT_EQ(float_to_bfloat16(std::nextafter(tie, 0.0F)), 0x7F7F);
  EXPECT_EQ(float_to_bfloat16(tie), 0x7F80);
  EXPECT_EQ(float_to_bfloat16(-std::numeric_limits<float>::max()), 0xFF80);
  EXPECT_EQ(float_to_bfloat16(-INFINITY), 0xFF80);
}

TEST(Bfloat16, ANaNStaysOneWhateverItsPayload) {
  for (const std::uint32_t bits : {0x7F800001U, 0x7FFFFFFFU, 0xFF800001U, 0xFFFFFFFFU}) {
    const float rounded = round_to_bfloat16(std::bit_cast<float>(bits));

    EXPECT_TRUE(std::isnan(rounded)) << bits;
    EXPECT_EQ(std::signbit(rounded), bits >= 0x80000000U) << bits;
  }
}

}  // namespace
}  // namespace espalier
