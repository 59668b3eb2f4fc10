// One axis of a chart: the range that its values span, round numbers to mark it with, and where a
// value lies on it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace espalier::measure {

enum class Scale { linear, log };

/// A round number on an axis and how it is written.
struct Tick {
  double value = 0;
  std::string label;
};

/// From the least to the greatest of the values given. Immutable and thread-safe.
class ChartAxis {
 public:
  /// What is no place on the axis is left out, as is_drawable() says. Without values the axis runs
  /// from 0 to 1 (log: 1 to 10); around values that are all the same some room is made.
  ChartAxis(Scale scale, std::span<const double> values);

  /// Whether `value` has a place: finite and within ±1e300, of a log axis at least 1e-300.
  [[nodiscard]] static bool is_drawable(Scale scale, double value) noexcept;

  /// Share of the way from the low end to the high end: 0 to 1 for values within.
  [[nodiscard]] double place(double value) const;

  /// Round numbers within the range, rising, `n_wanted` or somewhat fewer (`n_wanted` is at least
  /// 2): multiples of 1, 2 or 5 times a power of ten; on a log axis powers of ten, or these
  /// multiples where it spans less than two powers. The labels are the same in every locale.
  [[nodiscard]] std::vector<Tick> ticks(std::size_t n_wanted) const;

 private:
  [[nodiscard]] std::vector<Tick> even_ticks(std::size_t n_wanted) const;
  [[nodiscard]] std::vector<Tick> decade_ticks(std::size_t n_wanted) const;

  Scale scale_;
  double low_ = 0;
  double high_ = 1;
};

/// `value` with `n_decimals` digits after the point (0 to 300), whatever the locale; from ten
/// million on and below 0.00001 in scientific form. Never "-0".
[[nodiscard]] std::string chart_number(double value, int n_decimals);

}  // namespace espalier::measure
