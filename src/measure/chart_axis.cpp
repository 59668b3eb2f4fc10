#include "measure/chart_axis.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace espalier::measure {
namespace {

constexpr double kLargest = 1e300;    // sums and differences of two of them stay finite
constexpr double kSmallest = 1e-300;  // positive, and not subnormal
// A range narrower than this share of its values has ticks that no longer differ as doubles.
constexpr double kLeastShare = 1e-9;

// 1, 2 or 5 times a power of ten: the least such number that is not below `least`.
double round_step(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    // A number that is round already must not grow for the last bit of a division.
    if (factor * power >= least * (1 - 1e-12)) return factor * power;
  }
  return 10 * power;
}

int decimals_of(double step) {
  return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 12);
}

Tick tick_at(double value, double step) {
  return {value, chart_number(value, decimals_of(step))};
}

}  // namespace

ChartAxis::ChartAxis(Scale scale, std::span<const double> values) : scale_(scale) {
  bool any = false;
  for (const double value : values) {
    if (!is_drawable(scale, value)) continue;
    low_ = any ? std::min(low_, value) : value;
    high_ = any ? std::max(high_, value) : value;
    any = true;
  }
  if (!any) {
    low_ = scale == Scale::log ? 1 : 0;
    high_ = scale == Scale::log ? 10 : 1;
  }
  const double size = std::max(std::abs(low_), std::abs(high_));
  if (high_ - low_ > kLeastShare * size) return;
  if (scale == Scale::log) {
    low_ = std::max(low_ / 2, kSmallest);
    high_ *= 2;
  } else {
    const double room = size > kSmallest ? size / 20 : 1;
    low_ -= room;
    high_ += room;
  }
}

bool ChartAxis::is_drawable(Scale scale, double value) noexcept {
  if (!std::isfinite(value) || std::abs(value) > kLargest) return false;
  return scale == Scale::linear || value >= kSmallest;
}

double ChartAxis::place(double value) const {
  if (scale_ == Scale::linear) return (value - low_) / (high_ - low_);
  return (std::log10(value) - std::log10(low_)) / (std::log10(high_) - std::log10(low_));
}

std::vector<Tick> ChartAxis::ticks(std::size_t n_wanted) const {
  return scale_ == Scale::linear ? even_ticks(n_wanted) : decade_ticks(n_wanted);
}

std::vector<Tick> ChartAxis::even_ticks(std::size_t n_wanted) const {
  double step = round_step((high_ - low_) / static_cast<double>(n_wanted));
  double first = std::ceil(low_ / step - 1e-9);
  double last = std::floor(high_ / step + 1e-9);
  if (last - first >= static_cast<double>(n_wanted)) {  // both ends are round: one too many
    step = round_step(step * 1.5);
    first = std::ceil(low_ / step - 1e-9);
    last = std::floor(high_ / step + 1e-9);
  }
  std::vector<Tick> ticks;
  for (double multiple = first; multiple <= last; ++multiple) {
    ticks.push_back(tick_at(multiple * step, step));
  }
  return ticks;
}

std::vector<Tick> ChartAxis::decade_ticks(std::size_t n_wanted) const {
  const double first = std::floor(std::log10(low_));
  const double last = std::ceil(std::log10(high_));
  const auto within = [this](double value) {
    return value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9);
  };
  // From the densest set of marks to the sparsest; powers are skipped when even they are too many.
  static constexpr std::array<std::array<double, 3>, 2> kFactors = {{{1, 2, 5}, {1, 0, 0}}};
  for (const std::array<double, 3>& factors : kFactors) {
    std::vector<Tick> ticks;
    for (double power = first; power <= last; ++power) {
      for (const double factor : factors) {
        const double value = factor * std::pow(10.0, power);
        if (factor > 0 && within(value)) ticks.push_back(tick_at(value, value));
      }
    }
    if (ticks.size() < 2) break;
    if (ticks.size() <= n_wanted) return ticks;
  }
  if (last - first <= 2) return even_ticks(n_wanted);
  std::vector<Tick> ticks;
  const double stride = std::ceil((last - first) / static_cast<double>(n_wanted));
  for (double power = first; power <= last; power += stride) {
    const double value = std::pow(10.0, power);
    if (within(value)) ticks.push_back(tick_at(value, value));
  }
  return ticks;
}

std::string chart_number(double value, int n_decimals) {
  char text[400];
  if (value == 0) value = 0;  // -0 is 0
  const double size = std::abs(value);
  if (size < 1e7 && (size >= 1e-5 || value == 0)) {
    const auto end =
        std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, n_decimals);
    return {text, end.ptr};
  }
  // As many digits as the fixed form would show, without zeros at the end.
  const int n_after_first = static_cast<int>(std::floor(std::log10(size))) + n_decimals;
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific,
                                 std::clamp(n_after_first, 0, 15));
  const std::string_view whole(text, static_cast<std::size_t>(end.ptr - text));
  const std::size_t exponent = whole.find('e');
  std::string_view digits = whole.substr(0, exponent);
  if (digits.find('.') != std::string_view::npos) {
    digits = digits.substr(0, digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.remove_suffix(1);
  }
  return std::string(digits) + std::string(whole.substr(exponent));
}

}  // namespace espalier::measure
