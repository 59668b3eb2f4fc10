#include "measure/steadiness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

/// 1, 2 ... n.
std::vector<double> counting(int n) {
  std::vector<double> values;
  for (int value = 1; value <= n; ++value) values.push_back(value);
  return values;
}

TEST(Steadiness, CountsWhatLiesFarAboveTheRest) {
  std::vector<double> runs_ms = counting(101);  // quartiles 26 and 76: the fence is 226

  EXPECT_EQ(steadiness(runs_ms).n_outliers, 0U);

  runs_ms[50] = 225;
  runs_ms[51] = 240;
  runs_ms[52] = 1000;
  EXPECT_EQ(steadiness(runs_ms).n_outliers, 2U);
}

TEST(Steadiness, ComparesTheEndWithTheBeginning) {
  EXPECT_NEAR(steadiness(std::vector<double>{2, 2, 2, 9, 9, 9, 3, 3, 3}).drift, 0.5, 1e-12);
  EXPECT_NEAR(steadiness(std::vector<double>{4, 7, 3}).drift, -0.25, 1e-12);
  EXPECT_EQ(steadiness(std::vector<double>{4, 7}).drift, 0);
}

TEST(Steadiness, RefusesNothing) {
  EXPECT_THROW(static_cast<void>(steadiness({})), Error);
  EXPECT_THROW(static_cast<void>(median_interval({})), Error);
}

TEST(MedianInterval, IsOfTheValuesThatConoversTableNames) {
  // n = 100: ranks 40 and 61.
  const MedianInterval interval = median_interval(counting(100));

  EXPECT_EQ(interval.median, 50.5);
  EXPECT_EQ(interval.low, 40);
  EXPECT_EQ(interval.high, 61);
}

TEST(MedianInterval, IsTheWholeRangeOfAFewValues) {
  const MedianInterval interval = median_interval(std::vector<double>{3, 1, 2});

  EXPECT_EQ(interval.median, 2);
  EXPECT_EQ(interval.low, 1);
  EXPECT_EQ(interval.high, 3);
}

TEST(MedianInterval, HoldsTheTrueMedianAsOftenAsItSays) {
  std::mt19937 random(1);
  int n_held = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values;
    for (int value = 0; value < 40; ++value) {
      values.push_back(static_cast<double>(random()) / 4294967296.0);
    }
    const MedianInterval interval = median_interval(values);
    n_held += interval.low <= 0.5 && 0.5 <= interval.high ? 1 : 0;
  }

  EXPECT_GE(n_held, kTrials * 0.945);
  EXPECT_LE(n_held, kTrials * 0.98);
}

TEST(ControlSummary, CallsAMachineSteadyWhoseLoopAlwaysTakesTheSame) {
  const ControlSummary control(std::vector<double>{2.0, 2.01, 1.99, 2.0, 2.02, 2.0});

  EXPECT_EQ(control.latency.n_runs, 6U);
  EXPECT_NEAR(control.spread, 0.0075, 1e-9);
  EXPECT_EQ(control.is_steady(), true);
  EXPECT_EQ(control.verdict(), "the machine was steady");
}

TEST(ControlSummary, FollowsADisturbance) {
  const ControlSummary now_and_then(std::vector<double>{2, 2, 2, 3, 2, 2, 2, 3, 2});
  const ControlSummary from_then_on(std::vector<double>{2, 2, 2, 2.06, 2.06, 2.06});

  EXPECT_DOUBLE_EQ(now_and_then.drift, 0);
  EXPECT_DOUBLE_EQ(now_and_then.spread, 0.5);
  EXPECT_EQ(now_and_then.is_steady(), false);
  EXPECT_NEAR(from_then_on.drift, 0.03, 1e-9);
  EXPECT_LT(from_then_on.spread, 0.05);
  EXPECT_EQ(from_then_on.is_steady(), false);
}

TEST(ControlSummary, DoesNotJudgeByARunOrTwo) {
  EXPECT_EQ(ControlSummary(std::vector<double>{2, 2}).is_steady(), std::nullopt);
  EXPECT_EQ(ControlSummary(std::vector<double>{2, 2, 2}).is_steady(), true);
}

TEST(ControlLoop, TakesTime) {
  EXPECT_GT(control_loop_ms(), 0);
}

}  // namespace
}  // namespace espalier::measure
