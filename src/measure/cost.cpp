#include "measure/cost.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

constexpr double kJoulesPerKwh = 3.6e6;
constexpr double kMaxGramsPerKwh = 10'000;  // coal alone is near 1,000: more is a slip of the unit

// Ember, Yearly Electricity Data, and Energy Institute, Statistical Review of World Energy (2024),
// as compiled by Our World in Data, "Carbon intensity of electricity generation": life cycle, grams
// of CO2e per kWh generated in 2023. Imports and losses of the network are not in it.
constexpr std::string_view kSource = "Ember and Energy Institute via Our World in Data";
constexpr int kYear = 2023;

constexpr GridRow kGrids[] = {
    {"WORLD", 481, kYear, kSource}, {"AT", 111, kYear, kSource}, {"AU", 549, kYear, kSource},
    {"BR", 98, kYear, kSource},     {"CA", 170, kYear, kSource}, {"CH", 35, kYear, kSource},
    {"CN", 582, kYear, kSource},    {"DE", 381, kYear, kSource}, {"ES", 174, kYear, kSource},
    {"FR", 56, kYear, kSource},     {"GB", 238, kYear, kSource}, {"IN", 713, kYear, kSource},
    {"IT", 331, kYear, kSource},    {"JP", 485, kYear, kSource}, {"KR", 431, kYear, kSource},
    {"NL", 268, kYear, kSource},    {"NO", 30, kYear, kSource},  {"PL", 662, kYear, kSource},
    {"SE", 41, kYear, kSource},     {"US", 369, kYear, kSource}, {"ZA", 708, kYear, kSource},
};

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& letter : upper) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return upper;
}

std::string known_codes() {
  std::string codes;
  for (const GridRow& row : kGrids) codes += (codes.empty() ? "" : " ") + std::string(row.region);
  return codes;
}

void check_seconds(double seconds) {
  if (!std::isfinite(seconds) || seconds <= 0) {
    throw Error(ErrorCode::usage, "energy over a time that is no finite number above 0");
  }
}

void add_reason(std::string& reason, const std::string& more) {
  if (!more.empty()) reason += (reason.empty() ? "" : "; ") + more;
}

}  // namespace

std::span<const GridRow> grid_rows() noexcept {
  return kGrids;
}

Grid grid_from_text(std::string_view text) {
  const std::string code = upper_case(text);
  for (const GridRow& row : kGrids) {
    if (row.region == code) {
      return {std::string(row.region), row.grams_per_kwh,
              std::string(row.source) + ", " + std::to_string(row.year)};
    }
  }
  double grams = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, grams);
  if (read.ec == std::errc() && read.ptr == end && grams >= 0 && grams <= kMaxGramsPerKwh) {
    return {"given", grams, "as given"};
  }
  throw Error(ErrorCode::usage,
              "a grid is a number of grams of CO2e per kWh from 0 to 10000, or "
              "one of " +
                  known_codes());
}

TextCost cost_of_texts(const EnergyFigure& spent, std::size_t n_texts, const CostOptions& options) {
  if (n_texts == 0) throw Error(ErrorCode::usage, "the energy of no texts has no cost for a text");
  if (!std::isfinite(options.pue) || options.pue < 1) {
    throw Error(ErrorCode::usage, "a PUE is a finite number from 1 on");
  }
  TextCost cost;
  cost.tag = spent.tag;
  cost.source = spent.source;
  cost.reason = spent.reason;
  if (!spent.joules) return cost;
  const double joules_per_text = *spent.joules / static_cast<double>(n_texts);
  cost.joules_per_1000_texts = 1e3 * joules_per_text;
  cost.kwh_per_million_texts = 1e6 * joules_per_text / kJoulesPerKwh * options.pue;
  cost.grams_co2e_per_million_texts = *cost.kwh_per_million_texts * options.grid.grams_per_kwh;
  return cost;
}

EnergyFigure without_idle(const EnergyFigure& spent, double seconds, const IdlePower& idle) {
  check_seconds(seconds);
  check_seconds(idle.seconds);
  if (spent.tag == EnergyTag::estimated && idle.energy.tag == EnergyTag::estimated) {
    EnergyFigure same = spent;
    same.source += "; holds no idle share, none is subtracted";
    return same;
  }
  EnergyFigure net;
  net.source = spent.source;
  net.reason = spent.reason;
  add_reason(net.reason, idle.energy.reason == spent.reason ? "" : idle.energy.reason);
  if (!spent.joules || !idle.energy.joules || spent.tag != idle.energy.tag) {
    add_reason(net.reason,
               "work and idle were not measured alike, so no difference means anything");
    net.source.clear();
    return net;
  }
  const double idle_watts = *idle.energy.joules / idle.seconds;
  const double joules = *spent.joules - idle_watts * seconds;
  if (joules <= 0) {
    add_reason(net.reason,
               "the work took no more than the machine takes idle; measure for longer, "
               "and let nothing else run while idle is watched");
    net.source.clear();
    return net;
  }
  net.tag = spent.tag;
  net.joules = joules;
  net.source += ", less " + two_digit_text(idle_watts) + " W idle";
  return net;
}

Payback payback(const EnergyFigure& compressing, const TextCost& original,
                const TextCost& compressed) {
  Payback result;
  if (!original.joules_per_1000_texts || !compressed.joules_per_1000_texts) {
    result.reason = "the energy of answering is not known for both models";
    return result;
  }
  const EnergyTag answering = std::max(original.tag, compressed.tag);
  const double saved_joules =
      (*original.joules_per_1000_texts - *compressed.joules_per_1000_texts) / 1e3;
  if (saved_joules <= 0) {
    result.tag = answering;
    result.reason = "never: the compressed model takes no less energy for a text";
    return result;
  }
  if (!compressing.joules) {
    result.reason = "the energy of compressing is not known";
    return result;
  }
  result.tag = std::max(answering, compressing.tag);
  result.n_texts = std::ceil(*compressing.joules / saved_joules);
  return result;
}

std::string two_digit_text(double value) {
  if (!std::isfinite(value)) return "n/a";
  if (value == 0) return "0";
  constexpr int kFewest = -6;  // powers of ten that are written out
  constexpr int kMost = 12;
  char digits[64];
  std::to_chars_result written =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific, 1);
  const std::string text(digits, written.ptr);  // "4.5e+02"
  const int power = std::stoi(text.substr(text.find('e') + 1));
  if (power < kFewest || power > kMost) return text;
  written = std::to_chars(digits, digits + sizeof digits, two_digits(value),
                          std::chars_format::fixed, std::max(0, 1 - power));
  return {digits, written.ptr};
}

}  // namespace espalier::measure
