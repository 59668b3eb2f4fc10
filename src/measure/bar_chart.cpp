#include "measure/bar_chart.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "measure/chart_axis.hpp"
#include "measure/svg.hpp"

namespace espalier::measure {
namespace {

constexpr double kWidth = 800;
constexpr double kBar = 9;        // thickness
constexpr double kBetween = 8;    // groups
constexpr double kLeastBar = 60;  // units that names leave to the bars
constexpr double kSwatch = 14;
constexpr std::size_t kMaxNameColumns = 40;
constexpr std::string_view kMarkStyle =
    "class=\"axis\" stroke-width=\"1.5\" stroke-dasharray=\"5 4\"";

/// Four digits that mean something, whatever the locale.
std::string value_text(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general,
                                 /*precision=*/4);
  return {digits, end.ptr};
}

bool is_drawable(double value) {
  return ChartAxis::is_drawable(Scale::linear, value);
}

std::vector<double> drawn_values(const BarChart& chart) {
  std::vector<double> values = {0};
  for (const BarGroup& group : chart.groups) {
    values.insert(values.end(), group.values.begin(), group.values.end());
  }
  if (chart.mark) values.push_back(chart.mark->value);
  // Alone it would lie in the middle of an axis that runs to both sides.
  if (std::none_of(values.begin(), values.end(),
                   [](double value) { return is_drawable(value) && value != 0; })) {
    values.push_back(1);
  }
  return values;
}

// Appends a chart's parts to the text of an SVG document, from the background to the bars.
class Drawing {
 public:
  explicit Drawing(const BarChart& chart)
      : chart_(chart),
        axis_(Scale::linear, drawn_values(chart)),
        has_mark_(chart.mark && is_drawable(chart.mark->value)),
        group_height_(kBar * static_cast<double>(std::max<std::size_t>(1, chart.series.size()))) {}

  std::string draw() {
    place();
    svg_ =
        svg_begin(chart_.title, kWidth,
                  bottom_ + kChartMargin + kChartLine + (chart_.x_label.empty() ? 0 : kChartLine));
    if (!chart_.title.empty()) {
      text(chart_.title, {kWidth / 2, kChartMargin + 14, "class=\"title\" text-anchor=\"middle\""});
    }
    for (const LegendEntry& entry : legend_) draw_legend(entry);
    draw_axis();
    for (std::size_t index = 0; index < chart_.groups.size(); ++index) draw_group(index);
    if (has_mark_) {
      const double x = x_of(chart_.mark->value);
      svg_ += svg_line(kMarkStyle, {x, top_}, {x, bottom_});
    }
    svg_ += "</svg>\n";
    return std::move(svg_);
  }

 private:
  static constexpr std::size_t kMarkEntry = static_cast<std::size_t>(-1);

  struct LegendEntry {
    std::size_t series = 0;  // or kMarkEntry
    std::string name;
    double x = 0;
    double y = 0;
  };

  void text(std::string_view words, const SvgPlace& place) { svg_ += svg_text(words, place); }

  double x_of(double value) const { return left_ + axis_.place(value) * (right_ - left_); }

  // The height of the picture depends on the legend, its width on the names.
  void place() {
    double y = kChartMargin + (chart_.title.empty() ? 0 : kChartLine + 6);
    double x = kChartMargin;
    const auto add = [&](std::size_t series, const std::string& name) {
      if (name.empty()) return;
      const std::string shown = cut_to_columns(name, 60);
      const double width = kSwatch + 6 + svg_text_width(shown) + 18;
      if (x > kChartMargin && x + width > kWidth - kChartMargin) {
        x = kChartMargin;
        y += kChartLine;
      }
      legend_.push_back({series, shown, x, y});
      x += width;
    };
    for (std::size_t series = 0; series < chart_.series.size(); ++series) {
      add(series, chart_.series[series]);
    }
    if (has_mark_) add(kMarkEntry, chart_.mark->name);
    top_ = y + (legend_.empty() ? 0 : kChartLine) + 8;
    bottom_ =
        top_ + kBetween + static_cast<double>(chart_.groups.size()) * (group_height_ + kBetween);
    double widest = 0;
    for (const BarGroup& group : chart_.groups) {
      widest = std::max(widest, svg_text_width(cut_to_columns(group.name, kMaxNameColumns)));
    }
    right_ = kWidth - kChartMargin - 14;  // room for half of the last label
    left_ = std::min(kChartMargin + widest + 8, right_ - kLeastBar);
  }

  void draw_legend(const LegendEntry& entry) {
    if (entry.series == kMarkEntry) {
      svg_ += svg_line(kMarkStyle, {entry.x, entry.y + 8}, {entry.x + kSwatch, entry.y + 8});
    } else {
      svg_ += "<rect x=\"" + svg_number(entry.x) + "\" y=\"" + svg_number(entry.y + 3) +
              "\" width=\"" + svg_number(kSwatch) + "\" height=\"10\" " + fill(entry.series) +
              "/>\n";
    }
    text(entry.name, {entry.x + kSwatch + 6, entry.y + 12.5});
  }

  void draw_axis() {
    for (const Tick& tick : axis_.ticks(7)) {
      const double x = x_of(tick.value);
      svg_ += svg_line("class=\"grid\"", {x, top_}, {x, bottom_});
      text(tick.label, {x, bottom_ + 18, "text-anchor=\"middle\""});
    }
    svg_ += svg_line("class=\"axis\"", {x_of(0), top_}, {x_of(0), bottom_});
    if (chart_.x_label.empty()) return;
    text(chart_.x_label,
         {(left_ + right_) / 2, bottom_ + 18 + kChartLine, "text-anchor=\"middle\""});
  }

  static std::string fill(std::size_t series) {
    return "fill=\"" + std::string(kChartColours[series % kChartColours.size()]) + "\"";
  }

  static std::string key_attribute(const BarGroup& group, std::size_t series) {
    if (series >= group.keys.size() || group.keys[series].empty()) return {};
    return " data-x-key=\"" + svg_escaped(group.keys[series]) + "\"";
  }

  void draw_group(std::size_t index) {
    const BarGroup& group = chart_.groups[index];
    const double top = top_ + kBetween + static_cast<double>(index) * (group_height_ + kBetween);
    text(cut_to_columns(group.name, kMaxNameColumns),
         {left_ - 8, top + group_height_ / 2 + 4.5, "text-anchor=\"end\""});
    const std::size_t n_bars = std::min(group.values.size(), chart_.series.size());
    for (std::size_t series = 0; series < n_bars; ++series) {
      const double value = group.values[series];
      if (!is_drawable(value)) continue;
      const double from = std::min(x_of(0), x_of(value));
      const double to = std::max(x_of(0), x_of(value));
      svg_ += "<rect x=\"" + svg_number(from) + "\" y=\"" +
              svg_number(top + kBar * static_cast<double>(series)) + "\" width=\"" +
              svg_number(to - from) + "\" height=\"" + svg_number(kBar - 1) + "\" " + fill(series) +
              key_attribute(group, series) + "><title>" +
              svg_escaped(group.name + ", " + chart_.series[series] + ": " + value_text(value)) +
              "</title></rect>\n";
    }
  }

  const BarChart& chart_;
  ChartAxis axis_;
  bool has_mark_;
  double group_height_;
  std::vector<LegendEntry> legend_;
  std::string svg_;
  // The frame that the bars are drawn in.
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
};

}  // namespace

std::string bar_chart_svg(const BarChart& chart) {
  return Drawing(chart).draw();
}

}  // namespace espalier::measure
