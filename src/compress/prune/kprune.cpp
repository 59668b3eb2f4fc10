// Deep cuts without training, after Park et al. 2024, "Accurate retraining-free pruning for
// pretrained encoder-based language models" (K-prune): half a layer at a time from the bottom, each
// time (a) score all units that are still to be judged, (b) search under what is left of the
// budget, (c) cut this half only, (d) fit its output weights to what the dense model computes
// there. Unlike there the units' worth for the answers is the curvature of the divergence from the
// model's own answers, and widths come from the search over measured costs.
#include <ATen/TensorOperators.h>

#include <algorithm>

#include "compress/prune/pruner.hpp"
#include "compress/prune/reconstruction.hpp"
#include "compress/prune/unit_scores.hpp"

namespace espalier::prune {
namespace {

constexpr double kTemperature = 2;  // of the answers: also those that are sure have gradients
// Weight of what a unit adds to its half's own output, beside what it is worth for the answers;
// each of the two sums up to 1 over all units of the dense model.
constexpr double kRepresentation = 0.2;
constexpr double kRidge = 1e-3;  // holds the fit back, of a feature's mean square

// What makes the scores sum up to 1; 0 where all of them are 0, as of a model with one answer.
double share_of(const Scores& scores) {
  double sum = 0;
  for (const LayerScores& layer : scores) {
    for (const double score : layer.heads) sum += score;
    for (const double score : layer.neurons) sum += score;
  }
  return sum > 0 ? 1 / sum : 0;
}

void add(Scores& scores, const Scores& more, double factor) {
  for (std::size_t layer = 0; layer < scores.size(); ++layer) {
    for (std::size_t unit = 0; unit < scores[layer].heads.size(); ++unit) {
      scores[layer].heads[unit] += factor * more[layer].heads[unit];
    }
    for (std::size_t unit = 0; unit < scores[layer].neurons.size(); ++unit) {
      scores[layer].neurons[unit] += factor * more[layer].neurons[unit];
    }
  }
}

// Σ_t |what the unit adds to token t's sum|² / n_tokens, of one half.
std::vector<double> representation(const at::Tensor& weight, const FitSums& sums,
                                   std::int64_t unit_width) {
  const at::Tensor exact = weight.to(at::kDouble);
  const std::int64_t n_units = weight.size(1) / unit_width;
  const at::Tensor products = (exact.t().matmul(exact) * sums.gram)
                                  .view({n_units, unit_width, n_units, unit_width})
                                  .sum({1, 3});
  return values_of(products.diagonal() / sums.n_tokens);
}

// Of all halves of the dense model.
Scores representations(const Problem& problem) {
  Reconstruction walk(problem.bert, problem.bert, *problem.sample);
  Scores scores(problem.bert.layers.size());
  for (; !walk.at_end(); walk.advance()) {
    const Half half = walk.half();
    const std::int64_t width = half.is_attention ? problem.bert.config.head_dim : 1;
    LayerScores& layer = scores[half.layer];
    (half.is_attention ? layer.heads : layer.neurons) =
        representation(output_weight(problem.bert, half), walk.observe(), width);
  }
  return scores;
}

// The part of a model that is not judged yet: costs of halves that are cut already count as fixed.
Cost remaining_cost(const Cost& cost, const Half& half,
                    const std::vector<checkpoint::LayerWidths>& widths) {
  Cost left = cost;
  const auto fix = [&left](std::vector<double>& table, std::size_t n_kept) {
    left.rest += table[n_kept];
    table.assign(n_kept + 1, 0.0);
  };
  for (std::size_t layer = 0; layer <= half.layer; ++layer) {
    const bool is_here = layer == half.layer;
    if (!is_here || !half.is_attention) fix(left.layers[layer].heads, widths[layer].heads.size());
    if (!is_here) fix(left.layers[layer].neurons, widths[layer].intermediate);
  }
  return left;
}

}  // namespace

Pruned prune_kprune(const Problem& problem) {
  const auto n_halves = static_cast<double>(2 * problem.bert.layers.size());
  Pruned pruned = {.bert = model::cut(problem.bert, model::all_units(problem.bert))};
  if (problem.cost->of(problem.bert.config.layers) <= problem.limits.budget) return pruned;
  problem.report(0);
  const Scores own = representations(problem);
  const double own_share = share_of(own);
  double answer_share = 0;
  model::Bert& bert = pruned.bert;
  Reconstruction walk(problem.bert, bert, *problem.sample);
  for (int step = 0; !walk.at_end(); ++step, walk.advance()) {
    problem.report((1 + step) / (1 + n_halves));
    const Half half = walk.half();
    const UnitGradients gradients =
        answer_gradients(bert, *problem.sample, kTemperature, problem.seed);
    Scores scores = scores_of(
        gradients, [](const at::Tensor& of_sentences) { return of_sentences.square().mean(0); });
    if (step == 0) answer_share = share_of(scores);
    for (LayerScores& layer : scores) {
      for (double& score : layer.heads) score *= answer_share;
      for (double& score : layer.neurons) score *= answer_share;
    }
    // Halves that are cut are fixed in the cost: their scores move nothing.
    Scores own_left = own;
    for (std::size_t layer = 0; layer < scores.size(); ++layer) {
      own_left[layer].heads.resize(scores[layer].heads.size());
      own_left[layer].neurons.resize(scores[layer].neurons.size());
    }
    add(scores, own_left, kRepresentation * own_share);
    const std::vector<model::Kept> wanted =
        search(scores, remaining_cost(*problem.cost, half, bert.config.layers), problem.limits);
    std::vector<model::Kept> kept = model::all_units(bert);
    if (half.is_attention) {
      kept[half.layer].heads = wanted[half.layer].heads;
    } else {
      kept[half.layer].neurons = wanted[half.layer].neurons;
    }
    bert = model::cut(bert, kept);
    refit_weights(output_weight(bert, half), walk.observe(), kRidge);
  }
  return pruned;
}

}  // namespace espalier::prune
