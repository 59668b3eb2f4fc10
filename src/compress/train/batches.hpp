// Which examples meet in which step: shuffled, yet of like length, so that little is padded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compress/objective/objective.hpp"

namespace espalier::train {

using Examples = std::vector<std::size_t>;

/// The batches of one epoch: every example once, `batch_size` each and the rest in a smaller one.
/// A function of its arguments alone, so that a resumed run meets the batches it would have met.
[[nodiscard]] std::vector<Examples> epoch_batches(const objective::Objective& objective,
                                                  std::size_t batch_size, std::uint64_t seed,
                                                  std::uint64_t epoch);

}  // namespace espalier::train
