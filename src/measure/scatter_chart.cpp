#include "measure/scatter_chart.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "measure/pareto.hpp"
#include "measure/svg.hpp"

namespace espalier::measure {
namespace {

constexpr double kWidth = 800;
constexpr double kHeight = 440;
constexpr double kRadius = 6;
constexpr double kTextHeight = 14;
constexpr std::size_t kMaxNameColumns = 32;
constexpr std::size_t kShapes = 4;

constexpr std::string_view kStyle =
    "<style>.hollow{fill:#ffffff}.front{stroke:#6e7781;fill:none;stroke-width:1.5;"
    "stroke-dasharray:2 4;stroke-linecap:round}"
    ".name{paint-order:stroke;stroke:#ffffff;stroke-width:4px;stroke-linejoin:round}"
    "@media(prefers-color-scheme:dark){.hollow{fill:#15181d}.front{stroke:#8b949e}.name{stroke:#"
    "15181d}}</style>\n";

/// Four digits that mean something, whatever the locale.
std::string value_text(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general,
                                 /*precision=*/4);
  return {digits, end.ptr};
}

bool is_drawable(const ScatterPoint& point, Scale x_scale) {
  return ChartAxis::is_drawable(x_scale, point.x) && ChartAxis::is_drawable(Scale::linear, point.y);
}

bool is_drawable(const std::optional<ScatterRange>& range, Scale scale) {
  return range && ChartAxis::is_drawable(scale, range->low) &&
         ChartAxis::is_drawable(scale, range->high);
}

// The values of one axis, with a little room at both ends so that no marker lies on the frame.
std::vector<double> with_room(std::vector<double> values, Scale scale) {
  if (values.empty()) return values;
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  const double low = *least;
  const double high = *greatest;
  if (scale == Scale::log) {
    const double factor = std::pow(high / low, 0.06);
    values.insert(values.end(), {low / factor, high * factor});
  } else {
    const double room = (high - low) * 0.06;
    values.insert(values.end(), {low - room, high + room});
  }
  return values;
}

std::vector<double> x_values(const ScatterChart& chart) {
  std::vector<double> values;
  for (const ScatterPoint& point : chart.points) {
    if (!is_drawable(point, chart.x_scale)) continue;
    values.push_back(point.x);
    if (!is_drawable(point.x_range, chart.x_scale)) continue;
    values.insert(values.end(), {point.x_range->low, point.x_range->high});
  }
  return with_room(std::move(values), chart.x_scale);
}

std::vector<double> y_values(const ScatterChart& chart) {
  std::vector<double> values;
  for (const ScatterPoint& point : chart.points) {
    if (!is_drawable(point, chart.x_scale)) continue;
    values.push_back(point.y);
    if (!is_drawable(point.y_range, Scale::linear)) continue;
    values.insert(values.end(), {point.y_range->low, point.y_range->high});
  }
  return with_room(std::move(values), Scale::linear);
}

// A point that cannot be drawn is on no front, and hides none that can.
std::vector<std::size_t> front_of(const ScatterChart& chart) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  std::vector<ParetoPoint> points;
  for (const ScatterPoint& point : chart.points) {
    const bool is_shown = is_drawable(point, chart.x_scale);
    points.push_back(is_shown ? ParetoPoint{point.x, point.y} : ParetoPoint{kNone, kNone});
  }
  return pareto_front(points);
}

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;

  [[nodiscard]] double overlap(const Box& other) const {
    const double width = std::min(right, other.right) - std::max(left, other.left);
    const double height = std::min(bottom, other.bottom) - std::max(top, other.top);
    return width > 0 && height > 0 ? width * height : 0;
  }
};

// Appends a chart's parts to the text of an SVG document, from the background to the names.
class Drawing {
 public:
  explicit Drawing(const ScatterChart& chart)
      : chart_(chart),
        x_axis_(chart.x_scale, x_values(chart)),
        y_axis_(Scale::linear, y_values(chart)),
        front_(front_of(chart)) {}

  std::string draw() {
    svg_ = svg_begin(chart_.title, kWidth, kHeight) + std::string(kStyle);
    draw_title_and_legend();
    draw_axes();
    draw_front();
    for (std::size_t index = 0; index < chart_.points.size(); ++index) draw_ranges(index);
    for (std::size_t index = 0; index < chart_.points.size(); ++index) draw_point(index);
    for (std::size_t index = 0; index < chart_.points.size(); ++index) draw_name(index);
    svg_ += "</svg>\n";
    return std::move(svg_);
  }

 private:
  [[nodiscard]] double x_of(double value) const {
    return left_ + x_axis_.place(value) * (right_ - left_);
  }
  [[nodiscard]] double y_of(double value) const {
    return bottom_ - y_axis_.place(value) * (bottom_ - top_);
  }
  [[nodiscard]] bool is_drawn(std::size_t index) const {
    return is_drawable(chart_.points[index], chart_.x_scale);
  }
  [[nodiscard]] bool is_on_front(std::size_t index) const {
    return std::find(front_.begin(), front_.end(), index) != front_.end();
  }

