#include "measure/pareto.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::measure {
namespace {

bool is_finite(const ParetoPoint& point) {
  return std::isfinite(point.cost) && std::isfinite(point.value);
}

bool beats(const ParetoPoint& a, const ParetoPoint& b) {
  return a.cost <= b.cost && a.value >= b.value && (a.cost < b.cost || a.value > b.value);
}

}  // namespace

std::vector<std::size_t> pareto_front(std::span<const ParetoPoint> points) {
  std::vector<std::size_t> front;
  for (std::size_t index = 0; index < points.size(); ++index) {
    const ParetoPoint& point = points[index];
    if (!is_finite(point)) continue;
    const bool is_beaten = std::any_of(points.begin(), points.end(), [&](const ParetoPoint& other) {
      return is_finite(other) && beats(other, point);
    });
    if (!is_beaten) front.push_back(index);
  }
  std::stable_sort(front.begin(), front.end(), [points](std::size_t a, std::size_t b) {
    return points[a].cost < points[b].cost;
  });
  return front;
}

}  // namespace espalier::measure
