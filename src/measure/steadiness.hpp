// How far timings can be trusted: outliers, drift, an interval around a median, and a fixed piece
// of work that shows whether the machine itself was steady while something else was timed.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "measure/latency.hpp"

namespace espalier::measure {

struct Steadiness {
  std::size_t n_outliers = 0;  ///< above the third quartile by more than three quartile distances
  double drift = 0;  ///< median of the last third over that of the first, less 1; 0 below 3 timings
};

/// Timings in the order in which they were taken, milliseconds above 0.
/// Throws Error(bad_input) if there are none. Source of the fence: Tukey 1977, Exploratory Data
/// Analysis, §2D ("far out").
[[nodiscard]] Steadiness steadiness(std::span<const double> runs_ms);

struct MedianInterval {
  double median = 0;
  double low = 0;
  double high = 0;
};

/// The median of `values` in any order and an interval around it that holds the median of what they
/// are drawn from in 95 % of all cases, whatever their distribution: two of the values themselves,
/// by the normal approximation of the binomial. Below 6 values no such pair exists, and the
/// interval is from the least to the greatest. Throws Error(bad_input) if there are none.
/// Source: Conover 1999, Practical Nonparametric Statistics, §3.2.
[[nodiscard]] MedianInterval median_interval(std::span<const double> values);

/// Milliseconds of a fixed chain of a million multiply-adds on 64-bit integers, each of which waits
/// for the one before: the same work everywhere and always, out of registers alone. On an idle
/// machine it takes the same time each time, so what it varies by is the machine's.
[[nodiscard]] double control_loop_ms();

/// What the times of a control loop, in the order in which they were taken, say about the machine.
struct ControlSummary {
  LatencySummary latency = {};
  double spread = 0;  ///< by how much the 90th percentile is above the median, as a share of it
  double drift = 0;   ///< as Steadiness::drift

  ControlSummary() = default;
  /// Throws Error(bad_input) if there are none.
  explicit ControlSummary(std::span<const double> runs_ms);

  /// Within what a run on an idle machine shows: small differences mean something then. Nothing
  /// where there are fewer runs than three, which cannot tell.
  [[nodiscard]] std::optional<bool> is_steady() const;
  /// "the machine was steady", and what the opposite means.
  [[nodiscard]] std::string_view verdict() const;
};

}  // namespace espalier::measure