  static std::string_view colour(std::size_t kind) {
    return kChartColours[kind % kChartColours.size()];
  }

  void text(std::string_view words, const SvgPlace& place) { svg_ += svg_text(words, place); }

  void draw_title_and_legend() {
    double y = kChartMargin;
    if (!chart_.title.empty()) {
      text(chart_.title, {kWidth / 2, y + 14, "class=\"title\" text-anchor=\"middle\""});
      y += kChartLine + 6;
    }
    if (chart_.kinds.size() > 1) {
      double x = kChartMargin;
      for (std::size_t kind = 0; kind < chart_.kinds.size(); ++kind) {
        const std::string shown = cut_to_columns(chart_.kinds[kind], kMaxNameColumns);
        const double width = 2 * kRadius + 6 + svg_text_width(shown) + 18;
        if (x > kChartMargin && x + width > kWidth - kChartMargin) {
          x = kChartMargin;
          y += kChartLine;
        }
        svg_ += marker(kind, {x + kRadius, y + 8}, /*filled=*/true, "");
        text(shown, {x + 2 * kRadius + 6, y + 12.5});
        x += width;
      }
      y += kChartLine;
    }
    top_ = y + 8;
  }

  void draw_axes() {
    const std::vector<Tick> y_ticks = y_axis_.ticks(7);
    double widest = 0;
    for (const Tick& tick : y_ticks) widest = std::max(widest, svg_text_width(tick.label));
    left_ = kChartMargin + kChartLine + widest + 8;
    right_ = kWidth - kChartMargin - 14;  // room for half of the last label
    bottom_ = kHeight - kChartMargin - 2 * kChartLine;
    for (const Tick& tick : y_ticks) {
      const double y = y_of(tick.value);
      svg_ += svg_line("class=\"grid\"", {left_, y}, {right_, y});
      text(tick.label, {left_ - 8, y + 4.5, "text-anchor=\"end\""});
    }
    for (const Tick& tick : x_axis_.ticks(9)) {
      const double x = x_of(tick.value);
      svg_ += svg_line("class=\"grid\"", {x, top_}, {x, bottom_});
      text(tick.label, {x, bottom_ + 18, "text-anchor=\"middle\""});
    }
    svg_ += svg_line("class=\"axis\"", {left_, bottom_}, {right_, bottom_});
    text(chart_.x_label,
         {(left_ + right_) / 2, bottom_ + 18 + kChartLine, "text-anchor=\"middle\""});
    const double middle = (top_ + bottom_) / 2;
    const std::string turned = "text-anchor=\"middle\" transform=\"rotate(-90 " +
                               svg_number(kChartMargin + 8) + " " + svg_number(middle) + ")\"";
    text(chart_.y_label, {kChartMargin + 8, middle, turned});
  }

  // What the best choice within each x reaches: a step up at each point of the front.
  void draw_front() {
    if (front_.size() < 2) return;
    std::string path;
    for (const std::size_t index : front_) {
      const double x = x_of(chart_.points[index].x);
      path += path.empty() ? "M" : "H" + svg_number(x) + "V";
      if (path.size() == 1) path += svg_number(x) + " ";
      path += svg_number(y_of(chart_.points[index].y));
    }
    for (std::size_t step = 1; step < front_.size(); ++step) {
      const ScatterPoint& from = chart_.points[front_[step - 1]];
      const ScatterPoint& to = chart_.points[front_[step]];
      taken_.push_back({x_of(from.x), y_of(from.y) - 1, x_of(to.x), y_of(from.y) + 1});
      taken_.push_back({x_of(to.x) - 1, y_of(to.y), x_of(to.x) + 1, y_of(from.y)});
    }
    svg_ += "<path class=\"front\" d=\"" + path + "\"/>\n";
  }

  void draw_ranges(std::size_t index) {
    if (!is_drawn(index)) return;
    const ScatterPoint& point = chart_.points[index];
    const std::string stroke =
        "stroke=\"" + std::string(colour(point.kind)) + "\" stroke-width=\"1.5\" opacity=\"0.55\"";
    const double x = x_of(point.x);
    const double y = y_of(point.y);
    if (is_drawable(point.y_range, Scale::linear)) {
      const double low = y_of(point.y_range->low);
      const double high = y_of(point.y_range->high);
      svg_ += svg_line(stroke, {x, low}, {x, high});
      for (const double end : {low, high}) svg_ += svg_line(stroke, {x - 4, end}, {x + 4, end});
    }
    if (is_drawable(point.x_range, chart_.x_scale)) {
      const double low = x_of(point.x_range->low);
      const double high = x_of(point.x_range->high);
      svg_ += svg_line(stroke, {low, y}, {high, y});
      for (const double end : {low, high}) svg_ += svg_line(stroke, {end, y - 4}, {end, y + 4});
    }
  }

