#include "measure/line_chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "measure/report.hpp"

namespace espalier::measure {
namespace {

using Point = std::pair<double, double>;

constexpr double kWidth = 800;
constexpr double kHeight = 450;
constexpr double kMargin = 16;
constexpr double kLine = 20;      // height of a line of text
constexpr double kCharacter = 7;  // width of one at 13 units, generous for digits
constexpr double kSwatch = 22;    // the piece of line in the legend
constexpr std::size_t kMaxMarked = 40;
constexpr std::size_t kMaxNameColumns = 60;

// Each at least 3:1 against both backgrounds below (WCAG 2.1, criterion 1.4.11).
constexpr std::array<std::string_view, 8> kColours = {"#2f81d6", "#c9631a", "#2a9161", "#c24f97",
                                                      "#8a6fd1", "#a07a10", "#128a9c", "#d1495b"};
// From the second round of colours on.
constexpr std::array<std::string_view, 3> kDashes = {"", "6 4", "2 3"};

constexpr std::string_view kStyle =
    "<style>\n"
    "text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\n"
    ".back{fill:#ffffff}.grid{stroke:#d9dde2}.axis{stroke:#6e7781;fill:none}\n"
    ".title{font-size:16px;font-weight:600}\n"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.back{fill:#15181d}"
    ".grid{stroke:#30363d}.axis{stroke:#8b949e}}\n"
    "</style>\n";

// A length or place, to a tenth of a unit.
std::string number(double value) {
  return chart_number(std::round(value * 10) / 10, 1);
}

// Text between tags or quotes of XML 1.0.
std::string escaped(std::string_view text) {
  // Through JSON and back: what is not UTF-8 becomes U+FFFD.
  const std::string valid = nlohmann::json::parse(
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  std::string safe;
  for (std::size_t at = 0; at < valid.size(); ++at) {
    const char byte = valid[at];
    const std::string_view three = std::string_view(valid).substr(at, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {  // U+FFFE and U+FFFF: no characters
      safe += "\xEF\xBF\xBD";
      at += 2;
    } else if (static_cast<unsigned char>(byte) < 0x20) {
      safe += byte == '\t' || byte == '\n' ? " " : "\xEF\xBF\xBD";
    } else if (byte == '&') {
      safe += "&amp;";
    } else if (byte == '<') {
      safe += "&lt;";
    } else if (byte == '>') {
      safe += "&gt;";
    } else if (byte == '"') {
      safe += "&quot;";
    } else {
      safe += byte;
    }
  }
  return safe;
}

double width_of(std::string_view text) {
  return kCharacter * static_cast<double>(display_width(text));
}

// A name that would push the others out of the legend is cut.
std::string legend_name(const std::string& name) {
  if (display_width(name) <= kMaxNameColumns) return name;
  std::string cut;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const bool starts_character = (static_cast<unsigned char>(name[at]) & 0xC0) != 0x80;
    if (starts_character && display_width(cut) >= kMaxNameColumns - 1) break;
    cut += name[at];
  }
  return cut + "…";
}

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
  std::string style = "stroke=\"" + std::string(kColours[index % kColours.size()]) + "\"";
  const std::string_view dash = kDashes[index / kColours.size() % kDashes.size()];
  if (!dash.empty()) style += " stroke-dasharray=\"" + std::string(dash) + "\"";
  return style;
}

struct TextPlace {
  double x, y;
  std::string_view more = "";  // further attributes
};

// Appends a chart's parts to the text of an SVG document, from the background to the lines.
class Drawing {
 public:
  explicit Drawing(const LineChart& chart)
      : chart_(chart), lines_(lines_of(chart)), x_(x_axis()), y_(y_axis()) {}

  std::string draw() {
    const std::string title = escaped(chart_.title);
    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " +
           number(kHeight) + "\" width=\"" + number(kWidth) + "\" height=\"" + number(kHeight) +
           "\" role=\"img\">\n<title>" + title + "</title>\n";
    svg_ += kStyle;
    svg_ += "<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n";
    top_ = kMargin;
    if (!title.empty()) {
      text(chart_.title, {kWidth / 2, top_ + 14, "class=\"title\" text-anchor=\"middle\""});
      top_ += kLine + 6;
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

  void text(std::string_view words, const TextPlace& place) {
    svg_ += "<text x=\"" + number(place.x) + "\" y=\"" + number(place.y) + "\" " +
            std::string(place.more) + ">" + escaped(words) + "</text>\n";
  }

  void line(const std::string& attributes, Point from, Point to) {
    svg_ += "<line " + attributes + " x1=\"" + number(from.first) + "\" y1=\"" +
            number(from.second) + "\" x2=\"" + number(to.first) + "\" y2=\"" + number(to.second) +
            "\"/>\n";
  }

  void draw_legend() {
    double x = kMargin;
    bool any = false;
    for (std::size_t index = 0; index < chart_.series.size(); ++index) {
      if (chart_.series[index].name.empty()) continue;
      const std::string name = legend_name(chart_.series[index].name);
      const double width = kSwatch + 6 + width_of(name) + 18;
      if (any && x + width > kWidth - kMargin) {
        x = kMargin;
        top_ += kLine;
      }
      line(line_style(index) + " stroke-width=\"2.5\"", {x, top_ + 8}, {x + kSwatch, top_ + 8});
      text(name, {x + kSwatch + 6, top_ + 12.5});
      x += width;
      any = true;
    }
    if (any) top_ += kLine;
    top_ += 8;
  }

  void draw_axes() {
    const std::vector<Tick> x_ticks = x_.ticks(8);
    const std::vector<Tick> y_ticks = y_.ticks(7);
    double widest = 0;
    for (const Tick& tick : y_ticks) widest = std::max(widest, width_of(tick.label));
    left_ = kMargin + (chart_.y_label.empty() ? 0 : kLine) + widest + 8;
    right_ = kWidth - kMargin - 14;  // room for half of the last label
    bottom_ = kHeight - kMargin - kLine - (chart_.x_label.empty() ? 0 : kLine);
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
    svg_ += "<path class=\"axis\" d=\"M" + number(left_) + " " + number(top_) + "V" +
            number(bottom_) + "H" + number(right_) + "\"/>\n";
    if (!chart_.x_label.empty()) {
      text(chart_.x_label, {(left_ + right_) / 2, kHeight - kMargin + 2, "text-anchor=\"middle\""});
    }
    if (!chart_.y_label.empty()) {
      // Turned about the origin, so the page's y is minus its x.
      text(chart_.y_label, {-(top_ + bottom_) / 2, kMargin + 10,
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
      svg_ += number(x_of(points[at].first)) + "," + number(y_of(points[at].second));
    }
    svg_ += "\"/>\n";
    if (points.size() > kMaxMarked) return;
    for (const Point& point : points) {
      svg_ += "<circle cx=\"" + number(x_of(point.first)) + "\" cy=\"" +
              number(y_of(point.second)) + "\" r=\"3.5\" fill=\"" +
              std::string(kColours[index % kColours.size()]) + "\"/>\n";
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
