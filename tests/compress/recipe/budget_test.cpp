// The arithmetic of a budget, against numbers worked out by hand or by SciPy.
#include "compress/recipe/budget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "espalier/error.hpp"

namespace espalier::recipe {
namespace {

using ::testing::HasSubstr;

// `n_rows` answers, the first `n_wrong` of them wrong.
Judged judged(std::size_t n_rows, std::size_t n_wrong, std::size_t from = 0) {
  Judged result{
      .metric = "accuracy",
      .score = 100.0 * static_cast<double>(n_rows - n_wrong) / static_cast<double>(n_rows),
      .n_rows = n_rows,
      .right = std::vector<std::uint8_t>(n_rows, 1)};
  for (std::size_t row = from; row < from + n_wrong; ++row) result.right[row] = 0;
  return result;
}

TEST(NormalQuantile, IsSciPys) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-12);
  EXPECT_NEAR(normal_quantile(0.95), 1.6448536269514722, 1e-12);
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-12);
  EXPECT_NEAR(normal_quantile(0.005), -2.575829303548901, 1e-12);
}

TEST(Drop, IsBeforeLessAfterInPoints) {
  // 10 wrong rows before; 14 after, 6 of them the same: 4 became right, 8 wrong.
  const Drop drop = drop_between(judged(200, 10), judged(200, 14, 4), 0.95);

  EXPECT_NEAR(drop.points(), 2, 1e-12);
  EXPECT_EQ(drop.test->only_first, 8U);
  EXPECT_EQ(drop.test->only_second, 4U);
  // p1 = 9/202, p2 = 5/202; 1.959964 * sqrt((p1 + p2 - (p1 - p2)^2) / 202)
  EXPECT_NEAR(drop.interval->low, -1.6399697, 1e-6);
  EXPECT_NEAR(drop.interval->high, 5.6003658, 1e-6);
}

Judged with_slices(std::size_t n_wrong_of_all, std::size_t n_wrong_of_few) {
  Judged all = judged(1000, n_wrong_of_all);
  all.slices = {judged(900, 10), judged(20, n_wrong_of_few)};
  all.slices[0].slice = "length=long";
  all.slices[1].slice = "length=short";
  return all;
}

TEST(Drop, OfSlicesIsTheWorstFirstAndCountsByItself) {
  const Drop drop = drop_between(with_slices(10, 1), with_slices(12, 3), 0.95);

  ASSERT_EQ(drop.slices.size(), 2U);
  EXPECT_EQ(drop.slices[0].slice, "length=short");
  EXPECT_NEAR(drop.slices[0].points(), 10, 1e-12);
  EXPECT_NEAR(drop.slices[1].points(), 0, 1e-12);
  EXPECT_GT(drop.slices[0].interval->high, 25);  // 20 rows are few
  EXPECT_TRUE(keeps_budget(drop, {.max_drop = 0.5}));
  EXPECT_TRUE(keeps_budget(drop, {.max_drop = 0.5, .max_slice_drop = 10}));
  EXPECT_FALSE(keeps_budget(drop, {.max_slice_drop = 9.9}));
  EXPECT_FALSE(keeps_budget(drop, {.max_slice_drop = 20, .confidence = 0.95}));
  EXPECT_THAT(drop_text(drop), HasSubstr("; worst slice 'length=short': accuracy 95.00 to 85.00, "
                                         "drop 10.00 points"));
}

TEST(Drop, LeavesOutSlicesThatOneModelAloneHas) {
  Judged after = with_slices(10, 1);
  after.slices.pop_back();

  EXPECT_EQ(drop_between(with_slices(10, 1), after, 0.95).slices.size(), 1U);
}

TEST(Drop, HasNoIntervalWithoutRowsThatAreRight) {
  Judged before = judged(50, 0);
  Judged after = judged(50, 0);
  before.right.clear();
  after.right.clear();
  after.score = 99.5;

  const Drop drop = drop_between(before, after, 0.95);

  EXPECT_FALSE(drop.interval);
  EXPECT_EQ(decisive_points(drop, {.max_drop = 1, .confidence = 0.95}), drop.points());
}

