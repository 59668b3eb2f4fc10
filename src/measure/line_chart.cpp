#include "measure/line_chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "measure/svg.hpp"

namespace espalier::measure {
namespace {

using Point = std::pair<double, double>;

constexpr double kWidth = 800;
constexpr double kHeight = 450;
constexpr double kSwatch = 22;  // the piece of line in the legend
constexpr std::size_t kMaxMarked = 40;
constexpr std::size_t kMaxNameColumns = 60;

// From the second round of colours on.
constexpr std::array<std::string_view, 3> kDashes = {"", "6 4", "2 3"};

std::vector<Point> drawable(const std::vector<Point>& points, Scale y_scale) {
  std::vector<Point> kept;
  for (const Point& point : points) {
    if (ChartAxis::is_drawable(Scale::linear, point.first) &&
        ChartAxis::is_drawable(y_scale, point.second)) {
      kept.push_back(point);
    }
  }
  return kept;
}

std::vector<Point> averaged_down(const std::vector<Point>& points) {
  if (points.size() <= kMaxDrawnPoints) return points;
  const std::size_t n_each = (points.size() + kMaxDrawnPoints - 1) / kMaxDrawnPoints;
  std::vector<Point> means;
  for (std::size_t begin = 0; begin < points.size(); begin += n_each) {
    Point mean = {0, 0};
    double n_seen = 0;
    for (std::size_t at = begin; at < std::min(begin + n_each, points.size()); ++at) {
      ++n_seen;  // a running mean, because a sum could overflow
      mean.first += (points[at].first - mean.first) / n_seen;
      mean.second += (points[at].second - mean.second) / n_seen;
    }
    means.push_back(mean);
  }
  return means;
}

std::string line_style(std::size_t index) {
  std::string style = "stroke=\"" + std::string(kChartColours[index % kChartColours.size()]) + "\"";
  const std::string_view dash = kDashes[index / kChartColours.size() % kDashes.size()];
  if (!dash.empty()) style += " stroke-dasharray=\"" + std::string(dash) + "\"";
  return style;
}

// Appends a chart's parts to the text of an SVG document, from the background to the lines.
class Drawing {
 public:
  explicit Drawing(const LineChart& chart)
      : chart_(chart), lines_(lines_of(chart)), x_(x_axis()), y_(y_axis()) {}

  std::string draw() {
    svg_ = svg_begin(chart_.title, kWidth, kHeight);
    top_ = kChartMargin;
    if (!chart_.title.empty()) {
      text(chart_.title, {kWidth / 2, top_ + 14, "class=\"title\" text-anchor=\"middle\""});
      top_ += kChartLine + 6;
    }
    draw_legend();
    draw_axes();
    for (std::size_t index = 0; index < lines_.size(); ++index) draw_line(index);
    svg_ += "</svg>\n";
    return std::move(svg_);
  }

 private:
  static std::vector<std::vector<Point>> lines_of(const LineChart& chart) {
    std::vector<std::vector<Point>> lines;
    for (const ChartSeries& series : chart.series) {
      lines.push_back(averaged_down(drawable(series.points, chart.y_scale)));
    }
    return lines;
  }

  ChartAxis x_axis() const {
    std::vector<double> values;
    for (const auto& line : lines_) {
      for (const Point& point : line) values.push_back(point.first);
    }
    return {Scale::linear, values};
  }

  ChartAxis y_axis() const {
    std::vector<double> values;
    for (const auto& line : lines_) {
      for (const Point& point : line) values.push_back(point.second);
    }
    return {chart_.y_scale, values};
  }

  double x_of(double value) const { return left_ + x_.place(value) * (right_ - left_); }
  double y_of(double value) const { return bottom_ - y_.place(value) * (bottom_ - top_); }

  void text(std::string_view words, const SvgPlace& place) { svg_ += svg_text(words, place); }

  void line(std::string_view attributes, const SvgPlace& from, const SvgPlace& to) {
    svg_ += svg_line(attributes, from, to);
  }

