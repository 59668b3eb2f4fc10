#include "compress/prune/search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/random.hpp"
#include "espalier/error.hpp"

namespace espalier::prune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Found {
  double score = 0;
  double cost = 0;
};

struct SmallProblem {
  Scores scores;
  Cost cost;

  [[nodiscard]] double least() const {
    double sum = cost.rest;
    for (const LayerCost& layer : cost.layers) sum += layer.heads[0] + layer.neurons[0];
    return sum;
  }
  [[nodiscard]] double most() const {
    double sum = cost.rest;
    for (const LayerCost& layer : cost.layers) sum += layer.heads.back() + layer.neurons.back();
    return sum;
  }
  [[nodiscard]] Found of(const std::vector<model::Kept>& kept) const {
    Found found{0, cost.rest};
    for (std::size_t layer = 0; layer < kept.size(); ++layer) {
      for (const std::uint32_t head : kept[layer].heads) found.score += scores[layer].heads[head];
      for (const std::uint32_t neuron : kept[layer].neurons) {
        found.score += scores[layer].neurons[neuron];
      }
      found.cost += cost.layers[layer].heads[kept[layer].heads.size()] +
                    cost.layers[layer].neurons[kept[layer].neurons.size()];
    }
    return found;
  }
};

// Costs that start above 0, rise by steps of all sizes and often not at all.
std::vector<double> random_costs(std::size_t n_units, Random& random) {
  std::vector<double> costs = {random.uniform()};
  for (std::size_t unit = 0; unit < n_units; ++unit) {
    costs.push_back(costs.back() + (random.below(3) == 0 ? 0.0 : 5 * random.uniform()));
  }
  return costs;
}

std::vector<double> random_scores(std::size_t n_units, Random& random) {
  std::vector<double> scores(n_units);
  for (double& score : scores) score = random.uniform() * random.uniform();
  return scores;
}

SmallProblem random_problem(std::size_t n_layers, std::uint64_t seed) {
  Random random(seed);
  SmallProblem problem;
  problem.cost.unit = "ms";
  problem.cost.rest = random.uniform();
  for (std::size_t layer = 0; layer < n_layers; ++layer) {
    const std::size_t n_heads = random.below(4);
    const std::size_t n_neurons = 1 + random.below(6);
    problem.scores.push_back(
        {.heads = random_scores(n_heads, random), .neurons = random_scores(n_neurons, random)});
    problem.cost.layers.push_back(
        {.heads = random_costs(n_heads, random), .neurons = random_costs(n_neurons, random)});
  }
  return problem;
}

// Every width of every half, each with its best units.
double best_score(const SmallProblem& problem, const SearchLimits& limits) {
  struct Choice {
    double score;
    double cost;
  };
  std::vector<Choice> all = {{0, problem.cost.rest}};
  const auto extend = [&](std::vector<double> scores, const std::vector<double>& costs,
                          std::uint32_t multiple) {
    std::sort(scores.begin(), scores.end(), std::greater<>());
    std::vector<Choice> longer;
    for (const Choice& choice : all) {
      double score = 0;
      for (std::size_t n = 0; n <= scores.size(); ++n) {
        if (n > 0) score += scores[n - 1];
        if (n % multiple != 0 && n != scores.size()) continue;
        longer.push_back({choice.score + score, choice.cost + costs[n]});
      }
    }
    all = std::move(longer);
  };
  for (std::size_t layer = 0; layer < problem.scores.size(); ++layer) {
    extend(problem.scores[layer].heads, problem.cost.layers[layer].heads, 1);
    extend(problem.scores[layer].neurons, problem.cost.layers[layer].neurons,
           limits.neuron_multiple);
  }
  double best = -1;
  for (const Choice& choice : all) {
    if (choice.cost <= limits.budget * (1 + 1e-12)) best = std::max(best, choice.score);
  }
  return best;
}

// One layer of four heads and five neurons, a unit of each costs as much.
SmallProblem plain_problem() {
  return {.scores = {{.heads = {4, 1, 3, 2}, .neurons = {1, 5, 5, 5, 0.5}}},
          .cost = {.unit = "ms", .layers = {{{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4, 5}}}, .rest = 10}};
}

