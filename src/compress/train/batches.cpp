#include "compress/train/batches.hpp"

#include <algorithm>
#include <numeric>

#include "base/random.hpp"

namespace espalier::train {
namespace {

// Examples are sorted by length within this many batches: enough for tight batches, few enough that
// who meets whom still changes from epoch to epoch.
constexpr std::size_t kBatchesSorted = 64;

}  // namespace

std::vector<Examples> epoch_batches(const objective::Objective& objective, std::size_t batch_size,
                                    std::uint64_t seed, std::uint64_t epoch) {
  Random random(mix(seed, epoch));
  Examples order(objective.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(std::span<std::size_t>(order), random);
  std::vector<Examples> batches;
  const std::size_t chunk = batch_size * kBatchesSorted;
  for (std::size_t begin = 0; begin < order.size(); begin += chunk) {
    const std::size_t end = std::min(begin + chunk, order.size());
    const auto at = [&order](std::size_t place) {
      return order.begin() + static_cast<std::ptrdiff_t>(place);
    };
    std::stable_sort(at(begin), at(end), [&objective](std::size_t first, std::size_t second) {
      return objective.length(first) < objective.length(second);
    });
    for (std::size_t place = begin; place < end; place += batch_size) {
      batches.emplace_back(at(place), at(std::min(place + batch_size, end)));
    }
  }
  shuffle(std::span<Examples>(batches), random);
  return batches;
}

}  // namespace espalier::train
