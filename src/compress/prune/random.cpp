// Units by lot, every layer alike: the baseline that shows what any score is worth.
#include "base/random.hpp"
#include "compress/prune/pruner.hpp"

namespace espalier::prune {

Pruned prune_random(const Problem& problem) {
  Random random(mix(problem.seed));
  Scores scores;
  for (std::size_t layer = 0; layer < problem.cost->layers.size(); ++layer) {
    const LayerCost& cost = problem.cost->layers[layer];
    // A unit's score is what it costs, give or take a little: no half is preferred.
    const auto draw = [&](const std::vector<double>& costs) {
      std::vector<double> drawn(costs.size() - 1);
      const double each =
          drawn.empty() ? 0 : (costs.back() - costs.front()) / static_cast<double>(drawn.size());
      for (double& score : drawn) score = each * (0.5 + random.uniform());
      return drawn;
    };
    scores.push_back({.heads = draw(cost.heads), .neurons = draw(cost.neurons)});
  }
  return cut_by(problem, scores);
}

}  // namespace espalier::prune