TEST(Search, FindsNoWorseThanEveryCombinationOfWidths) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::size_t n_layers = 1 + seed % 3;
    const SmallProblem problem = random_problem(n_layers, seed);
    Random random(1000 + seed);
    const double least = problem.least();
    const double above = (problem.most() - least) * random.uniform();
    const auto multiple = static_cast<std::uint32_t>(1 + seed % 4);

    const Found found = problem.of(search(problem.scores, problem.cost,
                                          {.budget = least + above, .neuron_multiple = multiple}));

    EXPECT_LE(found.cost, (least + above) * (1 + 1e-12)) << seed;
    // Each of two halves a layer may waste a 20,000th of what the budget leaves to units.
    const double wasted = above * 2 * static_cast<double>(n_layers) / 20'000;
    EXPECT_GE(found.score,
              best_score(problem, {.budget = least + above - wasted, .neuron_multiple = multiple}) -
                  1e-12)
        << seed;
  }
}

TEST(Search, KeepsTheUnitsWithTheGreatestScores) {
  const SmallProblem problem = plain_problem();

  const auto kept = search(problem.scores, problem.cost, {.budget = 15.5});

  EXPECT_THAT(kept[0].heads, ElementsAre(0, 2));
  EXPECT_THAT(kept[0].neurons, ElementsAre(1, 2, 3));
}

// Three neurons cost 3, by less than a 20,000th more than there is.
TEST(Search, SpendsNotEvenALittleTooMuch) {
  const SmallProblem problem = plain_problem();

  const auto kept = search(problem.scores, problem.cost, {.budget = 12.99995});

  EXPECT_THAT(kept[0].neurons, ElementsAre(1, 2));
}

TEST(Search, PrefersTheFirstOfEqualUnits) {
  const SmallProblem problem = plain_problem();

  const auto kept = search(problem.scores, problem.cost, {.budget = 12.5});

  EXPECT_THAT(kept[0].heads, IsEmpty());
  EXPECT_THAT(kept[0].neurons, ElementsAre(1, 2));
}

TEST(Search, KeepsAllWhenTheBudgetIsEnoughForAll) {
  for (const double budget : {19.0, 1e9}) {
    SmallProblem problem = plain_problem();
    problem.scores[0].neurons.assign(5, 0.0);

    const auto kept =
        search(problem.scores, problem.cost, {.budget = budget, .neuron_multiple = 4});

    EXPECT_THAT(kept[0].heads, ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(kept[0].neurons, ElementsAre(0, 1, 2, 3, 4));
  }
}

TEST(Search, KeepsNothingWhenTheBudgetIsForNothing) {
  for (const double scale : {1.0, 1e9}) {
    SmallProblem problem = plain_problem();
    for (double& cost : problem.cost.layers[0].heads) cost *= scale;
    for (double& cost : problem.cost.layers[0].neurons) cost *= scale;

    const auto kept = search(problem.scores, problem.cost, {.budget = 10});

    EXPECT_THAT(kept[0].heads, IsEmpty());
    EXPECT_THAT(kept[0].neurons, IsEmpty());
  }
}

TEST(Search, KeepsAMultipleOfNeuronsOrAllOfThem) {
  const SmallProblem problem = plain_problem();
  const auto n_neurons = [&](double budget, std::uint32_t multiple) {
    return search(problem.scores, problem.cost, {.budget = budget, .neuron_multiple = multiple})[0]
        .neurons.size();
  };

  EXPECT_EQ(n_neurons(13.5, 1), 3U);
  EXPECT_EQ(n_neurons(13.5, 2), 2U);
  EXPECT_EQ(n_neurons(18.5, 2), 4U);
  EXPECT_EQ(n_neurons(13.5, 4), 0U);
  EXPECT_EQ(n_neurons(15.5, 5), 5U);
}

TEST(Search, KeepsWhatCostsNothingEvenIfItIsWorthNothing) {
  SmallProblem problem = plain_problem();
  problem.cost.layers[0].neurons.assign(6, 2.0);
  problem.scores[0].neurons.assign(5, 0.0);

  const auto kept = search(problem.scores, problem.cost, {.budget = 13.5});

  EXPECT_THAT(kept[0].heads, ElementsAre(0));
  EXPECT_THAT(kept[0].neurons, ElementsAre(0, 1, 2, 3, 4));
}

TEST(Search, ClimbsToTheEndOfAStep) {
  SmallProblem problem = plain_problem();
  problem.cost.layers[0].heads = {0, 2, 2, 2, 4};
  problem.scores[0].neurons.assign(5, 0.1);

  const auto kept = search(problem.scores, problem.cost, {.budget = 12.5});

  EXPECT_THAT(kept[0].heads, ElementsAre(0, 2, 3));
}

TEST(Search, RefusesABudgetBelowWhatIsLeftWithoutUnits) {
  const SmallProblem problem = plain_problem();
  try {
    (void)search(problem.scores, problem.cost, {.budget = 9.5});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("still costs 10.000000 ms, allowed are 9.500000"));
  }
}

}  // namespace
}  // namespace espalier::prune