  // inside: what the element holds, such as its title.
  static std::string marker(std::size_t kind, const SvgPlace& at, bool filled,
                            const std::string& inside) {
    const std::string look =
        filled ? "fill=\"" + std::string(colour(kind)) + "\""
               : "class=\"hollow\" stroke-width=\"2\" stroke=\"" + std::string(colour(kind)) + "\"";
    const auto point = [&at](double across, double down) {
      return svg_number(at.x + across) + "," + svg_number(at.y + down) + " ";
    };
    std::string shape;
    switch (kind % kShapes) {
      case 0:
        shape = "circle cx=\"" + svg_number(at.x) + "\" cy=\"" + svg_number(at.y) + "\" r=\"" +
                svg_number(kRadius) + "\" ";
        break;
      case 1:
        shape =
            "polygon points=\"" + point(-5, -5) + point(5, -5) + point(5, 5) + point(-5, 5) + "\" ";
        break;
      case 2:
        shape = "polygon points=\"" + point(0, -6.5) + point(6.5, 5) + point(-6.5, 5) + "\" ";
        break;
      default:
        shape =
            "polygon points=\"" + point(0, -7) + point(7, 0) + point(0, 7) + point(-7, 0) + "\" ";
    }
    const std::string element = shape.substr(0, shape.find(' '));
    return "<" + shape + std::string(at.more) + look +
           (inside.empty() ? "/>\n" : ">" + inside + "</" + element + ">\n");
  }

  static std::string key_attribute(const char* name, const std::string& key) {
    return key.empty() ? "" : std::string(name) + "=\"" + svg_escaped(key) + "\" ";
  }

  void draw_point(std::size_t index) {
    if (!is_drawn(index)) return;
    const ScatterPoint& point = chart_.points[index];
    std::string says = point.name + ": " + chart_.x_label + " " + value_text(point.x) + ", " +
                       chart_.y_label + " " + value_text(point.y);
    if (point.y_range) {
      says +=
          " (" + value_text(point.y_range->low) + " to " + value_text(point.y_range->high) + ")";
    }
    const std::string keys =
        key_attribute("data-x-key", point.x_key) + key_attribute("data-y-key", point.y_key);
    svg_ += marker(point.kind, {x_of(point.x), y_of(point.y), keys}, is_on_front(index),
                   "<title>" + svg_escaped(says) + "</title>");
    taken_.push_back(marker_box(index));
  }

  [[nodiscard]] Box marker_box(std::size_t index) const {
    const double x = x_of(chart_.points[index].x);
    const double y = y_of(chart_.points[index].y);
    return {x - kRadius - 2, y - kRadius - 2, x + kRadius + 2, y + kRadius + 2};
  }

  // Beside its point, where it covers least of what is there already.
  void draw_name(std::size_t index) {
    if (!is_drawn(index)) return;
    const std::string shown = cut_to_columns(chart_.points[index].name, kMaxNameColumns);
    const double width = svg_text_width(shown);
    const double x = x_of(chart_.points[index].x);
    const double y = y_of(chart_.points[index].y);
    const double far = kRadius + 6;
    const double middle = std::clamp(x - width / 2, left_, std::max(left_, right_ - width));
    const double level = y - kTextHeight / 2;
    const double above = y - far - kTextHeight;
    const double below = y + far;
    const std::array<SvgPlace, 10> corners = {{{x + far, level},
                                               {x - far - width, level},
                                               {x + far, above + 8},
                                               {x + far, below - 8},
                                               {x - far - width, above + 8},
                                               {x - far - width, below - 8},
                                               {middle, above},
                                               {middle, below},
                                               {middle, above - kTextHeight},
                                               {middle, below + kTextHeight}}};
    double least = -1;
    Box best;
    for (const SvgPlace& corner : corners) {
      const Box box{corner.x, corner.y, corner.x + width, corner.y + kTextHeight};
      double cost = 0;
      for (const Box& other : taken_) cost += box.overlap(other);
      const Box frame{left_, top_, kWidth - 4, bottom_};
      cost += 4 * (width * kTextHeight - box.overlap(frame));
      if (least < 0 || cost < least - 1e-6) {
        least = cost;
        best = box;
      }
    }
    taken_.push_back(best);
    text(shown, {best.left, best.top + kTextHeight - 3, "class=\"name\""});
  }

  const ScatterChart& chart_;
  ChartAxis x_axis_;
  ChartAxis y_axis_;
  std::vector<std::size_t> front_;
  std::vector<Box> taken_;
  std::string svg_;
  // The frame that the points are drawn in.
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
};

}  // namespace

std::string scatter_chart_svg(const ScatterChart& chart) {
  return Drawing(chart).draw();
}

}  // namespace espalier::measure
