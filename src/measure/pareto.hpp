// The choices that nothing else beats, for charts and reports of what each gain costs.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace espalier::measure {

/// A choice by what it costs and what it gives.
struct ParetoPoint {
  double cost = 0;   ///< less is better
  double value = 0;  ///< more is better
};

/// The points that no other point beats, by index, from the least cost on. A point beats another
/// when it is no worse in both and better in one: equal points are both on the front. Points that
/// are not finite are on no front and beat nothing. Source: Kung, Luccio and Preparata 1975, On
/// Finding the Maxima of a Set of Vectors.
[[nodiscard]] std::vector<std::size_t> pareto_front(std::span<const ParetoPoint> points);

}  // namespace espalier::measure
