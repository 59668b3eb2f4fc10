#include "measure/latency.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "espalier/error.hpp"
#include "tests/measure/golden.hpp"

namespace espalier::measure {
namespace {

TEST(Latency, AgreesWithNumpy) {
  const LatencySummary summary = summarize(golden::kTimings);

  EXPECT_EQ(summary.n_runs, golden::kTimings.size());
  EXPECT_NEAR(summary.p50_ms, golden::kTimingP50, 1e-12);
  EXPECT_NEAR(summary.p90_ms, golden::kTimingP90, 1e-12);
  EXPECT_NEAR(summary.p95_ms, golden::kTimingP95, 1e-12);
  EXPECT_NEAR(summary.p99_ms, golden::kTimingP99, 1e-12);
  EXPECT_NEAR(summary.mean_ms, golden::kTimingMean, 1e-12);
  EXPECT_NEAR(summary.sd_ms, golden::kTimingSd, 1e-12);
}

TEST(Latency, InterpolatesBetweenNeighbours) {
  const std::vector<double> sorted = {1, 2, 4};

  EXPECT_DOUBLE_EQ(percentile(sorted, 0), 1.0);
  EXPECT_DOUBLE_EQ(percentile(sorted, 25), 1.5);
  EXPECT_DOUBLE_EQ(percentile(sorted, 75), 3.0);
  EXPECT_DOUBLE_EQ(percentile(sorted, 100), 4.0);
}

TEST(Latency, OfOneRunHasNoSpread) {
  const LatencySummary summary = summarize(std::vector<double>{7.5});

  EXPECT_EQ(summary.p50_ms, 7.5);
  EXPECT_EQ(summary.p99_ms, 7.5);
  EXPECT_EQ(summary.min_ms, 7.5);
  EXPECT_EQ(summary.max_ms, 7.5);
  EXPECT_EQ(summary.sd_ms, 0.0);
}

TEST(Latency, RefusesNoRunsAndValuesOutOfRange) {
  EXPECT_THROW((void)summarize({}), Error);
  EXPECT_THROW((void)summarize(std::vector<double>{1, std::nan("")}), Error);
  EXPECT_THROW((void)percentile(std::vector<double>{1}, 101), Error);
  EXPECT_THROW((void)percentile(std::vector<double>{1}, std::nan("")), Error);
}

TEST(Stopwatch, NeverRunsBackwards) {
  const Stopwatch watch;

  const double first_ms = watch.elapsed_ms();

  EXPECT_GE(first_ms, 0.0);
  EXPECT_GE(watch.elapsed_ms(), first_ms);
}

}  // namespace
}  // namespace espalier::measure
