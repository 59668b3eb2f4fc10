// Which part of a tensor's values gets codes of its own: a table of methods that read a histogram.
// What lies past the range counts as its end.
#pragma once

#include <span>
#include <string_view>

#include "compress/quantize/observer.hpp"

namespace espalier::quantize {

struct MethodOptions {
  double percentile = 99.99;  // of percentile: 50 to 100
};

/// A row of the table. The range contains 0 and keeps both signs of what was seen.
struct RangeMethod {
  std::string_view name;
  Range (*choose)(const Histogram& histogram, const MethodOptions& options);
};

[[nodiscard]] std::span<const RangeMethod> range_methods();

/// Throws Error(usage), listing the names, when there is no such method.
[[nodiscard]] const RangeMethod& range_method(std::string_view name);

// One for each file.

/// All that was seen.
[[nodiscard]] Range minmax_range(const Histogram& histogram, const MethodOptions& options);

/// From the (100 - p)th to the pth percentile of the signed values, whole bins at both ends.
[[nodiscard]] Range percentile_range(const Histogram& histogram, const MethodOptions& options);

/// The range with the least mean squared error of the coded values, each end searched on its own.
[[nodiscard]] Range mse_range(const Histogram& histogram, const MethodOptions& options);

/// The range whose coded values have the distribution nearest to what was seen: least
/// Kullback-Leibler divergence, both ends drawn in by the same share. Source: Migacz 2017, "8-bit
/// inference with TensorRT", there for magnitudes.
[[nodiscard]] Range entropy_range(const Histogram& histogram, const MethodOptions& options);

}  // namespace espalier::quantize
