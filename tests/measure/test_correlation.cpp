#include "measure/correlation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "espalier/error.hpp"
#include "tests/measure/golden.hpp"

namespace espalier::measure {
namespace {

using Series = std::vector<double>;

TEST(Correlation, AgreesWithScipy) {
  EXPECT_NEAR(pearson(golden::kScores, golden::kPredictedScores).value(), golden::kPearson, 1e-14);
  EXPECT_NEAR(spearman(golden::kScores, golden::kPredictedScores).value(), golden::kSpearman,
              1e-14);
}

TEST(Correlation, SharesRanksAmongTies) {
  EXPECT_THAT(average_ranks(golden::kPredictedScores), ::testing::ElementsAreArray(golden::kRanks));
  EXPECT_THAT(average_ranks(Series{3, 1, 3, 3, 2}), ::testing::ElementsAre(4, 1, 4, 4, 2));
}

TEST(Correlation, OfARisingAndAFallingSeriesIsOneAndMinusOne) {
  const Series rising = {1, 2, 5};

  EXPECT_DOUBLE_EQ(pearson(rising, Series{2, 4, 10}).value(), 1.0);
  EXPECT_DOUBLE_EQ(pearson(rising, Series{-1, -2, -5}).value(), -1.0);
  EXPECT_DOUBLE_EQ(spearman(rising, Series{0, 100, 101}).value(), 1.0);
  EXPECT_LT(pearson(rising, Series{0, 100, 101}).value(), 0.8);
}

TEST(Correlation, IsNotChangedByScaleHoweverLarge) {
  Series huge(golden::kScores.begin(), golden::kScores.end());
  for (double& value : huge) value *= 1e300;

  EXPECT_NEAR(pearson(huge, golden::kPredictedScores).value(), golden::kPearson, 1e-13);
}

TEST(Correlation, OfAConstantSeriesIsNothing) {
  EXPECT_EQ(pearson(Series{0.1, 0.1, 0.1}, Series{1, 2, 3}), std::nullopt);
  EXPECT_EQ(spearman(Series{1, 2, 3}, Series{0, 0, 0}), std::nullopt);
  EXPECT_EQ(pearson(Series{1}, Series{2}), std::nullopt);
}

TEST(Correlation, OverlapIsOfTheLargestMagnitudes) {
  const Series first = {5, -4, 3, 0, 0.1};

  EXPECT_EQ(top_overlap(first, Series{0, 9, 0.5, -8, 0}, 2), 0.5);  // 0 and 1; 1 and 3
  EXPECT_EQ(top_overlap(first, Series{-5, 4, -3, 0, 0}, 3), 1.0);
  EXPECT_EQ(top_overlap(first, Series{0, 0, 0, 2, 2}, 2), 0.0);
  EXPECT_EQ(top_overlap(first, Series{0, 0, 0, 2, 2}, 9), 1.0);  // there are five in all
  EXPECT_THROW((void)top_overlap(first, first, 0), Error);
  EXPECT_THROW((void)top_overlap(first, Series{1}, 1), Error);
}

TEST(Correlation, RefusesSeriesThatCannotBeCompared) {
  EXPECT_THROW((void)pearson(Series{1, 2}, Series{1}), Error);
  EXPECT_THROW((void)pearson(Series{}, Series{}), Error);
  EXPECT_THROW((void)spearman(Series{1, std::nan("")}, Series{1, 2}), Error);
  EXPECT_THROW((void)pearson(Series{1, 2}, Series{1, std::numeric_limits<double>::infinity()}),
               Error);
}

}  // namespace
}  // namespace espalier::measure
