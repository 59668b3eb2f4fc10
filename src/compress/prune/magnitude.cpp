// A unit matters as much as the squares of its weights sum up to, those that make it and those that
// spread it. Looks at no data. Source: Li et al. 2017, "Pruning filters for efficient ConvNets".
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include "compress/prune/pruner.hpp"
#include "compress/prune/unit_scores.hpp"

namespace espalier::prune {
Pruned prune_magnitude(const Problem& problem) {
  const at::NoGradGuard no_grad;
  Scores scores;
  const auto head_dim = static_cast<std::int64_t>(problem.bert.config.head_dim);
  for (const model::Layer& layer : problem.bert.layers) {
    at::Tensor channels = layer.attention_output.weight.square().sum(0);
    for (const model::Linear* linear : {&layer.query, &layer.key, &layer.value}) {
      channels = channels + linear->weight.square().sum(1);
    }
    const at::Tensor neurons = layer.up.weight.square().sum(1) + layer.down.weight.square().sum(0);
    scores.push_back(
        {.heads = values_of(channels.view({-1, head_dim}).sum(1)), .neurons = values_of(neurons)});
  }
  return cut_by(problem, scores);
}

}  // namespace espalier::prune
