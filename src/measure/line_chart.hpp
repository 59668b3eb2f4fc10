// Line charts as SVG files: loss curves, trade-off plots. One picture, no scripts, no fonts of its
// own, light or dark as the viewer's system is. Bars have bar_chart.hpp. Not for areas or more
// than one y axis.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "measure/chart_axis.hpp"

namespace espalier::measure {

/// One line, drawn in the order of its points.
struct ChartSeries {
  std::string name;                               // in the legend; empty: not there
  std::vector<std::pair<double, double>> points;  // x, y
};

struct LineChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  Scale y_scale = Scale::linear;
  std::vector<ChartSeries> series;
};

/// The most points of a series that are drawn.
inline constexpr std::size_t kMaxDrawnPoints = 1000;

/// The chart as an SVG document of 800 x 450 units, the same bytes for the same chart. Points that
/// ChartAxis::is_drawable() refuses in x or in y are skipped and the line goes on behind them. Of a
/// series with more than kMaxDrawnPoints other points, runs of neighbours, all equally long but the
/// last, are drawn as their mean. A series of at most 40 points has them marked. Texts may hold
/// anything: what XML has no place for becomes U+FFFD.
[[nodiscard]] std::string line_chart_svg(const LineChart& chart);

}  // namespace espalier::measure
