// From --target-... to a cost table and a budget.
#pragma once

#include "compress/prune/cost.hpp"
#include "compress/prune/pruner.hpp"
#include "prune_request.hpp"

namespace espalier::tools {

struct PruneTarget {
  prune::Cost cost;
  double budget = 0;
};

/// Throws Error(usage) unless the target fits the method: one of the three for methods that make
/// layers narrower, none for others, what the others need in their place.
void check_target(const PruneRequest& request, const prune::Method& method);

/// mean_length: tokens of a sentence. dense_bytes: of the int8 file of the model as it is. For a
/// speed-up the machine is measured, or what was measured before is read from the user's cache.
[[nodiscard]] PruneTarget prune_target(const PruneRequest& request,
                                       const checkpoint::BertConfig& config, double mean_length,
                                       std::uint64_t dense_bytes);

}  // namespace espalier::tools
