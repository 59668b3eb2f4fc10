// What single methods keep to, beyond what all do (methods_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/prune/unit_scores.hpp"
#include "espalier/error.hpp"
#include "tests/compress/prune/given.hpp"

namespace espalier::prune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Random, GivesAnotherModelForAnotherSeed) {
  const Given given(three_layers());

  EXPECT_FALSE(same_bits(given.prune(method("random"), 0.5, 1).bert,
                         given.prune(method("random"), 0.5, 2).bert));
}

// Units by lot at half the cost stand on average for half of each layer: no half is preferred.
TEST(Random, TakesFromAllHalvesAlike) {
  const Given given(three_layers());
  double heads = 0, neurons = 0;
  constexpr int kSeeds = 40;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Pruned pruned = given.prune(method("random"), 0.5, static_cast<std::uint64_t>(seed));
    for (const checkpoint::LayerWidths& widths : pruned.bert.config.layers) {
      heads += static_cast<double>(widths.heads.size()) / (4.0 * 3 * kSeeds);
      neurons += widths.intermediate / (64.0 * 3 * kSeeds);
    }
  }

  EXPECT_NEAR(heads, 0.5, 0.15);
  EXPECT_NEAR(neurons, 0.5, 0.15);
}

model::Bert without_weights() {
  model::Bert bert = model::cut(three_layers(), model::all_units(three_layers()));
  for (model::Layer& layer : bert.layers) {
    for (model::Linear* linear : {&layer.query, &layer.key, &layer.value, &layer.attention_output,
                                  &layer.up, &layer.down}) {
      linear->weight.zero_();
    }
  }
  return bert;
}

TEST(Magnitude, LooksAtAllWeightsOfAHead) {
  for (int part = 0; part < 4; ++part) {
    model::Bert bert = without_weights();
    model::Layer& layer = bert.layers[1];
    model::Linear* linears[] = {&layer.query, &layer.key, &layer.value, &layer.attention_output};
    linears[part]->weight.slice(part == 3 ? 1 : 0, 2 * 8, 3 * 8).fill_(0.5);
    const Given given(bert);
    const double share = given.cost.layers[0].heads[1] / given.cost.of(bert.config.layers);

    const model::Bert small = given.prune(method("magnitude"), 1.001 * share).bert;

    EXPECT_THAT(small.config.layers[1].heads, ElementsAre(2)) << part;
  }
}

TEST(Magnitude, LooksAtAllWeightsOfANeuron) {
  for (const bool is_up : {true, false}) {
    model::Bert bert = without_weights();
    model::Linear& linear = is_up ? bert.layers[1].up : bert.layers[1].down;
    linear.weight.slice(is_up ? 0 : 1, 40, 41).fill_(0.5);
    const Given given(bert);
    const double share = given.cost.layers[0].neurons[1] / given.cost.of(bert.config.layers);

    const model::Bert small = given.prune(method("magnitude"), 1.001 * share).bert;

    EXPECT_EQ(small.config.layers[1].intermediate, 1U) << is_up;
    EXPECT_TRUE(small.layers[1].up.bias.equal(bert.layers[1].up.bias.slice(0, 40, 41)));
    EXPECT_TRUE(small.layers[1].up.weight.equal(bert.layers[1].up.weight.slice(0, 40, 41)));
    EXPECT_TRUE(small.layers[1].down.weight.equal(bert.layers[1].down.weight.slice(1, 40, 41)));
  }
}

std::vector<std::size_t> layers_that_stay(const model::Bert& bert, std::string_view choice,
                                          std::uint32_t n_layers, const Sample* sample = nullptr) {
  return prune_layers(
             {.bert = bert, .sample = sample, .n_layers = n_layers, .layer_choice = choice})
      .layers;
}

TEST(Layers, AreTheFirstTheLastOrSpread) {
  EXPECT_THAT(layers_that_stay(three_layers(), "first", 2), ElementsAre(0, 1));
  EXPECT_THAT(layers_that_stay(three_layers(), "last", 2), ElementsAre(1, 2));
  EXPECT_THAT(layers_that_stay(three_layers(), "spread", 1), ElementsAre(2));
}

TEST(Layers, ThatGiveBackWhatTheyAreGivenContributeLeast) {
  const PruningTask task;
  for (const std::size_t idle : {0U, 1U, 2U}) {
    model::Bert bert = model::cut(three_layers(), model::all_units(three_layers()));
    bert.layers[idle].attention_output.weight.zero_();
    bert.layers[idle].down.weight.zero_();

    const auto layers = layers_that_stay(bert, "contribution", 2, &task.sample);

    EXPECT_THAT(layers, ::testing::Not(::testing::Contains(idle)));
    EXPECT_EQ(layers.size(), 2U);
  }
}

