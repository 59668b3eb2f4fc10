// What the charts have in common as SVG documents: text that is safe between tags, numbers that are
// the same in every locale, colours that stand out in light and in dark.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace espalier::measure {

/// Each at least 3:1 against both backgrounds of svg_begin() (WCAG 2.1, criterion 1.4.11).
inline constexpr std::array<std::string_view, 8> kChartColours = {
    "#2f81d6", "#c9631a", "#2a9161", "#c24f97", "#8a6fd1", "#a07a10", "#128a9c", "#d1495b"};

/// Space around a chart, and the height of a line of its text.
inline constexpr double kChartMargin = 16;
inline constexpr double kChartLine = 20;

/// The document up to its background: `title` for screen readers, the styles of text, grid, axis
/// and title, light or dark as the viewer's system is. width, height: units.
[[nodiscard]] std::string svg_begin(std::string_view title, double width, double height);

/// A length or place, to a tenth of a unit.
[[nodiscard]] std::string svg_number(double value);

/// Text between tags or quotes of XML 1.0: what it has no place for becomes U+FFFD.
[[nodiscard]] std::string svg_escaped(std::string_view text);

/// Units that `text` takes, generous for digits.
[[nodiscard]] double svg_text_width(std::string_view text);

/// `text`, or its beginning and "…" when it takes more columns than that.
[[nodiscard]] std::string cut_to_columns(std::string_view text, std::size_t n_columns);

struct SvgPlace {
  double x = 0;
  double y = 0;
  std::string_view more = "";  // further attributes
};

/// A text element; `words` are escaped.
[[nodiscard]] std::string svg_text(std::string_view words, const SvgPlace& place);

/// A line element from one place to another. attributes: "class=\"grid\"" or a stroke.
[[nodiscard]] std::string svg_line(std::string_view attributes, const SvgPlace& from,
                                   const SvgPlace& to);

}  // namespace espalier::measure
