#include "measure/chart_axis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace espalier::measure {
namespace {

std::vector<std::string> labels(Scale scale, const std::vector<double>& values,
                                std::size_t n_wanted) {
  std::vector<std::string> labels;
  for (const Tick& tick : ChartAxis(scale, values).ticks(n_wanted)) labels.push_back(tick.label);
  return labels;
}

using ::testing::ElementsAre;

TEST(ChartAxis, MarksMultiplesOfOneTwoAndFive) {
  EXPECT_THAT(labels(Scale::linear, {0, 100}, 6), ElementsAre("0", "20", "40", "60", "80", "100"));
  EXPECT_THAT(labels(Scale::linear, {0.13, 0.29}, 5), ElementsAre("0.15", "0.20", "0.25"));
  EXPECT_THAT(labels(Scale::linear, {-1, 1}, 5), ElementsAre("-1.0", "-0.5", "0.0", "0.5", "1.0"));
  EXPECT_THAT(labels(Scale::linear, {3e8, 1e9}, 5),
              ElementsAre("4e+08", "6e+08", "8e+08", "1e+09"));
}

TEST(ChartAxis, KeepsTheEndsThatAreRound) {
  // 0.3 is not three times 0.1 in binary.
  EXPECT_THAT(labels(Scale::linear, {0, 0.3}, 4), ElementsAre("0.0", "0.1", "0.2", "0.3"));
}

TEST(ChartAxis, NeverMarksMoreThanWanted) {
  for (const double high : {0.001, 0.7, 1.0, 3.3, 9.99, 12345.0, 8.1e12}) {
    for (std::size_t n_wanted = 2; n_wanted < 12; ++n_wanted) {
      for (const Scale scale : {Scale::linear, Scale::log}) {
        const std::vector<double> values = {0.0007, high};
        const std::size_t n_ticks = ChartAxis(scale, values).ticks(n_wanted).size();
        EXPECT_LE(n_ticks, n_wanted) << high;
        if (n_wanted >= 5) {
          EXPECT_GE(n_ticks, 2U) << high;
        }
      }
    }
  }
}

TEST(ChartAxis, MarksPowersOfTenOnALogAxis) {
  EXPECT_THAT(labels(Scale::log, {0.5, 2000}, 7), ElementsAre("1", "10", "100", "1000"));
  EXPECT_THAT(labels(Scale::log, {0.02, 0.3}, 7), ElementsAre("0.02", "0.05", "0.1", "0.2"));
  EXPECT_THAT(labels(Scale::log, {3.1, 3.9}, 5), ElementsAre("3.2", "3.4", "3.6", "3.8"));
  EXPECT_THAT(labels(Scale::log, {1, 1e12}, 5),
              ElementsAre("1", "1000", "1000000", "1e+09", "1e+12"));
}

TEST(ChartAxis, PlacesValuesByTheirScale) {
  const std::vector<double> values = {1, 100};

  EXPECT_DOUBLE_EQ(ChartAxis(Scale::linear, values).place(50.5), 0.5);
  EXPECT_DOUBLE_EQ(ChartAxis(Scale::log, values).place(10), 0.5);
}

TEST(ChartAxis, MakesRoomAroundValuesThatAreAllTheSame) {
  for (const double value : {0.0, 3.0, -7e9, 1e-200, 1e299}) {
    const std::vector<double> values = {value, value};
    EXPECT_NEAR(ChartAxis(Scale::linear, values).place(value), 0.5, 1e-6) << value;
  }
  const std::vector<double> values = {4, 4};
  EXPECT_DOUBLE_EQ(ChartAxis(Scale::log, values).place(4), 0.5);
}

TEST(ChartAxis, LeavesOutWhatHasNoPlace) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> values = {
      -kInfinity, 1, kInfinity, -5, 0, 100, std::numeric_limits<double>::quiet_NaN()};

  EXPECT_DOUBLE_EQ(ChartAxis(Scale::log, values).place(1), 0);
  EXPECT_DOUBLE_EQ(ChartAxis(Scale::log, values).place(100), 1);
  EXPECT_DOUBLE_EQ(ChartAxis(Scale::linear, values).place(-5), 0);
  EXPECT_FALSE(ChartAxis::is_drawable(Scale::log, 0));
  EXPECT_TRUE(ChartAxis::is_drawable(Scale::linear, 0));
}

TEST(ChartNumber, IsWrittenShort) {
  EXPECT_EQ(chart_number(-0.0, 1), "0.0");
  EXPECT_EQ(chart_number(1234.56, 1), "1234.6");
  EXPECT_EQ(chart_number(2e7, 0), "2e+07");
  EXPECT_EQ(chart_number(123456789, 0), "1.23456789e+08");
  EXPECT_EQ(chart_number(1234567, 0), "1234567");
  EXPECT_EQ(chart_number(3e-9, 9), "3e-09");
}

}  // namespace
}  // namespace espalier::measure
