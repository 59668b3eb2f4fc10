// Scales and codes of rows, at eight bits and at four, with both roundings: bounds, the search
// against a plain one, and rows that are hard.
#include "compress/export/round_weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/canonical.hpp"
#include "format/spec.hpp"

namespace espalier::compress {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

// About normal, seeded, the same everywhere: sums of four uniforms.
std::vector<float> random_row(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> row(n);
  for (float& weight : row) {
    std::int64_t sum = 0;
    for (int term = 0; term < 4; ++term) sum += static_cast<std::int32_t>(random());
    weight = static_cast<float>(sum) * 0x1p-37F;
  }
  return row;
}

struct FourBits {
  float scale = 0;
  std::vector<std::int8_t> codes;
  std::vector<std::int8_t> multipliers;

  [[nodiscard]] double step(std::size_t i, std::uint32_t group) const {
    return multipliers[i / group] * double{scale};
  }
};

FourBits four_bits(const std::vector<float>& row, std::uint32_t group, Rounding rounding) {
  FourBits result;
  result.codes.resize(row.size());
  result.multipliers.resize(format::n_groups(static_cast<std::uint32_t>(row.size()), group));
  result.scale = round_row_to_four_bits(row, group, rounding, result.codes, result.multipliers);
  return result;
}

double squared_error(const std::vector<float>& row, const FourBits& coded, std::uint32_t group) {
  double sum = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    sum += std::pow(coded.codes[i] * coded.step(i, group) - double{row[i]}, 2);
  }
  return sum;
}

double squared_error(const std::vector<float>& row, const std::vector<std::int8_t>& codes,
                     float scale) {
  double sum = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    sum += std::pow(codes[i] * double{scale} - double{row[i]}, 2);
  }
  return sum;
}

TEST(RoundRow, WithAbsmaxIsTheCanonicalCoding) {
  const std::vector<float> row = random_row(77, 1);
  std::vector<std::int8_t> codes(row.size());
  std::vector<std::int8_t> expected(row.size());

  EXPECT_EQ(round_row(row, Rounding::absmax, codes), canonical::quantize_row(row, expected));
  EXPECT_EQ(codes, expected);
}

TEST(RoundRow, WithMseComesCloserWhereOneWeightIsFarOut) {
  std::vector<float> row = random_row(3000, 2);
  row[7] = 0.26F;  // twice the largest of the others
  std::vector<std::int8_t> codes(row.size());

  const float covering = round_row(row, Rounding::absmax, codes);
  const double absmax_error = squared_error(row, codes, covering);
  const float scale = round_row(row, Rounding::mse, codes);

  EXPECT_LT(scale, covering);
  EXPECT_LT(squared_error(row, codes, scale), 0.995 * absmax_error);
  EXPECT_EQ(codes[7], 127);
}

TEST(RoundRow, WithMseClipsNothingThatIsCheaperToKeep) {
  // Every weight at the top: any smaller scale clips all of them.
  const std::vector<float> row(64, -0.5F);
  std::vector<std::int8_t> codes(row.size());

  EXPECT_EQ(round_row(row, Rounding::mse, codes), 0.5F / 127);
  EXPECT_THAT(codes, Each(-127));
}

TEST(RoundRow, OfZerosHasNoScale) {
  for (const Rounding rounding : {Rounding::absmax, Rounding::mse}) {
    std::vector<std::int8_t> codes(40, 1);
    EXPECT_EQ(round_row(std::vector<float>(40), rounding, codes), 0);
    EXPECT_THAT(codes, Each(0));
  }
}

class FourBitRows : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(FourBitRows, WithAbsmaxComeBackWithinHalfAStep) {
  const std::uint32_t group = GetParam();
  for (const std::size_t cols : {1U, 31U, 64U, 77U, 300U}) {
    const std::vector<float> row = random_row(cols, static_cast<unsigned>(cols));

    const FourBits coded = four_bits(row, group, Rounding::absmax);

    for (std::size_t i = 0; i < row.size(); ++i) {
      // The quotient and top / 126 are rounded: 7 * 2^-22 of a step at most.
      EXPECT_LE(std::abs(coded.codes[i] * coded.step(i, group) - double{row[i]}),
                coded.step(i, group) * (0.5 + 7 * 0x1p-22))
          << cols << " " << i;
      EXPECT_LE(std::abs(coded.codes[i]), 7);
    }
  }
}

