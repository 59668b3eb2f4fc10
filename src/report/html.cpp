#include "report/html.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/decimal.hpp"
#include "measure/svg.hpp"
#include "report/results.hpp"

namespace espalier::report {
namespace {

int decimals_of(double value, const Form& form) {
  if (form.digits <= 0 || value == 0) return form.decimals;
  return std::clamp(form.digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(value)))), 0,
                    9);
}

std::string shortest(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), end.ptr};
}

}  // namespace

std::string html(std::string_view text) {
  std::string safe;
  for (const char byte : measure::svg_escaped(text)) {
    if (byte == '\'') {
      safe += "&#39;";
    } else {
      safe += byte;
    }
  }
  return safe;
}

std::string plain_figure(const Node& node, const Form& form) {
  const std::optional<double> number = node.number();
  if (!number) return kAbsent;
  const double value = *number * form.scale;
  const std::string text = fixed(value, decimals_of(value, form));
  if (text.front() == '-') return "−" + text.substr(1);  // as wide as the +
  const bool is_zero = text.find_first_not_of("0.") == std::string::npos;
  return form.sign && !is_zero ? "+" + text : text;
}

std::string figure(const Node& node, const Form& form) {
  if (!node.number()) return kAbsent;
  const std::string scale = form.scale == 1 ? "" : " data-scale=\"" + shortest(form.scale) + "\"";
  return "<span class=\"num\" data-key=\"" + html(node.pointer()) + "\"" + scale + ">" +
         plain_figure(node, form) + "</span>";
}

std::string interval(const Node& low, const Node& high, const Form& form) {
  if (!low.number() || !high.number()) return {};
  return "<span class=\"range\">" + figure(low, form) + " to " + figure(high, form) + "</span>";
}

std::string section(std::string_view id, std::string_view heading, std::string_view body) {
  if (body.empty()) return {};
  return "<section id=\"" + std::string(id) + "\">\n<h2>" + html(heading) + "</h2>\n" +
         std::string(body) + "</section>\n";
}

std::string scrolling_table(std::string_view label, std::string_view rows) {
  return "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" + html(label) +
         "\">\n<table>\n" + std::string(rows) + "</table>\n</div>\n";
}

std::string chart(std::string_view svg, std::string_view caption) {
  return "<figure class=\"chart\">\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
         "aria-label=\"chart\">" +
         std::string(svg) + "</div>\n<figcaption>" + std::string(caption) +
         "</figcaption>\n</figure>\n";
}

std::string source_mark(std::string_view energy_source) {
  if (energy_source.empty()) return {};
  return " <small class=\"mark\">" + html(energy_source) + "</small>";
}

}  // namespace espalier::report
