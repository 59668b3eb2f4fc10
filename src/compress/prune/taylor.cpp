// A unit matters as much as the loss would change, to first order, if the unit were switched off:
// the mean over sentences of |dloss/dgate|. Sources: Michel et al. 2019, "Are sixteen heads really
// better than one?", equation 2, where scores are normalised layer by layer too; Molchanov et al.
// 2017 for neurons. Gradients shrink on their way down and a head's is not a neuron's: here the
// scores of each half of a layer sum up to what the half costs, so that none is preferred.
#include <ATen/TensorOperators.h>

#include <numeric>

#include "compress/prune/pruner.hpp"
#include "compress/prune/unit_scores.hpp"

namespace espalier::prune {
namespace {

void scale_to_cost(std::vector<double>& scores, const std::vector<double>& cost) {
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  if (!(sum > 0)) return;
  for (double& score : scores) score *= (cost.back() - cost.front()) / sum;
}

}  // namespace

Pruned prune_taylor(const Problem& problem) {
  problem.report(0);
  const UnitGradients gradients = label_gradients(problem.bert, *problem.sample);
  Scores scores = scores_of(
      gradients, [](const at::Tensor& of_sentences) { return of_sentences.abs().mean(0); });
  for (std::size_t layer = 0; layer < scores.size(); ++layer) {
    scale_to_cost(scores[layer].heads, problem.cost->layers[layer].heads);
    scale_to_cost(scores[layer].neurons, problem.cost->layers[layer].neurons);
  }
  return cut_by(problem, scores);
}

}  // namespace espalier::prune
