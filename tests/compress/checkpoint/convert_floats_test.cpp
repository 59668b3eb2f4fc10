#include "compress/checkpoint/convert_floats.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/half.hpp"

namespace espalier::checkpoint {
namespace {

template <typename Stored>
struct Converted {
  std::vector<float> values;
  std::size_t first_bad;
};

// From one byte past an aligned address, as tensors may lie in a file.
template <typename Stored>
Converted<Stored> convert(const std::vector<Stored>& stored, ElementType type) {
  std::vector<std::byte> bytes(1);
  const auto all = std::as_bytes(std::span(stored));
  bytes.insert(bytes.end(), all.begin(), all.end());
  Converted<Stored> result{std::vector<float>(stored.size()), 0};
  result.first_bad = to_f32(std::span(bytes).subspan(1), type, result.values);
  return result;
}

TEST(ConvertFloats, EveryF16PatternHasItsValue) {
  for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) {
    const auto half = static_cast<std::uint16_t>(pattern);
    const int exponent = (half >> 10) & 31;
    const int fraction = half & 1023;
    const bool finite = exponent != 31;
    const double magnitude =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);

    const auto result = convert<std::uint16_t>({half}, ElementType::f16);

    ASSERT_EQ(result.first_bad, finite ? 1u : 0u) << pattern;
    ASSERT_EQ(std::signbit(result.values[0]), (half & 0x8000) != 0) << pattern;
    if (finite) {
      ASSERT_EQ(std::fabs(result.values[0]), magnitude) << pattern;
      ASSERT_EQ(result.values[0], half_to_float(half)) << pattern;
    } else {
      ASSERT_EQ(std::isnan(result.values[0]), fraction != 0) << pattern;
    }
  }
}

TEST(ConvertFloats, EveryBf16PatternIsTheUpperHalfOfAFloat) {
  for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) {
    const auto result =
        convert<std::uint16_t>({static_cast<std::uint16_t>(pattern)}, ElementType::bf16);

    ASSERT_EQ(std::bit_cast<std::uint32_t>(result.values[0]), pattern << 16);
    ASSERT_EQ(result.first_bad, (pattern & 0x7f80) == 0x7f80 ? 0u : 1u) << pattern;
  }
}

TEST(ConvertFloats, F32IsCopiedWithSubnormalsAndSignedZero) {
  const std::vector<float> values = {0.0f, -0.0f, 1.5f, std::numeric_limits<float>::denorm_min(),
                                     -std::numeric_limits<float>::max()};

  const auto result = convert<float>(values, ElementType::f32);

  EXPECT_EQ(result.first_bad, values.size());
  for (std::size_t value = 0; value < values.size(); ++value) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(result.values[value]),
              std::bit_cast<std::uint32_t>(values[value]));
  }
}

TEST(ConvertFloats, F64RoundsToNearestEven) {
  const double ulp = 0x1p-23;
  const std::vector<double> values = {
      1.0 + ulp / 2, 1.0 + ulp * 1.5, 1.0 + ulp * 0.50001, 0x1p-149, 0x1p-150, 0x1.8p-149, 1e-300};

  const auto result = convert<double>(values, ElementType::f64);

  EXPECT_EQ(result.first_bad, values.size());
  EXPECT_EQ(result.values, (std::vector<float>{1.0f, 1.0f + 2 * 0x1p-23f, 1.0f + 0x1p-23f,
                                               0x1p-149f, 0.0f, 0x1p-148f, 0.0f}));
}

TEST(ConvertFloats, F64TooLargeForAFloatCountsAsNotFinite) {
  const double largest = std::numeric_limits<float>::max();

  EXPECT_EQ(convert<double>({largest}, ElementType::f64).first_bad, 1u);
  EXPECT_EQ(convert<double>({0.0, largest * (1 + 0x1p-24)}, ElementType::f64).first_bad, 1u);
  EXPECT_EQ(convert<double>({-1e300}, ElementType::f64).first_bad, 0u);
}

TEST(ConvertFloats, SaysWhereTheFirstBadValueIs) {
  std::vector<float> values(100, 1.0f);
  values[63] = std::numeric_limits<float>::quiet_NaN();
  values[80] = std::numeric_limits<float>::infinity();

  EXPECT_EQ(convert<float>(values, ElementType::f32).first_bad, 63u);
}

TEST(ConvertFloats, ExactlyTheValuesOfF16FitIt) {
  for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) {
    const float value = half_to_float(static_cast<std::uint16_t>(pattern));
    ASSERT_EQ(fits_f16(std::span(&value, 1)), std::isfinite(value)) << pattern;
    if (!std::isfinite(value)) continue;
    const float next = std::nextafter(value, 1e6f);
    ASSERT_FALSE(fits_f16(std::span(&next, 1))) << pattern;
  }
}

TEST(ConvertFloats, ValuesBeyondF16DoNotFitIt) {
  for (const float value : {65505.0f, 65536.0f, 0x1p-25f, 0x1.8p-24f, 1.0f / 3.0f}) {
    const std::vector<float> values = {1.0f, value};
    EXPECT_FALSE(fits_f16(values)) << value;
  }
}

}  // namespace
}  // namespace espalier::checkpoint
