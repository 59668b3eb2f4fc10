#include "measure/bar_chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <locale>
#include <regex>

namespace espalier::measure {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Bar {
  double x, y, width;
  std::string fill, title;
};

std::vector<Bar> drawn_bars(const std::string& svg) {
  std::vector<Bar> bars;
  const std::regex bar(
      "<rect x=\"([0-9.]+)\" y=\"([0-9.]+)\" width=\"([0-9.]+)\" height=\"8.0\" "
      "fill=\"(#[0-9a-f]{6})\"><title>([^<]*)</title></rect>");
  for (std::sregex_iterator found(svg.begin(), svg.end(), bar), end; found != end; ++found) {
    bars.push_back({std::stod((*found)[1]), std::stod((*found)[2]), std::stod((*found)[3]),
                    (*found)[4], (*found)[5]});
  }
  return bars;
}

double height_of(const std::string& svg) {
  std::smatch found;
  std::regex_search(svg, found, std::regex(" height=\"([0-9.]+)\" role"));
  return std::stod(found[1]);
}

BarChart small_chart() {
  return {.title = "cost",
          .x_label = "nats",
          .series = {"alone", "rest"},
          .groups = {{"first", {4, 1}}, {"second", {2, 3}}},
          .mark = BarMark{"all", 2.5}};
}

TEST(BarChart, DrawsLengthsInProportionFromOneBeginning) {
  const std::vector<Bar> bars = drawn_bars(bar_chart_svg(small_chart()));

  ASSERT_EQ(bars.size(), 4U);
  const double unit = bars[0].width / 4;
  EXPECT_NEAR(bars[1].width, unit, 0.11);
  EXPECT_NEAR(bars[2].width, 2 * unit, 0.11);
  EXPECT_NEAR(bars[3].width, 3 * unit, 0.11);
  for (const Bar& bar : bars) EXPECT_EQ(bar.x, bars[0].x);
}

TEST(BarChart, CarriesTheKeysThatThereAre) {
  BarChart chart = small_chart();
  chart.groups[1].keys = {"/parts/0/\"a\"", ""};
  const std::string svg = bar_chart_svg(chart);

  EXPECT_THAT(svg, HasSubstr(" data-x-key=\"/parts/0/&quot;a&quot;\"><title>second, alone: 2<"));
  EXPECT_EQ(svg.find("data-x-key"), svg.rfind("data-x-key"));
}

TEST(BarChart, PutsGroupsBelowEachOtherAndSeriesWithin) {
  const std::vector<Bar> bars = drawn_bars(bar_chart_svg(small_chart()));

  ASSERT_EQ(bars.size(), 4U);
  for (std::size_t bar = 1; bar < bars.size(); ++bar) EXPECT_GT(bars[bar].y, bars[bar - 1].y);
  EXPECT_GT(bars[2].y - bars[1].y, bars[1].y - bars[0].y);
  EXPECT_EQ(bars[0].fill, bars[2].fill);
  EXPECT_NE(bars[0].fill, bars[1].fill);
  EXPECT_EQ(bars[3].title, "second, rest: 3");
}

TEST(BarChart, LetsNegativeBarsGoToTheOtherSide) {
  BarChart chart = small_chart();
  chart.groups = {{"", {2, -1}}};

  const std::vector<Bar> bars = drawn_bars(bar_chart_svg(chart));

  ASSERT_EQ(bars.size(), 2U);
  EXPECT_NEAR(bars[1].x + bars[1].width, bars[0].x, 0.11);
  EXPECT_NEAR(bars[1].width, bars[0].width / 2, 0.11);
}

TEST(BarChart, DrawsTheMarkWhereItsValueIs) {
  const std::string svg = bar_chart_svg(small_chart());

  std::smatch found;
  ASSERT_TRUE(std::regex_search(
      svg, found,
      std::regex("stroke-dasharray=\"5 4\" x1=\"([0-9.]+)\" y1=\"[0-9.]+\" x2=\"\\1\"")));
  const std::vector<Bar> bars = drawn_bars(svg);
  EXPECT_NEAR(std::stod(found[1]), bars[0].x + bars[0].width * 2.5 / 4, 0.2);
}

TEST(BarChart, LeavesOutWhatCannotBeDrawn) {
  BarChart chart = small_chart();
  chart.groups = {{"a", {1, std::numeric_limits<double>::quiet_NaN()}}, {"b", {2}}, {"c", {}}};
  chart.mark = BarMark{"all", std::numeric_limits<double>::infinity()};

  const std::string svg = bar_chart_svg(chart);

  EXPECT_EQ(drawn_bars(svg).size(), 2U);
  EXPECT_THAT(svg, Not(HasSubstr("stroke-dasharray")));
  EXPECT_THAT(svg, HasSubstr(">c</text>"));
}

TEST(BarChart, GrowsWithItsGroupsAndStaysInsideThePicture) {
  BarChart chart = small_chart();
  chart.groups.assign(200, {std::string(100, 'n'), {1e12, 1e-12}});
  chart.series[0] = std::string(200, 's');

  const std::string svg = bar_chart_svg(chart);

  const std::vector<Bar> bars = drawn_bars(svg);
  ASSERT_EQ(bars.size(), 400U);
  EXPECT_GT(height_of(svg), height_of(bar_chart_svg(small_chart())));
  for (const Bar& bar : bars) {
    EXPECT_LT(bar.x + bar.width, 800);
    EXPECT_LT(bar.y + 8, height_of(svg));
  }
  EXPECT_GE(bars[0].width, 59);
  EXPECT_THAT(svg, HasSubstr(">" + std::string(39, 'n') + "…</text>"));
}

TEST(BarChart, NamesEverything) {
  const std::string svg = bar_chart_svg(small_chart());

  for (const std::string text :
       {"cost", "nats", "alone", "rest", "first", "second", "all", "0", "4"}) {
    EXPECT_THAT(svg, HasSubstr(">" + text + "</text>"));
  }
}

TEST(BarChart, WritesANameBesideItsBars) {
  const std::string svg = bar_chart_svg(small_chart());

  std::smatch found;
  ASSERT_TRUE(std::regex_search(
      svg, found,
      std::regex("<text x=\"([0-9.]+)\" y=\"([0-9.]+)\" text-anchor=\"end\">second</text>")));
  const std::vector<Bar> bars = drawn_bars(svg);
  EXPECT_LT(std::stod(found[1]), bars[2].x);
  EXPECT_GT(std::stod(found[2]), bars[2].y);
  EXPECT_LT(std::stod(found[2]), bars[3].y + 9);
}

TEST(BarChart, EscapesWhatMarkupIsMadeOf) {
  BarChart chart = small_chart();
  chart.groups[0].name = "a<b & \"c\"";

  const std::string svg = bar_chart_svg(chart);

  EXPECT_THAT(svg, HasSubstr("<title>a&lt;b &amp; &quot;c&quot;, alone: 4</title>"));
  EXPECT_THAT(svg, HasSubstr(">a&lt;b &amp; &quot;c&quot;</text>"));
}

TEST(BarChart, IsAPictureWithoutBarsToo) {
  const std::string svg = bar_chart_svg({.title = "nothing yet"});

  EXPECT_THAT(svg, HasSubstr("nothing yet"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

TEST(BarChart, BeginsAtTheLeftWhenAllBarsAreZero) {
  BarChart chart = small_chart();
  chart.groups = {{"a", {0, 0}}};
  chart.mark.reset();

  const std::string svg = bar_chart_svg(chart);

  const std::vector<Bar> bars = drawn_bars(svg);
  ASSERT_EQ(bars.size(), 2U);
  EXPECT_LT(bars[0].x, 100);
  EXPECT_EQ(bars[0].width, 0);
}

// As a German writes numbers.
struct CommaPoint : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
};

TEST(BarChart, DoesNotAskTheLocaleHowNumbersAreWritten) {
  BarChart chart = small_chart();
  chart.groups[0].values = {0.25, 1234.5};
  const std::string expected = bar_chart_svg(chart);

  const std::locale before = std::locale::global(std::locale(std::locale(), new CommaPoint));
  const std::string svg = bar_chart_svg(chart);
  std::locale::global(before);

  EXPECT_EQ(svg, expected);
}

}  // namespace
}  // namespace espalier::measure
