#include "measure/significance.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "espalier/error.hpp"
#include "tests/measure/golden.hpp"

namespace espalier::measure {
namespace {

TEST(McNemar, AgreesWithStatsmodels) {
  const McNemar few = mcnemar(5, 12);
  const McNemar many = mcnemar(900, 1000);

  EXPECT_NEAR(few.p_exact, golden::kMcnemar5And12, 1e-14);
  EXPECT_NEAR(few.p_mid, golden::kMcnemar5And12 - golden::kPointOf5And12, 1e-14);
  EXPECT_NEAR(many.p_exact, golden::kMcnemar900And1000, 1e-10);
}

TEST(McNemar, ReproducesThePublishedExample) {
  // Bentur et al. in Fagerland et al. 2013: 1 against 7; 2 * 9 / 256, and less 8 / 256.
  const McNemar test = mcnemar(7, 1);

  EXPECT_NEAR(test.p_exact, 0.0703125, 1e-14);
  EXPECT_NEAR(test.p_mid, 0.0390625, 1e-14);
}

TEST(McNemar, FindsNothingInABalance) {
  EXPECT_EQ(mcnemar(6, 6).p_exact, 1.0);
  EXPECT_NEAR(mcnemar(6, 6).p_mid, 1.0 - golden::kPointOf6And6 / 2, 1e-14);
  EXPECT_EQ(mcnemar(0, 0).p_exact, 1.0);
  EXPECT_LE(mcnemar(3, 4).p_exact, 1.0);
}

TEST(McNemar, CountsRowsThatOneModelAloneGetsRight) {
  const std::vector<std::uint8_t> first = {1, 1, 1, 0, 0, 1};
  const std::vector<std::uint8_t> second = {1, 0, 0, 1, 0, 0};

  const McNemar test = mcnemar(first, second);

  EXPECT_EQ(test.only_first, 3u);
  EXPECT_EQ(test.only_second, 1u);
  EXPECT_DOUBLE_EQ(test.p_exact, 2.0 * 5 / 16);
  EXPECT_THROW((void)mcnemar(first, std::span(second).first(2)), Error);
}

TEST(McNemar, StaysFiniteWhereThePowersUnderflow) {
  const McNemar test = mcnemar(0, 5000);

  EXPECT_TRUE(std::isfinite(test.p_exact));
  EXPECT_LT(test.p_exact, 1e-300);
}

TEST(Wilson, AgreesWithStatsmodels) {
  const Interval interval = wilson_interval(786, 872);

  EXPECT_NEAR(interval.low, golden::kWilsonLow, 1e-10);
  EXPECT_NEAR(interval.high, golden::kWilsonHigh, 1e-10);
}

TEST(Wilson, StaysWithinZeroAndAHundred) {
  EXPECT_EQ(wilson_interval(0, 10).low, 0.0);
  EXPECT_GT(wilson_interval(0, 10).high, 20.0);
  EXPECT_NEAR(wilson_interval(10, 10).high, 100.0, 1e-12);
  EXPECT_LE(wilson_interval(10, 10).high, 100.0);
  EXPECT_THROW((void)wilson_interval(0, 0), Error);
  EXPECT_THROW((void)wilson_interval(3, 2), Error);
}

TEST(PairedDifference, AgreesWithTheFormulaWorkedOutByHand) {
  // 7 and 1 of 21 rows: 8/23 and 2/23; 6/23 plus and minus 1.95996 * sqrt((10/23 - 36/529) / 23).
  const Interval interval = paired_difference({.only_first = 7, .only_second = 1}, 21);

  EXPECT_NEAR(interval.low, 1.337982, 1e-6);
  EXPECT_NEAR(interval.high, 50.835931, 1e-6);
}

TEST(PairedDifference, TurnsRoundWithTheModelsAndHoldsZeroInABalance) {
  const Interval interval = paired_difference({.only_first = 9, .only_second = 30}, 872);
  const Interval turned = paired_difference({.only_first = 30, .only_second = 9}, 872);
  const Interval balance = paired_difference({.only_first = 4, .only_second = 4}, 100);

  EXPECT_DOUBLE_EQ(interval.low, -turned.high);
  EXPECT_LT(interval.high, 0);  // 21 rows of 872 are more than chance
  EXPECT_DOUBLE_EQ(balance.low, -balance.high);
}

TEST(PairedDifference, RefusesMoreRowsThanThereAre) {
  EXPECT_THROW((void)paired_difference({}, 0), Error);
  EXPECT_THROW((void)paired_difference({.only_first = 3, .only_second = 2}, 4), Error);
  EXPECT_GE(paired_difference({.only_second = 1}, 1).low, -100.0);
}

}  // namespace
}  // namespace espalier::measure
