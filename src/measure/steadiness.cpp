#include "measure/steadiness.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "espalier/error.hpp"
#include "measure/significance.hpp"

namespace espalier::measure {
namespace {

std::vector<double> sorted(std::span<const double> values) {
  std::vector<double> copy(values.begin(), values.end());
  std::sort(copy.begin(), copy.end());
  return copy;
}

double median(std::span<const double> values) {
  return percentile(sorted(values), 50);
}

}  // namespace

Steadiness steadiness(std::span<const double> runs_ms) {
  const std::vector<double> in_rank = sorted(runs_ms);
  const double first_quartile = percentile(in_rank, 25);  // refuses nothing to look at
  const double third_quartile = percentile(in_rank, 75);
  const double fence = third_quartile + 3 * (third_quartile - first_quartile);
  Steadiness found;
  found.n_outliers = static_cast<std::size_t>(
      in_rank.end() - std::upper_bound(in_rank.begin(), in_rank.end(), fence));
  const std::size_t third = runs_ms.size() / 3;
  if (third > 0) found.drift = median(runs_ms.last(third)) / median(runs_ms.first(third)) - 1;
  return found;
}

MedianInterval median_interval(std::span<const double> values) {
  const std::vector<double> in_rank = sorted(values);
  MedianInterval interval{.median = percentile(in_rank, 50)};
  const auto n = static_cast<double>(in_rank.size());
  // Ranks from 1: the (n + 1)/2th, less and plus half the width of a binomial of one half.
  const double half_width = kNormal95 * std::sqrt(n) / 2;
  const double low = std::floor(n / 2 - half_width);
  const double high = std::ceil(n / 2 + 1 + half_width);
  interval.low = in_rank[static_cast<std::size_t>(std::max(low, 1.0)) - 1];
  interval.high = in_rank[static_cast<std::size_t>(std::min(high, n)) - 1];
  return interval;
}

double control_loop_ms() {
  constexpr int kSteps = 1'000'000;
  // Multiplier and increment of Knuth's MMIX generator: any odd numbers would do.
  constexpr std::uint64_t kMultiplier = 6364136223846793005U;
  constexpr std::uint64_t kIncrement = 1442695040888963407U;
  volatile std::uint64_t seed = 1;  // so that no compiler knows the outcome, nor leaves it out
  const Stopwatch watch;
  std::uint64_t state = seed;
  for (int step = 0; step < kSteps; ++step) state = state * kMultiplier + kIncrement;
  seed = state;
  return watch.elapsed_ms();
}

ControlSummary::ControlSummary(std::span<const double> runs_ms)
    : latency(summarize(runs_ms)),
      spread(latency.p90_ms / latency.p50_ms - 1),
      drift(steadiness(runs_ms).drift) {}

std::optional<bool> ControlSummary::is_steady() const {
  if (latency.n_runs < 3) return std::nullopt;
  return spread < 0.05 && std::abs(drift) < 0.02;
}

std::string_view ControlSummary::verdict() const {
  const std::optional<bool> steady = is_steady();
  if (!steady) return "too few runs to tell whether the machine was steady";
  return *steady ? "the machine was steady"
                 : "the machine was not steady; smaller differences mean nothing";
}

}  // namespace espalier::measure
