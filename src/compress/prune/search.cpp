#include "compress/prune/search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "espalier/error.hpp"

namespace espalier::prune {
namespace {

constexpr std::size_t kBuckets = 20000;  // of the budget; each half wastes less than one

struct Option {
  std::uint32_t n_kept;
  std::size_t buckets;  // of the budget
  double score;         // of the units kept
};

// Units from the greatest score to the least.
std::vector<std::uint32_t> ranked(const std::vector<double>& scores) {
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });
  return order;
}

// The buckets that a cost takes; more than there are when it is not affordable at all.
std::size_t count_buckets(double cost, double bucket) {
  const double exact = std::ceil(cost / bucket - 1e-9);
  return exact <= kBuckets ? static_cast<std::size_t>(exact) : kBuckets + 1;
}

// The widths that one half of a layer may have: of those that take the same buckets the largest.
std::vector<Option> options_of(const std::vector<double>& scores, const std::vector<double>& cost,
                               std::uint32_t multiple, double bucket) {
  const std::vector<std::uint32_t> order = ranked(scores);
  std::vector<Option> options;
  double score = 0;
  for (std::uint32_t n = 0; n <= order.size(); ++n) {
    if (n > 0) score += scores[order[n - 1]];
    if (n % multiple != 0 && n != order.size()) continue;
    const std::size_t buckets = count_buckets(cost[n] - cost[0], bucket);
    if (!options.empty() && options.back().buckets == buckets) options.pop_back();
    options.push_back({n, buckets, score});
  }
  return options;
}

std::vector<std::uint32_t> best_units(const std::vector<double>& scores, std::uint32_t n_kept) {
  std::vector<std::uint32_t> order = ranked(scores);
  order.resize(n_kept);
  std::sort(order.begin(), order.end());
  return order;
}

// The option of every half that together score most within kBuckets.
std::vector<std::size_t> best_options(const std::vector<std::vector<Option>>& halves) {
  std::vector<double> best(kBuckets + 1, 0.0);  // of the halves so far, with so many buckets
  std::vector<std::vector<std::uint32_t>> chosen(halves.size(),
                                                 std::vector<std::uint32_t>(kBuckets + 1));
  for (std::size_t half = 0; half < halves.size(); ++half) {
    std::vector<double> next(kBuckets + 1, -std::numeric_limits<double>::infinity());
    for (std::size_t index = 0; index < halves[half].size(); ++index) {
      const Option& option = halves[half][index];
      for (std::size_t left = option.buckets; left <= kBuckets; ++left) {
        const double score = best[left - option.buckets] + option.score;
        if (score <= next[left]) continue;
        next[left] = score;
        chosen[half][left] = static_cast<std::uint32_t>(index);
      }
    }
    best = std::move(next);
  }
  std::vector<std::size_t> choice(halves.size());
  std::size_t left = kBuckets;
  for (std::size_t half = halves.size(); half-- > 0;) {
    choice[half] = chosen[half][left];
    left -= halves[half][choice[half]].buckets;
  }
  return choice;
}

}  // namespace

std::vector<model::Kept> search(const Scores& scores, const Cost& cost,
                                const SearchLimits& limits) {
  double least = cost.rest, most = cost.rest;
  for (const LayerCost& layer : cost.layers) {
    least += layer.heads.front() + layer.neurons.front();
    most += layer.heads.back() + layer.neurons.back();
  }
  if (least > limits.budget) {
    throw Error(ErrorCode::usage,
                "the target cannot be reached: without any head and neuron the model still costs " +
                    std::to_string(least) + " " + cost.unit + ", allowed are " +
                    std::to_string(limits.budget) + "; ask for less");
  }
  const bool all = limits.budget >= most;
  const double bucket = std::max((limits.budget - least) / static_cast<double>(kBuckets), 1e-300);
  std::vector<std::vector<Option>> halves;
  for (std::size_t layer = 0; layer < scores.size(); ++layer) {
    halves.push_back(options_of(scores[layer].heads, cost.layers[layer].heads, 1, bucket));
    halves.push_back(options_of(scores[layer].neurons, cost.layers[layer].neurons,
                                limits.neuron_multiple, bucket));
  }
  const std::vector<std::size_t> choice = all ? std::vector<std::size_t>() : best_options(halves);
  std::vector<model::Kept> kept(scores.size());
  for (std::size_t layer = 0; layer < scores.size(); ++layer) {
    const auto count = [&](std::size_t half) {
      return all ? halves[half].back().n_kept : halves[half][choice[half]].n_kept;
    };
    kept[layer] = {.heads = best_units(scores[layer].heads, count(2 * layer)),
                   .neurons = best_units(scores[layer].neurons, count(2 * layer + 1))};
  }
  return kept;
}

}  // namespace espalier::prune