  void draw_legend() {
    double x = kChartMargin;
    bool any = false;
    for (std::size_t index = 0; index < chart_.series.size(); ++index) {
      if (chart_.series[index].name.empty()) continue;
      const std::string name = cut_to_columns(chart_.series[index].name, kMaxNameColumns);
      const double width = kSwatch + 6 + svg_text_width(name) + 18;
      if (any && x + width > kWidth - kChartMargin) {
        x = kChartMargin;
        top_ += kChartLine;
      }
      line(line_style(index) + " stroke-width=\"2.5\"", {x, top_ + 8}, {x + kSwatch, top_ + 8});
      text(name, {x + kSwatch + 6, top_ + 12.5});
      x += width;
      any = true;
    }
    if (any) top_ += kChartLine;
    top_ += 8;
  }

  void draw_axes() {
    const std::vector<Tick> x_ticks = x_.ticks(8);
    const std::vector<Tick> y_ticks = y_.ticks(7);
    double widest = 0;
    for (const Tick& tick : y_ticks) widest = std::max(widest, svg_text_width(tick.label));
    left_ = kChartMargin + (chart_.y_label.empty() ? 0 : kChartLine) + widest + 8;
    right_ = kWidth - kChartMargin - 14;  // room for half of the last label
    bottom_ = kHeight - kChartMargin - kChartLine - (chart_.x_label.empty() ? 0 : kChartLine);
    // A legend of many lines leaves the lines some room all the same.
    top_ = std::min(top_, bottom_ - 60);
    for (const Tick& tick : x_ticks) {
      const double x = x_of(tick.value);
      line("class=\"grid\"", {x, top_}, {x, bottom_});
      text(tick.label, {x, bottom_ + 18, "text-anchor=\"middle\""});
    }
    for (const Tick& tick : y_ticks) {
      const double y = y_of(tick.value);
      line("class=\"grid\"", {left_, y}, {right_, y});
      text(tick.label, {left_ - 8, y + 4.5, "text-anchor=\"end\""});
    }
    svg_ += "<path class=\"axis\" d=\"M" + svg_number(left_) + " " + svg_number(top_) + "V" +
            svg_number(bottom_) + "H" + svg_number(right_) + "\"/>\n";
    if (!chart_.x_label.empty()) {
      text(chart_.x_label,
           {(left_ + right_) / 2, kHeight - kChartMargin + 2, "text-anchor=\"middle\""});
    }
    if (!chart_.y_label.empty()) {
      // Turned about the origin, so the page's y is minus its x.
      text(chart_.y_label, {-(top_ + bottom_) / 2, kChartMargin + 10,
                            "transform=\"rotate(-90)\" text-anchor=\"middle\""});
    }
  }

  void draw_line(std::size_t index) {
    const std::vector<Point>& points = lines_[index];
    if (points.empty()) return;
    svg_ += "<polyline fill=\"none\" " + line_style(index) +
            " stroke-width=\"2\" stroke-linejoin=\"round\" points=\"";
    for (std::size_t at = 0; at < points.size(); ++at) {
      if (at > 0) svg_ += ' ';
      svg_ += svg_number(x_of(points[at].first)) + "," + svg_number(y_of(points[at].second));
    }
    svg_ += "\"/>\n";
    if (points.size() > kMaxMarked) return;
    for (const Point& point : points) {
      svg_ += "<circle cx=\"" + svg_number(x_of(point.first)) + "\" cy=\"" +
              svg_number(y_of(point.second)) + "\" r=\"3.5\" fill=\"" +
              std::string(kChartColours[index % kChartColours.size()]) + "\"/>\n";
    }
  }

  const LineChart& chart_;
  std::vector<std::vector<Point>> lines_;  // (series), what is drawn of each
  ChartAxis x_;
  ChartAxis y_;
  std::string svg_;
  // The frame that the lines are drawn in; its left side depends on the labels of the ticks, its
  // top on the legend.
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
};

}  // namespace

std::string line_chart_svg(const LineChart& chart) {
  return Drawing(chart).draw();
}

}  // namespace espalier::measure
