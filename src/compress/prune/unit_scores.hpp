// From gradients of gates to a score for each unit.
#pragma once

#include <functional>

#include "compress/prune/sample.hpp"
#include "compress/prune/search.hpp"

namespace espalier::prune {

/// `reduce` turns (sentences, units) into (units).
[[nodiscard]] Scores scores_of(const UnitGradients& gradients,
                               const std::function<at::Tensor(const at::Tensor&)>& reduce);

/// (units) as numbers.
[[nodiscard]] std::vector<double> values_of(const at::Tensor& scores);

}  // namespace espalier::prune