TEST_P(FourBitRows, GiveEachGroupTheLeastMultiplierThatClipsNothing) {
  const std::uint32_t group = GetParam();
  const std::vector<float> row = random_row(300, 4);

  const FourBits coded = four_bits(row, group, Rounding::absmax);

  for (std::size_t index = 0; index < coded.multipliers.size(); ++index) {
    const std::size_t end = std::min<std::size_t>(row.size(), (index + 1) * group);
    double top = 0;
    for (std::size_t i = index * group; i < end; ++i) top = std::max(top, std::abs(double{row[i]}));
    const int multiplier = coded.multipliers[index];
    EXPECT_LE(top, 7.0001 * multiplier * double{coded.scale}) << index;
    if (multiplier > 1) {
      EXPECT_GT(top, 6.9999 * (multiplier - 1) * double{coded.scale}) << index;
    }
  }
  EXPECT_EQ(*std::max_element(coded.multipliers.begin(), coded.multipliers.end()), 18);
}

TEST_P(FourBitRows, WithMseAreAsCloseAsAPlainSearchFinds) {
  const std::uint32_t group = GetParam();
  const std::vector<float> row = random_row(150, 5);
  const FourBits absmax = four_bits(row, group, Rounding::absmax);

  const FourBits coded = four_bits(row, group, Rounding::mse);

  double least = 1e30;
  FourBits tried = absmax;
  for (int part = 0; part < 20; ++part) {
    tried.scale = absmax.scale * (1 - static_cast<float>(part) / 40);
    double sum = 0;
    for (std::size_t first = 0; first < row.size(); first += group) {
      double best = 1e30;
      for (int multiplier = 1; multiplier <= 18; ++multiplier) {
        const double step = multiplier * double{tried.scale};
        double error = 0;
        for (std::size_t i = first; i < std::min<std::size_t>(row.size(), first + group); ++i) {
          const double code = std::nearbyint(std::clamp(double{row[i]} / step, -7.0, 7.0));
          error += std::pow(code * step - double{row[i]}, 2);
        }
        best = std::min(best, error);
      }
      sum += best;
    }
    least = std::min(least, sum);
  }
  EXPECT_NEAR(squared_error(row, coded, group), least, least * 1e-4);
  EXPECT_LT(squared_error(row, coded, group), 0.97 * squared_error(row, absmax, group));
}

INSTANTIATE_TEST_SUITE_P(Groups, FourBitRows, ::testing::Values(32, 64, 128),
                         ::testing::PrintToStringParamName());

TEST(FourBitSteps, OfAGroupOfZerosAreTheLeast) {
  std::vector<float> row = random_row(96, 6);
  std::fill(row.begin() + 32, row.begin() + 64, 0.0F);

  for (const Rounding rounding : {Rounding::absmax, Rounding::mse}) {
    const FourBits coded = four_bits(row, 32, rounding);

    EXPECT_EQ(coded.multipliers[1], 1);
    EXPECT_GT(coded.multipliers[0], 1);
    EXPECT_THAT(std::vector<std::int8_t>(coded.codes.begin() + 32, coded.codes.begin() + 64),
                Each(0));
  }
}

TEST(FourBitSteps, OfARowOfZerosHaveNoScale) {
  for (const float value : {0.0F, 1e-38F}) {
    for (const Rounding rounding : {Rounding::absmax, Rounding::mse}) {
      const FourBits coded = four_bits(std::vector<float>(70, value), 64, rounding);

      EXPECT_EQ(coded.scale, 0);
      EXPECT_THAT(coded.multipliers, ElementsAre(1, 1));
      EXPECT_THAT(coded.codes, Each(0));
    }
  }
}

TEST(FourBitCode, IsTheNearestHalfToEvenAndWithinSeven) {
  EXPECT_EQ(four_bit_code(0.5F, 1), 0);
  EXPECT_EQ(four_bit_code(1.5F, 1), 2);
  EXPECT_EQ(four_bit_code(-2.5F, 1), -2);
  EXPECT_EQ(four_bit_code(-2.6F, 1), -3);
  EXPECT_EQ(four_bit_code(100, 1), 7);
  EXPECT_EQ(four_bit_code(-100, 1), -7);
  EXPECT_EQ(four_bit_code(3, 0), 0);
}

}  // namespace
}  // namespace espalier::compress
