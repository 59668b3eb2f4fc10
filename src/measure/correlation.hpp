// How well predicted numbers follow the true ones: Pearson and Spearman.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace espalier::measure {

/// Pearson's correlation of two series (n), in [-1, 1]; nothing if either is constant.
/// Throws Error(bad_input) if they differ in length, are empty or hold a value that is not finite.
[[nodiscard]] std::optional<double> pearson(std::span<const double> first,
                                            std::span<const double> second);

/// Spearman's correlation: Pearson's of the average ranks. Otherwise as pearson().
[[nodiscard]] std::optional<double> spearman(std::span<const double> first,
                                             std::span<const double> second);

/// Of the `n_top` values of largest magnitude in each series (of equal ones the first), the share
/// that both have at the same places, in [0, 1]; of all values where there are fewer. Throws
/// Error(bad_input) if they differ in length, are empty or n_top is 0.
[[nodiscard]] double top_overlap(std::span<const double> first, std::span<const double> second,
                                 std::size_t n_top);

/// The rank of each value, from 1; equal values share the mean of their ranks.
[[nodiscard]] std::vector<double> average_ranks(std::span<const double> values);

}  // namespace espalier::measure
