#include "measure/correlation.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "measure/check.hpp"

namespace espalier::measure {
namespace {

void check_series(std::span<const double> first, std::span<const double> second) {
  check_pairs(first.size(), second.size(), "predicted numbers", "true numbers");
  for (const auto& series : {first, second}) {
    for (const double value : series) {
      if (!std::isfinite(value)) {
        throw Error(ErrorCode::bad_input, "a number to correlate is not finite");
      }
    }
  }
}

/// Scaled so that the largest magnitude is 1: squares of huge or tiny values stay in range.
std::vector<double> centred(std::span<const double> values) {
  double largest = 0.0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  std::vector<double> result(values.begin(), values.end());
  if (largest == 0.0) return result;
  double sum = 0.0;
  for (double& value : result) sum += value /= largest;
  const double mean = sum / static_cast<double>(result.size());
  for (double& value : result) value -= mean;
  return result;
}

bool is_constant(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values[0]; });
}

}  // namespace

std::optional<double> pearson(std::span<const double> first, std::span<const double> second) {
  check_series(first, second);
  // Not told from the variance: rounding of the mean leaves a constant series a tiny one.
  if (is_constant(first) || is_constant(second)) return std::nullopt;
  const std::vector<double> x = centred(first);
  const std::vector<double> y = centred(second);
  const double xy = std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  const double xx = std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
  const double yy = std::inner_product(y.begin(), y.end(), y.begin(), 0.0);
  if (xx == 0.0 || yy == 0.0) return std::nullopt;  // values that differ by less than rounding
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

std::vector<double> average_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t left, std::size_t right) { return values[left] < values[right]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    // Ranks begin + 1 to end: their mean.
    const double rank = static_cast<double>(begin + 1 + end) / 2.0;
    for (; begin < end; ++begin) ranks[order[begin]] = rank;
  }
  return ranks;
}

std::optional<double> spearman(std::span<const double> first, std::span<const double> second) {
  check_series(first, second);
  return pearson(average_ranks(first), average_ranks(second));
}

double top_overlap(std::span<const double> first, std::span<const double> second,
                   std::size_t n_top) {
  check_series(first, second);
  n_top = std::min(n_top, first.size());
  if (n_top == 0) throw Error(ErrorCode::bad_input, "none of the largest have nothing in common");
  const auto places_of_top = [n_top](std::span<const double> values) {
    std::vector<std::size_t> places(values.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::stable_sort(places.begin(), places.end(), [&](std::size_t left, std::size_t right) {
      return std::fabs(values[left]) > std::fabs(values[right]);
    });
    places.resize(n_top);
    std::sort(places.begin(), places.end());
    return places;
  };
  const std::vector<std::size_t> of_first = places_of_top(first);
  const std::vector<std::size_t> of_second = places_of_top(second);
  std::vector<std::size_t> both;
  std::set_intersection(of_first.begin(), of_first.end(), of_second.begin(), of_second.end(),
                        std::back_inserter(both));
  return static_cast<double>(both.size()) / static_cast<double>(n_top);
}

}  // namespace espalier::measure
