#include "measure/latency.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "measure/check.hpp"

namespace espalier::measure {

double percentile(std::span<const double> sorted, double percent) {
  if (sorted.empty()) throw Error(ErrorCode::bad_input, "no values to take a percentile of");
  if (!(percent >= 0.0 && percent <= 100.0)) {
    throw Error(ErrorCode::bad_input, "a percentile lies between 0 and 100");
  }
  const double place = percent / 100.0 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double weight = place - static_cast<double>(below);
  return sorted[below] + weight * (sorted[above] - sorted[below]);
}

LatencySummary summarize(std::span<const double> runs_ms) {
  std::vector<double> sorted(runs_ms.begin(), runs_ms.end());
  for (const double run_ms : sorted) {
    if (!std::isfinite(run_ms)) throw Error(ErrorCode::bad_input, "a timing is not finite");
  }
  std::sort(sorted.begin(), sorted.end());

  LatencySummary summary;
  summary.n_runs = sorted.size();
  summary.p50_ms = percentile(sorted, 50);
  summary.p90_ms = percentile(sorted, 90);
  summary.p95_ms = percentile(sorted, 95);
  summary.p99_ms = percentile(sorted, 99);
  summary.min_ms = sorted.front();
  summary.max_ms = sorted.back();
  const auto n = static_cast<double>(sorted.size());
  summary.mean_ms = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n;
  double squares = 0.0;
  for (const double run_ms : sorted) {
    squares += (run_ms - summary.mean_ms) * (run_ms - summary.mean_ms);
  }
  if (sorted.size() > 1) summary.sd_ms = std::sqrt(squares / (n - 1.0));
  return summary;
}

}  // namespace espalier::measure
