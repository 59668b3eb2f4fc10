// Whether a difference between two models, or an accuracy, is more than chance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace espalier::measure {

/// McNemar's test of two models on the same rows; only rows that one of them gets right matter.
struct McNemar {
  std::size_t only_first = 0;   ///< rows only the first model gets right
  std::size_t only_second = 0;  ///< rows only the second model gets right
  double p_exact = 1.0;         ///< two-sided exact conditional p-value, at most 1
  double p_mid = 1.0;           ///< the same with half the weight of what was seen: less cautious
};

/// Tests `first` against `second`, both (rows), 1 where the model is right and 0 where it is wrong.
/// Throws Error(bad_input) if they differ in length or are empty.
/// Source: Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91.
[[nodiscard]] McNemar mcnemar(std::span<const std::uint8_t> first,
                              std::span<const std::uint8_t> second);

/// The same from the two counts of rows that one model alone gets right.
[[nodiscard]] McNemar mcnemar(std::size_t only_first, std::size_t only_second);

/// An interval in percent.
struct Interval {
  double low = 0.0;
  double high = 0.0;
};

/// Standard normal quantile at 0.975, for two-sided intervals of 95 %.
inline constexpr double kNormal95 = 1.959963984540054;

/// Wilson's interval for the share `n_right` of `n_rows`, without continuity correction.
/// Throws Error(bad_input) if there are no rows or fewer than right ones.
/// Source: Wilson 1927, JASA 22:209-212.
[[nodiscard]] Interval wilson_interval(std::size_t n_right, std::size_t n_rows,
                                       double quantile = kNormal95);

/// Interval for the accuracy of the first model less that of the second on the same `n_rows`, in
/// points of percent, from the counts of rows that one of them alone gets right: Wald's with one
/// row added to each count (Laplace), which holds its 95 % for few rows too.
/// Throws Error(bad_input) if there are no rows, or fewer than the two counts.
/// Source: Bonett and Price 2012, Journal of Educational and Behavioral Statistics 37:479-488.
[[nodiscard]] Interval paired_difference(const McNemar& counts, std::size_t n_rows,
                                         double quantile = kNormal95);

}  // namespace espalier::measure
