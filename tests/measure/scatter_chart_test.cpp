#include "measure/scatter_chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <regex>

namespace espalier::measure {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ScatterPoint point(const std::string& name, double x, double y) {
  return {.name = name, .x = x, .y = y};
}

ScatterChart small_chart() {
  return {.title = "size",
          .x_label = "MB",
          .y_label = "%",
          .kinds = {"ours", "theirs"},
          .points = {point("large", 90, 91), point("small", 10, 90), point("beaten", 50, 89)}};
}

struct Mark {
  double x, y;
  bool hollow;
};

std::vector<Mark> circles(const std::string& svg) {
  std::vector<Mark> marks;
  const std::regex circle("<circle cx=\"([0-9.]+)\" cy=\"([0-9.]+)\" r=\"6.0\" ([^>]*)><title>");
  for (std::sregex_iterator found(svg.begin(), svg.end(), circle), end; found != end; ++found) {
    marks.push_back({std::stod((*found)[1]), std::stod((*found)[2]),
                     (*found)[3].str().find("hollow") != std::string::npos});
  }
  return marks;
}

TEST(ScatterChart, LetsNoPointThatCannotBeDrawnBeatOneThatCan) {
  ScatterChart chart = small_chart();
  chart.points = {point("nowhere", 0, 99), point("a", 10, 5), point("b", 20, 6)};
  chart.x_scale = Scale::log;
  const std::vector<Mark> on_log = circles(scatter_chart_svg(chart));
  chart.x_scale = Scale::linear;
  const std::vector<Mark> on_linear = circles(scatter_chart_svg(chart));

  ASSERT_EQ(on_log.size(), 2U);
  EXPECT_FALSE(on_log[0].hollow || on_log[1].hollow);
  ASSERT_EQ(on_linear.size(), 3U);
  EXPECT_TRUE(on_linear[1].hollow && on_linear[2].hollow);
}

TEST(ScatterChart, PutsLessToTheLeftMoreUpAndBeatenPointsHollow) {
  const std::vector<Mark> marks = circles(scatter_chart_svg(small_chart()));

  ASSERT_EQ(marks.size(), 3U);
  EXPECT_LT(marks[1].x, marks[2].x);
  EXPECT_LT(marks[2].x, marks[0].x);
  EXPECT_LT(marks[0].y, marks[1].y);
  EXPECT_LT(marks[1].y, marks[2].y);
  EXPECT_FALSE(marks[0].hollow);
  EXPECT_FALSE(marks[1].hollow);
  EXPECT_TRUE(marks[2].hollow);
}

TEST(ScatterChart, GivesPowersEqualSpaceOnALogarithmicAxis) {
  ScatterChart chart = small_chart();
  chart.x_scale = Scale::log;
  chart.points = {point("a", 1, 1), point("b", 10, 2), point("c", 100, 3)};

  const std::vector<Mark> marks = circles(scatter_chart_svg(chart));

  ASSERT_EQ(marks.size(), 3U);
  EXPECT_NEAR(marks[1].x - marks[0].x, marks[2].x - marks[1].x, 0.21);
}

TEST(ScatterChart, TellsKindsApartByShape) {
  ScatterChart chart = small_chart();
  chart.points[0].kind = 1;

  const std::string svg = scatter_chart_svg(chart);

  EXPECT_EQ(circles(svg).size(), 2U);
  EXPECT_THAT(svg, HasSubstr(">theirs</text>"));
}

TEST(ScatterChart, DrawsARangeFromItsLowToItsHighEnd) {
  ScatterChart chart = small_chart();
  chart.points = {point("a", 1, 90), point("b", 2, 80)};
  chart.points[0].y_range = ScatterRange{80, 95};

  const std::string svg = scatter_chart_svg(chart);

  const std::vector<Mark> marks = circles(svg);
  std::smatch found;
  ASSERT_TRUE(std::regex_search(
      svg, found,
      std::regex("opacity=\"0.55\" x1=\"([0-9.]+)\" y1=\"([0-9.]+)\" x2=\"[0-9.]+\" "
                 "y2=\"([0-9.]+)\"")));
  EXPECT_NEAR(std::stod(found[1]), marks[0].x, 0.11);
  EXPECT_NEAR(std::stod(found[2]), marks[1].y, 0.11);  // 80, where the other point lies
  EXPECT_LT(std::stod(found[3]), marks[0].y);
}

TEST(ScatterChart, SaysWhereItsValuesStandAndEscapesTexts) {
  ScatterChart chart = small_chart();
  chart.points[0].name = "a<b>&\"c";
  chart.points[0].x_key = "/models/0/\"bytes";
  chart.points[0].y_key = "/models/0/score";

  const std::string svg = scatter_chart_svg(chart);

  EXPECT_THAT(svg,
              HasSubstr("data-x-key=\"/models/0/&quot;bytes\" data-y-key=\"/models/0/score\""));
  EXPECT_THAT(svg, HasSubstr("a&lt;b&gt;&amp;&quot;c"));
  EXPECT_THAT(svg, Not(HasSubstr("a<b>")));
}

TEST(ScatterChart, DrawsNothingButItsFrameWithoutPointsThatHaveAPlace) {
  ScatterChart chart = small_chart();
  for (ScatterPoint& each : chart.points) each.y = std::numeric_limits<double>::infinity();

  const std::string svg = scatter_chart_svg(chart);

  EXPECT_THAT(circles(svg), IsEmpty());
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

}  // namespace
}  // namespace espalier::measure
