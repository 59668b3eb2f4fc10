#include "compress/prune/gradual.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/compress/prune/given.hpp"

namespace espalier::prune {
namespace {

using objective::DistillObjective;
using objective::DistillOptions;

DistillOptions weighted(double hidden) {
  DistillOptions options{.weights = {.task = 0.1, .logits = 0.9, .hidden = hidden}};
  return options;
}

// A model that is to lose two thirds of its encoder, with itself as its teacher.
struct Distilled {
  explicit Distilled(double share = 1.0 / 3, double hidden = 1)
      : distillation(task.training, nullptr, teacher, teacher.config, weighted(hidden)),
        limits{.budget = share * cost.of(teacher.config.layers), .neuron_multiple = 4} {}

  [[nodiscard]] Gradual gradual(const GradualOptions& options = {}) const {
    return {distillation, teacher.config, cost, limits, options};
  }
  [[nodiscard]] objective::Batch batch() const {
    const std::vector<std::size_t> examples = {0, 3, 5, 9, 11, 40};
    return distillation.batch(examples, 0);
  }

  PruningTask task;
  const model::Bert& teacher = trained_bert();
  Cost cost = multiply_add_cost(teacher.config, task.sample.mean_length());
  DistillObjective distillation;
  SearchLimits limits;
};

// A copy that is not quite the teacher, ready to be trained.
model::Bert learner(const model::Bert& teacher) {
  model::Bert bert = model::cut(teacher, model::all_units(teacher));
  const model::Bert other = lively_bert(teacher.config, 3);
  const auto noise = parameters(other);
  std::size_t index = 0;
  model::for_each_parameter(bert, [&](const std::string&, at::Tensor& value) {
    value = (value + 0.05 * noise[index++].second).requires_grad_(true);
  });
  return bert;
}

TEST(Gradual, ScoresAreTheSquaresOfTheGatesGradients) {
  const Distilled given;
  const Gradual gradual = given.gradual();
  const model::Bert bert = learner(given.teacher);
  const objective::Batch batch = given.batch();
  model::Gates gates;
  for (const checkpoint::LayerWidths& widths : bert.config.layers) {
    gates.heads.push_back(
        at::ones({1, static_cast<std::int64_t>(widths.heads.size())}).requires_grad_(true));
    gates.neurons.push_back(at::ones({1, widths.intermediate}).requires_grad_(true));
  }
  // The answers' part of the loss, through gates: logits against the teacher's and labels.
  const at::Tensor x = model::encode(bert, batch.tokens, {}, nullptr, &gates);
  const at::Tensor answers = model::head_logits(bert, x);
  const at::Tensor wanted = logits(given.teacher, batch.tokens);
  const at::Tensor divergence =
      4 * (at::softmax(wanted / 2, -1) *
           (at::log_softmax(wanted / 2, -1) - at::log_softmax(answers / 2, -1)))
              .sum(-1)
              .mean();
  const at::Tensor expected_loss =
      0.9 * divergence + 0.1 * given.task.task->loss(answers, batch.targets);

  (void)gradual.loss(bert, batch, {});
  expected_loss.backward();

  const auto state = gradual.state();
  ASSERT_EQ(state.size(), 4U);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (const auto& [score, gate] :
         {std::pair(state[2 * layer].value, gates.heads[layer]),
          std::pair(state[2 * layer + 1].value, gates.neurons[layer])}) {
      const at::Tensor expected = 0.002 * gate.grad().view({-1}).to(at::kDouble).square();
      // fp32 sums in two orders: 1e-5 of the largest gradient, twice that when squared.
      EXPECT_LE((score - expected).abs().max().item<double>(),
                1e-4 * expected.max().item<double>());
      EXPECT_GT(expected.max().item<double>(), 0);
    }
  }
}

TEST(Gradual, HiddenStatesDoNotEnterTheScores) {
  const Distilled without(0.5, 1e-6), with(0.5, 100);
  const Gradual first = without.gradual(), second = with.gradual();
  const model::Bert bert = learner(without.teacher);

  (void)first.loss(bert, without.batch(), {});
  (void)second.loss(bert, with.batch(), {});

  for (std::size_t index = 0; index < first.state().size(); ++index) {
    EXPECT_TRUE(first.state()[index].value.equal(second.state()[index].value));
  }
}

TEST(Gradual, WatchingChangesNoGradient) {
  const Distilled given;
  const Gradual gradual = given.gradual();
  const model::Bert plain = learner(given.teacher), watched = learner(given.teacher);

  for (int batch = 0; batch < 2; ++batch) {  // accumulated
    given.distillation.loss(plain, given.batch(), {}).backward();
    gradual.loss(watched, given.batch(), {}).backward();
  }

  const auto expected = parameters(plain), got = parameters(watched);
  for (std::size_t index = 0; index < expected.size(); ++index) {
    EXPECT_TRUE(got[index].second.grad().equal(expected[index].second.grad())) << got[index].first;
  }
}

TEST(Gradual, TheBudgetFallsWithTheThirdPowerOfTheTimeLeft) {
  const Distilled given;
  const Gradual gradual = given.gradual({.begin = 0.2, .end = 0.4});
  const double dense = given.cost.of(given.teacher.config.layers);

  EXPECT_EQ(gradual.budget_at(0), dense);
  EXPECT_EQ(gradual.budget_at(0.2), dense);
  EXPECT_NEAR(gradual.budget_at(0.3), dense * (1.0 / 3 + 2.0 / 3 / 8), 1e-9 * dense);
  EXPECT_EQ(gradual.budget_at(0.4), given.limits.budget);
  EXPECT_EQ(gradual.budget_at(1), given.limits.budget);
}

// A cut is checked when it happens, so that not only the last one is seen.
class Costs final : public train::Hook {
 public:
  Costs(const model::Bert& bert, const Cost& cost) : bert_(bert), cost_(cost) {}
  void after_step(const train::StepReport&) override {
    of_steps.push_back(cost_.of(bert_.config.layers));
  }
  std::vector<double> of_steps;

