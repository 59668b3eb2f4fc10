// A unit matters as much as the loss would change, to first order, if the unit were switched off:
// the mean over sentences of |dloss/dgate|. Sources: Michel et al. 2019, "Are sixteen heads really
// better than one?", equation 2; Molchanov et al. 2017 for neurons.
#include <ATen/TensorOperators.h>

#include "compress/prune/pruner.hpp"
#include "compress/prune/unit_scores.hpp"

namespace espalier::prune {

Pruned prune_taylor(const Problem& problem) {
  problem.report(0, "gradients");
  const UnitGradients gradients = label_gradients(problem.bert, *problem.sample);
  const auto mean_size = [](const at::Tensor& of_sentences) { return of_sentences.abs().mean(0); };
  return cut_by(problem, scores_of(gradients, mean_size));
}

}  // namespace espalier::prune