TEST(Layers, ContributeByTheirTokensWithoutPadding) {
  const PruningTask task;
  std::vector<std::size_t> shortest_and_longest = {0, 0};
  for (std::size_t example = 0; example < task.train.size(); ++example) {
    if (task.train.length(example) < task.train.length(shortest_and_longest[0])) {
      shortest_and_longest[0] = example;
    }
    if (task.train.length(example) > task.train.length(shortest_and_longest[1])) {
      shortest_and_longest[1] = example;
    }
  }
  Sample together, alone;
  together.batches = {task.training.batch(shortest_and_longest, 0)};
  for (const std::size_t example : shortest_and_longest) {
    alone.batches.push_back(task.training.batch({&example, 1}, 0));
  }

  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const model::Bert bert = lively_bert(three_layers().config, seed);
    EXPECT_EQ(layers_that_stay(bert, "contribution", 1, &together),
              layers_that_stay(bert, "contribution", 1, &alone))
        << seed;
  }
}

TEST(Layers, RefuseWhatCannotBe) {
  const auto refusal = [](std::string_view choice, std::uint32_t n_layers) -> std::string {
    try {
      (void)layers_that_stay(three_layers(), choice, n_layers);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      return error.what();
    }
    return "no error";
  };

  EXPECT_THAT(refusal("spread", 0), HasSubstr("the model has 3 layers"));
  EXPECT_THAT(refusal("first", 4), HasSubstr("the model has 3 layers"));
  EXPECT_THAT(refusal("contribution", 2), HasSubstr("give --train"));
  EXPECT_THAT(refusal("prettiest", 2), HasSubstr("prettiest"));
}

// A model that has learned something: half of it is enough for those who look, not by lot.
TEST(MethodsThatLook, KeepMoreOfWhatAModelHasLearnedThanTheLot) {
  const Given given(trained_bert());
  ASSERT_LT(loss_of(given.bert, given.task.judging), 0.2);
  const auto mean_loss = [&](std::string_view name) {
    double sum = 0;
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      sum += loss_of(given.prune(method(name), 0.5, seed).bert, given.task.judging);
    }
    return sum / 3;
  };

  const double dense = loss_of(given.bert, given.task.judging);
  const double half_way = (dense + mean_loss("random")) / 2;
  ASSERT_GT(half_way, dense + 0.05) << "nothing was lost by lot";
  EXPECT_LT(mean_loss("magnitude"), half_way);
  EXPECT_LT(mean_loss("taylor"), half_way);
  EXPECT_LT(mean_loss("fisher"), half_way);
  EXPECT_LT(mean_loss("kprune"), half_way);
}

// |sum of the gradients of the units that `kept` removes|², summed over sentences: what the second
// search of Kwon et al. makes smaller, by gradients such as the first one saw.
double joint_gradient(const UnitGradients& gradients, const std::vector<model::Kept>& kept) {
  double sum = 0;
  const auto add = [&](const at::Tensor& all, const std::vector<std::uint32_t>& units) {
    at::Tensor is_gone = at::ones({all.size(1)}, all.options());
    for (const std::uint32_t unit : units) is_gone[unit] = 0;
    sum += all.matmul(is_gone).square().sum().item<double>();
  };
  for (std::size_t layer = 0; layer < kept.size(); ++layer) {
    add(gradients.heads[layer], kept[layer].heads);
    add(gradients.neurons[layer], kept[layer].neurons);
  }
  return sum;
}

TEST(Fisher, ExchangesUnitsUntilThoseRemovedMatterLessTogether) {
  const Given given(three_layers());
  const UnitGradients gradients =
      answer_gradients(given.bert, given.task.sample, /*temperature=*/2, /*seed=*/1);
  const Scores scores = scores_of(
      gradients, [](const at::Tensor& of_sentences) { return of_sentences.square().mean(0); });
  const std::vector<model::Kept> first = search(scores, given.cost, {.budget = given.budget(0.5)});

  const model::Bert pruned = given.prune(method("fisher"), 0.5).bert;

  std::vector<model::Kept> kept;
  for (std::size_t index = 0; index < 3; ++index) {
    kept.push_back({.heads = pruned.config.layers[index].heads, .neurons = {}});
    const at::Tensor neurons = original_neurons(pruned.layers[index], given.bert.layers[index]);
    for (std::int64_t row = 0; row < neurons.size(0); ++row) {
      kept.back().neurons.push_back(static_cast<std::uint32_t>(neurons[row].item<std::int64_t>()));
    }
    EXPECT_EQ(kept[index].heads.size(), first[index].heads.size());
    EXPECT_EQ(kept[index].neurons.size(), first[index].neurons.size());
  }
  EXPECT_LT(joint_gradient(gradients, kept), joint_gradient(gradients, first));
}

}  // namespace
}  // namespace espalier::prune
