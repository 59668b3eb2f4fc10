// Percentiles of signed values: those of magnitudes would give a range without a negative side to
// a tensor that has one.
#include "compress/quantize/range_methods.hpp"

#include <algorithm>

namespace espalier::quantize {

Range percentile_range(const Histogram& histogram, const MethodOptions& options) {
  const double wanted =
      options.percentile / 100 * static_cast<double>(histogram.total());  // values within an end
  const auto edge = [&](std::size_t bin) {
    return static_cast<float>(histogram.range().low +
                              static_cast<double>(bin) * histogram.bin_width());
  };
  const auto n_bins_to = [&](auto begin, auto end) {
    std::uint64_t n_values = 0;
    std::size_t n_bins = 0;
    for (auto count = begin; count != end; ++count) {
      n_values += *count;
      ++n_bins;
      if (static_cast<double>(n_values) >= wanted) break;
    }
    return n_bins;
  };
  const auto counts = histogram.counts();
  const std::size_t from_below = n_bins_to(counts.begin(), counts.end());
  const std::size_t from_above = n_bins_to(counts.rbegin(), counts.rend());
  return {std::clamp(edge(Histogram::kBins - from_above), histogram.range().low, 0.0F),
          std::clamp(edge(from_below), 0.0F, histogram.range().high)};
}

}  // namespace espalier::quantize