TEST(Drop, IsOfTheSameRowsOnly) {
  EXPECT_THROW((void)drop_between(judged(50, 0), judged(51, 0), 0.95), Error);
}

TEST(Budget, IsKeptByADropOfExactlyIt) {
  const Drop drop = drop_between(judged(1000, 100), judged(1000, 105), 0.95);

  EXPECT_TRUE(keeps_budget(drop, {.max_drop = 0.5}));
  EXPECT_FALSE(keeps_budget(drop, {.max_drop = 0.49}));
  EXPECT_TRUE(keeps_budget(drop, {}));
}

TEST(Budget, IsDecidedByTheUpperEndWithAConfidence) {
  const Drop drop = drop_between(judged(1000, 100), judged(1000, 105), 0.95);

  // p1 = 6/1002, p2 = 1/1002: 0.499002 + 1.959964 * 0.263560 points
  EXPECT_NEAR(decisive_points(drop, {.max_drop = 1, .confidence = 0.95}), 1.0156016, 1e-6);
  EXPECT_FALSE(keeps_budget(drop, {.max_drop = 1, .confidence = 0.95}));
  EXPECT_TRUE(keeps_budget(drop, {.max_drop = 1.02, .confidence = 0.95}));
}

TEST(Budget, CanBeZero) {
  EXPECT_TRUE(keeps_budget(drop_between(judged(100, 5), judged(100, 5), 0.95), {.max_drop = 0}));
  EXPECT_FALSE(keeps_budget(drop_between(judged(100, 5), judged(100, 6), 0.95), {.max_drop = 0}));
}

TEST(RowsNeeded, AreThoseOfWhichOneWeighsTheBudget) {
  EXPECT_EQ(rows_needed(0.5, std::nullopt), 200U);
  EXPECT_EQ(rows_needed(0.1, std::nullopt), 1000U);
  EXPECT_EQ(rows_needed(0.3, std::nullopt), 334U);
}

TEST(RowsNeeded, WithAConfidenceKeepTheIntervalOfNoChangeWithinTheBudget) {
  const std::size_t n_rows = rows_needed(0.5, 0.95);

  EXPECT_EQ(n_rows, 553U);  // ceil(100 * 1.959964 * sqrt(2) / 0.5 - 2)
  const measure::McNemar no_change = measure::mcnemar(0, 0);
  EXPECT_LE(measure::paired_difference(no_change, n_rows).high, 0.5);
  EXPECT_GT(measure::paired_difference(no_change, n_rows - 1).high, 0.5);
}

TEST(TooFewRows, AreSaidWithWhatOneWeighsAndHowManyItTakes) {
  EXPECT_EQ(too_few_rows(290, {.max_drop = 0.1}),
            "one of the 290 rows that decide weighs 0.34 points, more than the budget of 0.10; to "
            "tell it takes 1000 rows");
  EXPECT_THAT(too_few_rows(300, {.max_drop = 0.5, .confidence = 0.95}),
              HasSubstr("confidence of 95 %; it takes 553 even where no answer changes"));
  EXPECT_EQ(too_few_rows(200, {.max_drop = 0.5}), "");
  EXPECT_EQ(too_few_rows(3, {}), "");
  EXPECT_EQ(too_few_rows(3, {.max_drop = 0}), "");
}

TEST(DropText, SaysScoresIntervalAndTest) {
  EXPECT_EQ(drop_text(drop_between(judged(1000, 100), judged(1000, 105), 0.95)),
            "accuracy 90.00 to 89.50, drop 0.50 points (95 %: -0.02 to 1.02), 5 answers became "
            "wrong, 0 right, McNemar p 0.062, on 1000 rows");
}

}  // namespace
}  // namespace espalier::recipe
