// Pieces of the page: text that is safe between tags, and figures that say where in the results
// they stand.
#pragma once

#include <string>
#include <string_view>

#include "report/node.hpp"

namespace espalier::report {

/// How a figure is printed: `decimals` after the point, or as many as give `digits` significant
/// ones.
struct Form {
  int decimals = 0;
  int digits = 0;     ///< above 0: goes before decimals
  double scale = 1;   ///< the value is multiplied by it: bytes as megabytes
  bool sign = false;  ///< + before what is above 0
};

inline constexpr double kPerMegabyte = 1e-6;

/// `text` between tags or double quotes; what HTML has no place for becomes U+FFFD.
[[nodiscard]] std::string html(std::string_view text);

/// The number of a node as printed, without markup; "–" where there is none.
[[nodiscard]] std::string plain_figure(const Node& node, const Form& form);

/// The same as <span data-key="/models/0/bytes" data-scale="1e-06">0.09</span>. The printed text is
/// the value times the scale, rounded to the decimals that it shows.
[[nodiscard]] std::string figure(const Node& node, const Form& form);

/// "(low to high)" of two nodes; empty unless both are there.
[[nodiscard]] std::string interval(const Node& low, const Node& high, const Form& form);

/// <section> with a heading; empty when there is nothing in it.
[[nodiscard]] std::string section(std::string_view id, std::string_view heading,
                                  std::string_view body);

/// A table that scrolls by itself where the window is narrow. rows: <tr> elements, the head's
/// first in <thead>. label: for screen readers.
[[nodiscard]] std::string scrolling_table(std::string_view label, std::string_view rows);

/// An SVG document as a figure of the page. caption: HTML.
[[nodiscard]] std::string chart(std::string_view svg, std::string_view caption);

/// "measured", "estimated" or "unavailable" as a mark beside a figure; empty for an empty text.
[[nodiscard]] std::string source_mark(std::string_view energy_source);

}  // namespace espalier::report
