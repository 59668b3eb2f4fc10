// The distribution of coded values against the one that was seen, clipped values at the ends of
// both.
#include "compress/quantize/range_methods.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace espalier::quantize {
namespace {

constexpr int kShares = 100;
constexpr int kCodes = 256;

// Bins [first, end) of a histogram are what a range keeps.
struct Window {
  std::size_t first;
  std::size_t end;
};

Window window_of(const Histogram& histogram, Range range) {
  const auto bin = [&](double x) {
    return std::clamp((x - histogram.range().low) / histogram.bin_width(), 0.0,
                      double{Histogram::kBins});
  };
  const auto first = static_cast<std::size_t>(std::floor(bin(range.low)));
  const auto end = static_cast<std::size_t>(std::ceil(bin(range.high)));
  return {first, std::max(end, first + 1)};
}

// Σ p log(p / q): p the counts of the window with what was clipped added to its ends, q the
// window's counts, those of a code spread evenly over its bins that are not empty. Counts add up to
// `total` in p and to less in q, which both are divided by.
double divergence(const Histogram& histogram, Window window) {
  const auto counts = histogram.counts();
  std::vector<double> seen(counts.begin() + static_cast<std::ptrdiff_t>(window.first),
                           counts.begin() + static_cast<std::ptrdiff_t>(window.end));
  std::vector<double> coded(seen.size());
  double kept = 0;
  for (int code = 0; code < kCodes; ++code) {
    const std::size_t begin = seen.size() * static_cast<std::size_t>(code) / kCodes;
    const std::size_t end = seen.size() * static_cast<std::size_t>(code + 1) / kCodes;
    double n_values = 0;
    double n_bins = 0;
    for (std::size_t bin = begin; bin < end; ++bin) {
      n_values += seen[bin];
      n_bins += seen[bin] > 0;
    }
    for (std::size_t bin = begin; bin < end; ++bin) {
      if (seen[bin] > 0) coded[bin] = n_values / n_bins;
    }
    kept += n_values;
  }
  if (!(kept > 0)) return std::numeric_limits<double>::infinity();
  for (std::size_t bin = 0; bin < window.first; ++bin) {
    seen.front() += static_cast<double>(counts[bin]);
  }
  for (std::size_t bin = window.end; bin < Histogram::kBins; ++bin) {
    seen.back() += static_cast<double>(counts[bin]);
  }
  const auto total = static_cast<double>(histogram.total());
  double sum = 0;
  for (std::size_t bin = 0; bin < seen.size(); ++bin) {
    if (!(seen[bin] > 0)) continue;
    // An end bin that is empty but for what was clipped counts as one value there.
    const double q = std::max(coded[bin], 1.0) / kept;
    sum += seen[bin] / total * std::log(seen[bin] / total / q);
  }
  return sum;
}

}  // namespace

Range entropy_range(const Histogram& histogram, const MethodOptions&) {
  const Range seen = histogram.range();
  if (!(histogram.bin_width() > 0)) return seen;
  Range best = seen;
  double least = std::numeric_limits<double>::infinity();
  for (int share = kShares; share > 0; --share) {
    const auto part = static_cast<float>(share) / kShares;
    const Range range = {seen.low * part, seen.high * part};
    const Window window = window_of(histogram, range);
    if (window.end - window.first < kCodes) break;  // fewer values to tell apart than codes
    const double distance = divergence(histogram, window);
    if (distance < least) {
      least = distance;
      best = range;
    }
  }
  return best;
}

}  // namespace espalier::quantize
