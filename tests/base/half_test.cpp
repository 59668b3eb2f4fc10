// binary16 conversions against arithmetic on doubles, over every pattern and every tie.
#include "base/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace espalier {
namespace {

/// The value of a finite pattern by the definition in IEEE 754, 3.4.
double value_of(std::uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const double fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(Half, EveryPatternHasTheValueOfTheStandard) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = half_to_float(static_cast<std::uint16_t>(bits));
    if ((bits & 0x7C00) != 0x7C00) {
      ASSERT_EQ(value, value_of(bits)) << bits;
      ASSERT_EQ(std::signbit(value), bits >= 0x8000) << bits;
    } else if ((bits & 0x3FF) == 0) {
      ASSERT_EQ(value, bits < 0x8000 ? INFINITY : -INFINITY);
    } else {
      ASSERT_TRUE(std::isnan(value)) << bits;
    }
  }
}

TEST(Half, EveryPatternComesBack) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const std::uint16_t again = float_to_half(half_to_float(static_cast<std::uint16_t>(bits)));
    const bool nan = (bits & 0x7FFF) > 0x7C00;
    ASSERT_EQ(again, nan ? bits | 0x200 : bits) << bits;
  }
}

TEST(Half, TiesGoToEvenAndTheirNeighboursToTheNearest) {
  for (std::uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const auto tie = static_cast<float>((value_of(bits) + value_of(bits + 1)) / 2);
    ASSERT_EQ(float_to_half(tie), bits + (bits & 1)) << bits;
    ASSERT_EQ(float_to_half(-tie), 0x8000 + bits + (bits & 1)) << bits;
    ASSERT_EQ(float_to_half(std::nextafter(tie, 0.0F)), bits) << bits;
    ASSERT_EQ(float_to_half(std::nextafter(tie, INFINITY)), bits + 1) << bits;
  }
}

TEST(Half, WhatIsTooLargeBecomesInfinite) {
  EXPECT_EQ(float_to_half(65504.0F), 0x7BFF);
  EXPECT_EQ(float_to_half(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
  EXPECT_EQ(float_to_half(65520.0F), 0x7C00);
  EXPECT_EQ(float_to_half(-std::numeric_limits<float>::max()), 0xFC00);
  EXPECT_EQ(float_to_half(INFINITY), 0x7C00);
  EXPECT_EQ(float_to_half(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(float_to_half(-std::numeric_limits<float>::denorm_min()), 0x8000);
}

}  // namespace
}  // namespace espalier
