// Least squared error by search: a coarse grid over both ends, then a fine one around its best.
#include "compress/quantize/range_methods.hpp"

#include <algorithm>
#include <limits>

namespace espalier::quantize {
namespace {

constexpr int kCoarse = 20;  // shares of an end: 1/20, 2/20 ... 1
constexpr int kFine = 5;     // steps of 1/100 to either side of the best of these

double squared_error(const Histogram& histogram, Range range) {
  const canonical::RowCode codes = static_codes(range);
  double error = 0;
  for (std::size_t bin = 0; bin < Histogram::kBins; ++bin) {
    const std::uint64_t count = histogram.counts()[bin];
    if (count == 0) continue;
    const double x = histogram.centre(bin);
    const double off =
        x - canonical::code_difference(static_cast<float>(x), codes) * double{codes.scale};
    error += static_cast<double>(count) * off * off;
  }
  return error;
}

struct Best {
  double low = 1;  // shares of the seen range's ends
  double high = 1;
  double error = std::numeric_limits<double>::infinity();
};

Range shrunk(Range range, double low, double high) {
  return {static_cast<float>(range.low * low), static_cast<float>(range.high * high)};
}

void try_shares(const Histogram& histogram, double low, double high, Best& best) {
  const double error = squared_error(histogram, shrunk(histogram.range(), low, high));
  if (error < best.error) best = {low, high, error};
}

}  // namespace

Range mse_range(const Histogram& histogram, const MethodOptions&) {
  const Range seen = histogram.range();
  // An end at 0 stays there, whatever its share.
  const int n_low = seen.low < 0 ? kCoarse : 1;
  const int n_high = seen.high > 0 ? kCoarse : 1;
  Best best;
  for (int low = 0; low < n_low; ++low) {
    for (int high = 0; high < n_high; ++high) {
      try_shares(histogram, 1 - double{1} * low / kCoarse, 1 - double{1} * high / kCoarse, best);
    }
  }
  const Best coarse = best;
  const auto fine = [](double share, int step) {
    return std::clamp(share + step / (5.0 * kCoarse), 1 / (5.0 * kCoarse), 1.0);
  };
  for (int low = -kFine; low <= kFine; ++low) {
    for (int high = -kFine; high <= kFine; ++high) {
      try_shares(histogram, fine(coarse.low, low), fine(coarse.high, high), best);
    }
  }
  return shrunk(seen, best.low, best.high);
}

}  // namespace espalier::quantize
