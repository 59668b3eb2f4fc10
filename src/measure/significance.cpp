#include "measure/significance.hpp"

#include <algorithm>
#include <cmath>

#include "measure/check.hpp"

namespace espalier::measure {
namespace {

/// Of X ~ Binomial(n, 1/2): the chances of X = k and of X <= k.
struct BinomialHalf {
  double at = 0.0;
  double up_to = 0.0;
};

BinomialHalf binomial_half(std::size_t k, std::size_t n) {
  // From the top down, relative to P(X = k): 2^-n itself underflows for n over 1074. Not lgamma(),
  // which writes a global.
  double log_at = -static_cast<double>(n) * std::log(2.0);
  for (std::size_t i = 1; i <= k; ++i) {
    log_at += std::log(static_cast<double>(n - i + 1) / static_cast<double>(i));
  }
  double sum = 1.0;
  double term = 1.0;
  for (std::size_t i = k; i > 0; --i) {
    term *= static_cast<double>(i) / static_cast<double>(n - i + 1);
    sum += term;
  }
  const double at = std::exp(log_at);
  return {at, at * sum};
}

}  // namespace

McNemar mcnemar(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second) {
  check_pairs(first.size(), second.size(), "answers of the first model",
              "answers of the second model");
  std::size_t only_first = 0;
  std::size_t only_second = 0;
  for (std::size_t row = 0; row < first.size(); ++row) {
    only_first += first[row] != 0 && second[row] == 0 ? 1 : 0;
    only_second += first[row] == 0 && second[row] != 0 ? 1 : 0;
  }
  return mcnemar(only_first, only_second);
}

McNemar mcnemar(std::size_t only_first, std::size_t only_second) {
  McNemar test{.only_first = only_first, .only_second = only_second};
  const BinomialHalf chance =
      binomial_half(std::min(only_first, only_second), only_first + only_second);
  const bool balanced = only_first == only_second;
  test.p_exact = balanced ? 1.0 : std::min(1.0, 2.0 * chance.up_to);
  test.p_mid = test.p_exact - (balanced ? chance.at / 2.0 : chance.at);
  return test;
}

Interval wilson_interval(std::size_t n_right, std::size_t n_rows, double quantile) {
  if (n_rows == 0 || n_right > n_rows) {
    throw Error(ErrorCode::bad_input, std::to_string(n_right) + " right of " +
                                          std::to_string(n_rows) + " rows make no accuracy");
  }
  const auto n = static_cast<double>(n_rows);
  const double share = static_cast<double>(n_right) / n;
  const double z2 = quantile * quantile;
  const double centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
  const double half =
      quantile / (1.0 + z2 / n) * std::sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n));
  return {100.0 * std::max(0.0, centre - half), 100.0 * std::min(1.0, centre + half)};
}

Interval paired_difference(const McNemar& counts, std::size_t n_rows, double quantile) {
  if (n_rows == 0 || counts.only_first + counts.only_second > n_rows) {
    throw Error(ErrorCode::bad_input,
                std::to_string(counts.only_first) + " and " + std::to_string(counts.only_second) +
                    " rows of " + std::to_string(n_rows) + " make no difference of accuracies");
  }
  const double n = static_cast<double>(n_rows) + 2.0;
  const double first = (static_cast<double>(counts.only_first) + 1.0) / n;
  const double second = (static_cast<double>(counts.only_second) + 1.0) / n;
  const double difference = first - second;
  const double half = quantile * std::sqrt((first + second - difference * difference) / n);
  return {100.0 * std::max(-1.0, difference - half), 100.0 * std::min(1.0, difference + half)};
}

}  // namespace espalier::measure
