// Post-training pruning after Kwon et al. 2022, "A fast post-training pruning framework for
// transformers": a search by diagonal Fisher information (§4.1), an exchange of units within each
// layer by the rest of the matrix (§4.2), a least-squares fit of what stays (§4.3). Nothing is
// trained. Unlike there the information is of the model's own answers, which a model that knows its
// training labels by heart still has, and all output weights are fitted, to the dense model, not
// one factor for each unit: factors alone made answers worse here.
#include <ATen/TensorOperators.h>

#include <algorithm>

#include "compress/prune/pruner.hpp"
#include "compress/prune/reconstruction.hpp"
#include "compress/prune/unit_scores.hpp"

namespace espalier::prune {
namespace {

constexpr double kTemperature = 2;  // of the answers: also those that are sure have gradients
constexpr double kRidge = 1e-3;     // holds the fit back, of a feature's mean square

// Products of all pairs of units' gradients, summed over sentences.
class Products {
 public:
  explicit Products(const at::Tensor& gradients) : n_units_(gradients.size(1)) {
    const at::Tensor exact = gradients.to(at::kDouble);
    products_ = values_of(exact.t().matmul(exact));
  }
  [[nodiscard]] double of(std::size_t a, std::size_t b) const {
    return products_[a * static_cast<std::size_t>(n_units_) + b];
  }
  [[nodiscard]] std::size_t n_units() const { return static_cast<std::size_t>(n_units_); }

 private:
  std::int64_t n_units_;
  std::vector<double> products_;
};

// Exchanges units until no kept one, tried from the least important, can take the place of a pruned
// one such that the summed gradient of all pruned units gets smaller.
std::vector<std::uint32_t> exchange_units(const std::vector<std::uint32_t>& kept,
                                          const Products& products) {
  std::vector<bool> is_pruned(products.n_units(), true);
  for (const std::uint32_t unit : kept) is_pruned[unit] = false;
  std::vector<double> with_pruned(products.n_units(),
                                  0.0);  // of each unit with the pruned ones' sum
  const auto add = [&](std::size_t unit, double sign) {
    for (std::size_t other = 0; other < with_pruned.size(); ++other) {
      with_pruned[other] += sign * products.of(unit, other);
    }
  };
  for (std::size_t unit = 0; unit < is_pruned.size(); ++unit) {
    if (is_pruned[unit]) add(unit, 1);
  }
  std::vector<std::uint32_t> candidates = kept;
  std::stable_sort(candidates.begin(), candidates.end(), [&](std::uint32_t a, std::uint32_t b) {
    return products.of(a, a) < products.of(b, b);
  });
  for (const std::uint32_t candidate : candidates) {
    is_pruned[candidate] = true;
    add(candidate, 1);
    std::size_t returned = candidate;
    const auto without = [&](std::size_t unit) {  // but for a constant
      return products.of(unit, unit) - 2 * with_pruned[unit];
    };
    for (std::size_t unit = 0; unit < is_pruned.size(); ++unit) {
      if (is_pruned[unit] && without(unit) < without(returned)) returned = unit;
    }
    is_pruned[returned] = false;
    add(returned, -1);
  }
  std::vector<std::uint32_t> units;
  for (std::uint32_t unit = 0; unit < is_pruned.size(); ++unit) {
    if (!is_pruned[unit]) units.push_back(unit);
  }
  return units;
}

void fit(const Problem& problem, model::Bert& pruned) {
  Reconstruction walk(problem.bert, pruned, *problem.sample);
  const auto n_halves = static_cast<double>(2 * pruned.layers.size());
  for (int step = 0; !walk.at_end(); ++step, walk.advance()) {
    problem.report(0.4 + 0.6 * step / n_halves);
    refit_weights(output_weight(pruned, walk.half()), walk.observe(), kRidge);
  }
}

}  // namespace

Pruned prune_fisher(const Problem& problem) {
  problem.report(0);
  const UnitGradients gradients =
      answer_gradients(problem.bert, *problem.sample, kTemperature, problem.seed);
  const Scores scores = scores_of(
      gradients, [](const at::Tensor& of_sentences) { return of_sentences.square().mean(0); });
  std::vector<model::Kept> kept = search(scores, *problem.cost, problem.limits);
  problem.report(0.3);
  for (std::size_t layer = 0; layer < kept.size(); ++layer) {
    kept[layer].heads = exchange_units(kept[layer].heads, Products(gradients.heads[layer]));
    kept[layer].neurons = exchange_units(kept[layer].neurons, Products(gradients.neurons[layer]));
  }
  Pruned pruned = {.bert = model::cut(problem.bert, kept)};
  if (kept != model::all_units(problem.bert)) fit(problem, pruned.bert);
  return pruned;
}

}  // namespace espalier::prune
