// Scatter charts as SVG files for choosing: less of x and more of y is better, and the points that
// no other point beats in both are joined. One picture, no scripts, no fonts of its own, light or
// dark as the viewer's system is, and told without colour: kinds differ in shape, points off the
// front are hollow.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "measure/chart_axis.hpp"

namespace espalier::measure {

/// Where a value may truly lie: low <= high.
struct ScatterRange {
  double low = 0;
  double high = 0;
};

struct ScatterPoint {
  std::string name;
  double x = 0;
  double y = 0;
  std::optional<ScatterRange> x_range = {};
  std::optional<ScatterRange> y_range = {};
  std::size_t kind = 0;    // index into ScatterChart::kinds
  std::string x_key = {};  // where the value stands in a document beside the chart; empty: nowhere
  std::string y_key = {};
};

struct ScatterChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  Scale x_scale = Scale::linear;
  std::vector<std::string> kinds = {};  // names, in the legend where there are several
  std::vector<ScatterPoint> points = {};
};

/// The chart as an SVG document of 800 x 440 units, the same bytes for the same chart. Points that
/// ChartAxis::is_drawable() refuses are not drawn; ranges like that are left out. A drawn point
/// carries data-x-key and data-y-key, and says its values when pointed at. Texts may hold anything:
/// what XML has no place for becomes U+FFFD.
[[nodiscard]] std::string scatter_chart_svg(const ScatterChart& chart);

}  // namespace espalier::measure
