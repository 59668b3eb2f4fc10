// Bar charts as SVG files: named groups of horizontal bars, one below the other. One picture, no
// scripts, no fonts of its own, light or dark as the viewer's system is. Not for stacked bars or a
// logarithmic axis, on which a bar has no beginning.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace espalier::measure {

/// The bars of one name, from above: one a series.
struct BarGroup {
  std::string name;
  std::vector<double> values;
  std::vector<std::string> keys = {};  // where each value stands in a document beside the chart
};

/// A value that all bars are held against: a dashed line across them.
struct BarMark {
  std::string name;
  double value = 0;
};

struct BarChart {
  std::string title;
  std::string x_label = {};
  std::vector<std::string> series = {};  // names, in the legend; an empty one is not there
  std::vector<BarGroup> groups = {};     // from above
  std::optional<BarMark> mark = {};
};

/// The chart as an SVG document 800 units wide and as high as its groups need, the same bytes for
/// the same chart. Bars begin at 0. Values that ChartAxis::is_drawable() refuses, and those that a
/// group lacks, have no bar; a mark like that is not drawn. Each bar says its name and its value
/// when pointed at, and carries its key, where it has one that is not empty, as data-x-key. Texts
/// may hold anything: what XML has no place for becomes U+FFFD.
[[nodiscard]] std::string bar_chart_svg(const BarChart& chart);

}  // namespace espalier::measure