 private:
  const model::Bert& bert_;
  const Cost& cost_;
};

train::TrainingOptions forty_steps() {
  train::TrainingOptions options;
  options.epochs = 4;
  options.batch_size = 16;
  options.learning_rate = 2e-3;
  options.dropout = 0;
  return options;
}

TEST(Gradual, TheModelShrinksStepByStepAndStillKnowsItsTask) {
  const Distilled given;
  Gradual gradual = given.gradual();
  model::Bert bert = model::cut(given.teacher, model::all_units(given.teacher));
  Costs costs(bert, given.cost);

  train::train(bert, gradual, nullptr, forty_steps(), {.hooks = {&costs}, .shaper = &gradual});

  // A hook sees a step before what it leads to.
  ASSERT_EQ(costs.of_steps.size(), 40U);
  const double dense = given.cost.of(given.teacher.config.layers);
  EXPECT_EQ(costs.of_steps[3], dense);
  EXPECT_LT(costs.of_steps[8], dense);
  EXPECT_GT(costs.of_steps[8], given.limits.budget);
  EXPECT_TRUE(std::is_sorted(costs.of_steps.rbegin(), costs.of_steps.rend()));
  EXPECT_LE(costs.of_steps[20], given.limits.budget);
  EXPECT_GT(costs.of_steps[39], 0.8 * given.limits.budget);
  EXPECT_LT(loss_of(bert, given.task.judging), loss_of(given.teacher, given.task.judging) + 0.15);
}

TEST(Gradual, UnitsThatNoAnswerNeedsGoFirst) {
  const Distilled given(0.8);
  model::Bert bert = model::cut(given.teacher, model::all_units(given.teacher));
  // Every second neuron says nothing, and nothing asks it to: its column and its gradient are 0.
  for (model::Layer& layer : bert.layers) {
    const at::NoGradGuard no_grad;
    layer.down.weight.slice(1, 0, c10::nullopt, 2).zero_();
    layer.up.weight.slice(0, 0, c10::nullopt, 2).zero_();
    layer.up.bias.slice(0, 0, c10::nullopt, 2).zero_();
  }
  model::for_each_parameter(
      bert, [](const std::string&, at::Tensor& value) { value.requires_grad_(true); });
  Gradual gradual = given.gradual();

  (void)gradual.loss(bert, given.batch(), {});
  const auto kept = gradual.after_step(bert, 50, 100);

  ASSERT_TRUE(kept.has_value());
  for (const model::Kept& layer : *kept) {
    EXPECT_EQ(layer.heads.size(), 4U);
    const auto n_even = std::count_if(layer.neurons.begin(), layer.neurons.end(),
                                      [](std::uint32_t neuron) { return neuron % 2 == 0; });
    EXPECT_LT(n_even, 32);
    const auto n_odd = static_cast<std::ptrdiff_t>(layer.neurons.size()) - n_even;
    EXPECT_EQ(n_odd, 32);
  }
}

TEST(Gradual, ABudgetForAllCutsNothing) {
  const Distilled given(1);
  Gradual gradual = given.gradual();
  model::Bert bert = model::cut(given.teacher, model::all_units(given.teacher));
  const model::Bert plain = [&] {
    model::Bert copy = model::cut(given.teacher, model::all_units(given.teacher));
    train::train(copy, given.distillation, nullptr, forty_steps(), {});
    return copy;
  }();

  train::train(bert, gradual, nullptr, forty_steps(), {.shaper = &gradual});

  EXPECT_TRUE(same_bits(bert, plain));
}

}  // namespace
}  // namespace espalier::prune
