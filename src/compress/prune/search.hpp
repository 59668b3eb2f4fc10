// Which units to keep when each has a score and the budget is short: the best sum of scores that
// the cost table allows, found by dynamic programming over layers instead of a greedy walk, because
// measured costs rise in steps.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/model/surgery.hpp"
#include "compress/prune/cost.hpp"

namespace espalier::prune {

/// How much each unit of a layer matters; not negative.
struct LayerScores {
  std::vector<double> heads;
  std::vector<double> neurons;
};

using Scores = std::vector<LayerScores>;

struct SearchLimits {
  double budget = 0;                  // in the unit of the cost
  std::uint32_t neuron_multiple = 1;  // a feed-forward keeps a multiple of it, or all
};

/// What each layer keeps: of every width the units with the greatest scores, widths such that the
/// sum of scores is the greatest that costs at most the budget (sums are exact only if the loss is
/// a sum over units, as in Kwon et al. 2022, §4.1). Costs are counted in 20,000ths of what the
/// budget allows above a model without units, rounded up for each half of a layer: the rest of one
/// is what a half may waste. Equal scores: the first unit stays; units that cost nothing stay. A
/// budget for all keeps all. Throws Error(usage) naming what is left when even a model without any
/// unit costs more.
[[nodiscard]] std::vector<model::Kept> search(const Scores& scores, const Cost& cost,
                                              const SearchLimits& limits);

}  // namespace espalier::prune
