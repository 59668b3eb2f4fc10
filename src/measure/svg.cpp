#include "measure/svg.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "measure/chart_axis.hpp"
#include "measure/report.hpp"

namespace espalier::measure {
namespace {

constexpr double kCharacter = 7;  // width of one at 13 units, generous for digits

constexpr std::string_view kStyle =
    "<style>\n"
    "text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\n"
    ".back{fill:#ffffff}.grid{stroke:#d9dde2}.axis{stroke:#6e7781;fill:none}\n"
    ".title{font-size:16px;font-weight:600}\n"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.back{fill:#15181d}"
    ".grid{stroke:#30363d}.axis{stroke:#8b949e}}\n"
    "</style>\n";

}  // namespace

std::string svg_begin(std::string_view title, double width, double height) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + svg_number(width) + " " +
         svg_number(height) + "\" width=\"" + svg_number(width) + "\" height=\"" +
         svg_number(height) + "\" role=\"img\">\n<title>" + svg_escaped(title) + "</title>\n" +
         std::string(kStyle) + "<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n";
}

std::string svg_number(double value) {
  return chart_number(std::round(value * 10) / 10, 1);
}

std::string svg_escaped(std::string_view text) {
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

double svg_text_width(std::string_view text) {
  return kCharacter * static_cast<double>(display_width(text));
}

std::string cut_to_columns(std::string_view text, std::size_t n_columns) {
  if (display_width(text) <= n_columns) return std::string(text);
  std::string cut;
  for (const char byte : text) {
    const bool starts_character = (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
    if (starts_character && display_width(cut) + 1 >= n_columns) break;
    cut += byte;
  }
  return cut + "…";
}

std::string svg_text(std::string_view words, const SvgPlace& place) {
  return "<text x=\"" + svg_number(place.x) + "\" y=\"" + svg_number(place.y) + "\" " +
         std::string(place.more) + ">" + svg_escaped(words) + "</text>\n";
}

std::string svg_line(std::string_view attributes, const SvgPlace& from, const SvgPlace& to) {
  return "<line " + std::string(attributes) + " x1=\"" + svg_number(from.x) + "\" y1=\"" +
         svg_number(from.y) + "\" x2=\"" + svg_number(to.x) + "\" y2=\"" + svg_number(to.y) +
         "\"/>\n";
}

}  // namespace espalier::measure
