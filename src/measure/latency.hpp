// What a set of timings says: percentiles, mean and spread. And the clock that takes them.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

namespace espalier::measure {

/// Milliseconds, but for the count.
struct LatencySummary {
  std::size_t n_runs = 0;
  double mean_ms = 0.0;
  double sd_ms = 0.0;  ///< of the sample (n - 1); 0 for one run
  double min_ms = 0.0;
  double p50_ms = 0.0;  ///< the median
  double p90_ms = 0.0;
  double p95_ms = 0.0;
  double p99_ms = 0.0;
  double max_ms = 0.0;
};

/// Sums up timings (runs) in any order.
/// Throws Error(bad_input) if there are none or one is not finite.
[[nodiscard]] LatencySummary summarize(std::span<const double> runs_ms);

/// The value below which `percent` of the sorted values lie, by linear interpolation between the
/// two nearest: type 7 of Hyndman and Fan 1996, the default of NumPy and R.
/// `percent` in [0, 100]. Throws Error(bad_input) if it is not, or there are no values.
[[nodiscard]] double percentile(std::span<const double> sorted, double percent);

/// Runs from its making on, on a clock that is never set back.
class Stopwatch {
 public:
  [[nodiscard]] double elapsed_ms() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
  }
  void restart() { start_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace espalier::measure
