#include "compress/quantize/range_methods.hpp"

#include <string>

#include "espalier/error.hpp"

namespace espalier::quantize {
namespace {

constexpr RangeMethod kMethods[] = {
    {"minmax", minmax_range},
    {"percentile", percentile_range},
    {"mse", mse_range},
    {"entropy", entropy_range},
};

}  // namespace

std::span<const RangeMethod> range_methods() {
  return kMethods;
}

const RangeMethod& range_method(std::string_view name) {
  std::string names;
  for (const RangeMethod& method : kMethods) {
    if (method.name == name) return method;
    names += (names.empty() ? "" : ", ") + std::string(method.name);
  }
  throw Error(ErrorCode::usage,
              "unknown method '" + std::string(name) + "'; choose one of " + names);
}

Range minmax_range(const Histogram& histogram, const MethodOptions&) {
  return histogram.range();
}

}  // namespace espalier::quantize
