#include "measure/line_chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <locale>
#include <regex>
#include <sstream>

namespace espalier::measure {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Points = std::vector<std::pair<double, double>>;

// The points of each polyline, in units of the picture.
std::vector<Points> drawn_lines(const std::string& svg) {
  std::vector<Points> lines;
  const std::string attribute =
      " points=\"";  // no regular expression: std::regex recurses once a letter
  for (std::size_t at = 0; (at = svg.find("<polyline ", at)) != std::string::npos;) {
    const std::size_t begin = svg.find(attribute, at) + attribute.size();
    at = svg.find('"', begin);
    std::istringstream numbers(svg.substr(begin, at - begin));
    Points points;
    double x = 0;
    double y = 0;
    char comma = 0;
    while (numbers >> x >> comma >> y) points.emplace_back(x, y);
    lines.push_back(points);
  }
  return lines;
}

std::size_t count(const std::string& svg, const std::string& what) {
  std::size_t n_found = 0;
  for (std::size_t at = svg.find(what); at != std::string::npos; at = svg.find(what, at + 1)) {
    ++n_found;
  }
  return n_found;
}

LineChart small_chart() {
  return {.title = "loss",
          .x_label = "step",
          .y_label = "nats",
          .series = {{.name = "train", .points = {{0, 1}, {10, 3}, {20, 2}}},
                     {.name = "eval", .points = {{0, 2}, {20, 2}}}}};
}

TEST(LineChart, PutsThePointsWhereTheAxesSay) {
  const std::vector<Points> lines = drawn_lines(line_chart_svg(small_chart()));

  ASSERT_EQ(lines.size(), 2U);
  const Points& train = lines[0];
  ASSERT_EQ(train.size(), 3U);
  // The middle of the x axis; the top and, half the height below, the middle of the y axis.
  EXPECT_NEAR(train[1].first, (train[0].first + train[2].first) / 2, 0.11);
  EXPECT_NEAR(train[2].second, (train[0].second + train[1].second) / 2, 0.11);
  EXPECT_LT(train[1].second, train[0].second);
  EXPECT_EQ(lines[1][0], (std::pair{train[0].first, train[2].second}));
}

TEST(LineChart, StaysInsideThePicture) {
  LineChart chart = small_chart();
  chart.series.clear();
  for (std::size_t index = 0; index < 60; ++index) {  // a legend of more lines than there is room
    chart.series.push_back(
        {.name = "series number " + std::to_string(index), .points = {{0, 1e12}, {1e6, -1e12}}});
  }

  for (const Points& line : drawn_lines(line_chart_svg(chart))) {
    for (const auto& point : line) {
      EXPECT_GT(point.first, 0);
      EXPECT_LT(point.first, 800);
      EXPECT_GT(point.second, 0);
      EXPECT_LT(point.second, 450);
    }
    EXPECT_GE(line[1].second - line[0].second, 59);
  }
}

TEST(LineChart, SkipsPointsThatAreNotFinite) {
  LineChart chart = small_chart();
  Points& points = chart.series[0].points;
  points.insert(points.begin() + 1, {5, std::numeric_limits<double>::quiet_NaN()});
  points.emplace_back(std::numeric_limits<double>::infinity(), 1);

  EXPECT_EQ(line_chart_svg(chart), line_chart_svg(small_chart()));
}

TEST(LineChart, SkipsWhatHasNoLogarithmOnALogAxis) {
  LineChart chart = small_chart();
  chart.y_scale = Scale::log;
  chart.series = {{.name = "", .points = {{0, 1}, {1, 0}, {2, 10}, {3, -4}, {4, 100}}}};

  const std::vector<Points> lines = drawn_lines(line_chart_svg(chart));

  ASSERT_EQ(lines[0].size(), 3U);
  EXPECT_NEAR(lines[0][1].second, (lines[0][0].second + lines[0][2].second) / 2, 0.11);
}

TEST(LineChart, DrawsTheMeansOfLongSeries) {
  LineChart chart = small_chart();
  chart.series = {{.name = "", .points = {}}};
  for (int step = 0; step < 2500; ++step) {  // 833 runs of three and a last point
    chart.series[0].points.emplace_back(step, step % 3);
  }

  const std::vector<Points> lines = drawn_lines(line_chart_svg(chart));

  ASSERT_EQ(lines[0].size(), 834U);
  for (std::size_t index = 0; index < 833; ++index) {
    EXPECT_EQ(lines[0][index].second, lines[0][0].second) << index;  // each the mean of 0, 1, 2
  }
  EXPECT_GT(lines[0][833].second, lines[0][0].second);  // 2499 % 3 is 0
}

TEST(LineChart, DrawsAThousandPointsAsTheyAre) {
  LineChart chart = small_chart();
  chart.series = {{.name = "", .points = {}}};
  for (int step = 0; step < 1000; ++step) chart.series[0].points.emplace_back(step, step % 2);

  EXPECT_EQ(drawn_lines(line_chart_svg(chart))[0].size(), 1000U);
}

TEST(LineChart, MarksThePointsOfShortSeriesOnly) {
  LineChart chart = small_chart();
  chart.series = {{.name = "", .points = Points(40, {1, 1})}};
  EXPECT_EQ(count(line_chart_svg(chart), "<circle"), 40U);

  chart.series[0].points.emplace_back(1, 1);
  EXPECT_EQ(count(line_chart_svg(chart), "<circle"), 0U);
}

TEST(LineChart, NamesItsSeriesTitleAndAxes) {
  const std::string svg = line_chart_svg(small_chart());

  for (const std::string text : {"loss", "step", "nats", "train", "eval"}) {
    EXPECT_THAT(svg, HasSubstr(">" + text + "</text>"));
  }
}

TEST(LineChart, EscapesWhatMarkupIsMadeOf) {
  LineChart chart = small_chart();
  chart.title = "a<b & \"c\">\x01\xff\xEF\xBF\xBF";

  const std::string svg = line_chart_svg(chart);

  EXPECT_THAT(
      svg,
      HasSubstr(
          "<title>a&lt;b &amp; &quot;c&quot;&gt;\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD</title>"));
}

TEST(LineChart, CutsNamesThatWouldFillTheLegend) {
  LineChart chart = small_chart();
  chart.series[0].name = std::string(100, 'n') + "end";

  const std::string svg = line_chart_svg(chart);

  EXPECT_THAT(svg, HasSubstr(">" + std::string(59, 'n') + "…</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("end<")));
}

TEST(LineChart, IsAPictureWithoutPointsToo) {
  LineChart chart = small_chart();
  chart.series = {{.name = "nothing yet", .points = {}}};

  const std::string svg = line_chart_svg(chart);

  EXPECT_THAT(svg, HasSubstr("nothing yet"));
  EXPECT_TRUE(drawn_lines(svg).empty());
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

TEST(LineChart, TellsManySeriesApart) {
  LineChart chart = small_chart();
  chart.series.assign(24, {.name = "", .points = {{0, 0}, {1, 1}}});

  const std::string svg = line_chart_svg(chart);

  std::vector<std::string> styles;
  const std::regex style("<polyline fill=\"none\" (stroke=.*) stroke-width");
  for (std::sregex_iterator found(svg.begin(), svg.end(), style), end; found != end; ++found) {
    styles.push_back((*found)[1].str());
  }
  EXPECT_EQ(styles.size(), 24U);
  std::sort(styles.begin(), styles.end());
  EXPECT_EQ(std::unique(styles.begin(), styles.end()), styles.end());
}

// As a German writes numbers.
struct CommaPoint : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(LineChart, DoesNotAskTheLocaleHowNumbersAreWritten) {
  LineChart chart = small_chart();
  chart.series[0].points.emplace_back(12345.5, 0.25);
  const std::string expected = line_chart_svg(chart);

  const std::locale before = std::locale::global(std::locale(std::locale(), new CommaPoint));
  const std::string svg = line_chart_svg(chart);
  std::locale::global(before);

  EXPECT_EQ(svg, expected);
}

// WCAG 2.1, relative luminance.
double luminance(const std::string& colour) {
  double sum = 0;
  constexpr double kWeights[] = {0.2126, 0.7152, 0.0722};
  for (std::size_t part = 0; part < 3; ++part) {
    const double value = std::stoi(colour.substr(1 + 2 * part, 2), nullptr, 16) / 255.0;
    sum += kWeights[part] *
           (value <= 0.03928 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4));
  }
  return sum;
}

TEST(LineChart, HasLinesThatStandOutInLightAndInDark) {
  LineChart chart = small_chart();
  chart.series.assign(8, {.name = "", .points = {{0, 0}, {1, 1}}});
  const std::string svg = line_chart_svg(chart);
  std::vector<double> backgrounds;
  const std::regex back("\\.back\\{fill:(#[0-9a-f]{6})\\}");
  for (std::sregex_iterator found(svg.begin(), svg.end(), back), end; found != end; ++found) {
    backgrounds.push_back(luminance((*found)[1].str()));
  }
  ASSERT_EQ(backgrounds.size(), 2U);
  ASSERT_GT(backgrounds[0], backgrounds[1]);

  const std::regex stroke("<polyline fill=\"none\" stroke=\"(#[0-9a-f]{6})\"");
  for (std::sregex_iterator found(svg.begin(), svg.end(), stroke), end; found != end; ++found) {
    const double line = luminance((*found)[1].str());
    EXPECT_GE((backgrounds[0] + 0.05) / (line + 0.05), 3) << (*found)[1];
    EXPECT_GE((line + 0.05) / (backgrounds[1] + 0.05), 3) << (*found)[1];
  }
}

}  // namespace
}  // namespace espalier::measure
