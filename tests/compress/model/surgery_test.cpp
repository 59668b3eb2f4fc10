#include "compress/model/surgery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/model/checkpoint_io.hpp"
#include "espalier/error.hpp"
#include "tests/compress/model/uneven_bert.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// In double precision: a sum of at most 64 products of size 10 is off by 64 * 10 * 2⁻⁵³ < 1e-13 in
// whatever order it is taken, and three layers that normalise keep it there.
constexpr double kTolerance = 1e-11;

std::vector<at::Tensor> parameters(const Bert& bert) {
  std::vector<at::Tensor> values;
  for_each_parameter(bert,
                     [&](const std::string&, const at::Tensor& value) { values.push_back(value); });
  return values;
}

std::string refusal_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
  return "no error";
}

at::Tensor logits(const Bert& bert, const Gates* gates = nullptr) {
  return head_logits(bert, encode(bert, uneven_tokens(), {}, nullptr, gates));
}

// 0 for what a cut takes away, 1 for what it keeps.
Gates gates_like(const Bert& bert, const std::vector<Kept>& kept) {
  Gates gates;
  const auto gate = [&](std::size_t n_units, const std::vector<std::uint32_t>& units) {
    at::Tensor open = at::zeros({1, static_cast<std::int64_t>(n_units)}, bert.word.options());
    for (const std::uint32_t unit : units) open[0][unit] = 1;
    return open;
  };
  for (std::size_t layer = 0; layer < kept.size(); ++layer) {
    const checkpoint::LayerWidths& widths = bert.config.layers[layer];
    gates.heads.push_back(gate(widths.heads.size(), kept[layer].heads));
    gates.neurons.push_back(gate(widths.intermediate, kept[layer].neurons));
  }
  return gates;
}

// Uneven, with a layer without heads, one without neurons, and one without either.
std::vector<Kept> deep_cut() {
  return {{.heads = {1, 2, 7}, .neurons = {0, 5, 6, 23}},
          {.heads = {}, .neurons = {3}},
          {.heads = {4}, .neurons = {}},
          {.heads = {}, .neurons = {}}};
}

TEST(Cut, KeepingAllGivesTheSameBitsInMemoryOfTheirOwn) {
  const Bert bert = uneven_bert();

  const Bert copy = cut(bert, all_units(bert));

  EXPECT_EQ(copy.config.layers, bert.config.layers);
  const std::vector<at::Tensor> before = parameters(bert);
  const std::vector<at::Tensor> after = parameters(copy);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t index = 0; index < before.size(); ++index) {
    EXPECT_TRUE(after[index].equal(before[index])) << index;
    EXPECT_NE(after[index].const_data_ptr(), before[index].const_data_ptr()) << index;
  }
}

TEST(Cut, ComputesWhatTheWholeModelDoesWithItsUnitsSwitchedOff) {
  const Bert bert = in_double(uneven_bert());
  const Gates gates = gates_like(bert, deep_cut());

  const Bert small = cut(bert, deep_cut());

  EXPECT_LE((logits(small) - logits(bert, &gates)).abs().max().item<double>(), kTolerance);
  EXPECT_GT((logits(small) - logits(bert)).abs().max().item<double>(), 1e-3);
}

TEST(Cut, HasTensorsOfWhatIsKeptAndNoMore) {
  const Bert small = cut(uneven_bert(), deep_cut());

  for (std::size_t index = 0; index < small.layers.size(); ++index) {
    const Layer& layer = small.layers[index];
    const auto attention = static_cast<std::int64_t>(4 * deep_cut()[index].heads.size());
    const auto neurons = static_cast<std::int64_t>(deep_cut()[index].neurons.size());
    for (const Linear* linear : {&layer.query, &layer.key, &layer.value}) {
      EXPECT_THAT(linear->weight.sizes(), ElementsAre(attention, 32));
      EXPECT_THAT(linear->bias.sizes(), ElementsAre(attention));
    }
    EXPECT_THAT(layer.attention_output.weight.sizes(), ElementsAre(32, attention));
    EXPECT_THAT(layer.attention_output.bias.sizes(), ElementsAre(32));
    EXPECT_THAT(layer.up.weight.sizes(), ElementsAre(neurons, 32));
    EXPECT_THAT(layer.up.bias.sizes(), ElementsAre(neurons));
    EXPECT_THAT(layer.down.weight.sizes(), ElementsAre(32, neurons));
    EXPECT_THAT(layer.down.bias.sizes(), ElementsAre(32));
    EXPECT_EQ(small.config.layers[index].intermediate, deep_cut()[index].neurons.size());
  }
  EXPECT_EQ(small.config.intermediate, 24U) << "the original model's";
  EXPECT_EQ(small.config.n_heads, 8U);
}

TEST(Cut, KeepsTheBitsOfWhatStays) {
  const Bert bert = uneven_bert();

  const Bert small = cut(bert, deep_cut());

  EXPECT_TRUE(
      small.layers[0].key.weight.slice(0, 4, 8).equal(bert.layers[0].key.weight.slice(0, 8, 12)));
  EXPECT_TRUE(small.layers[2].attention_output.weight.equal(
      bert.layers[2].attention_output.weight.slice(1, 16, 20)));
  EXPECT_TRUE(small.layers[0].up.bias[3].equal(bert.layers[0].up.bias[23]));
  EXPECT_TRUE(
      small.layers[0].down.weight.select(1, 1).equal(bert.layers[0].down.weight.select(1, 5)));
  EXPECT_TRUE(small.classifier->weight.equal(bert.classifier->weight));
}

TEST(Cut, NamesHeadsAsTheOriginalModelDidAfterCutUponCut) {
  std::vector<Kept> kept = all_units(uneven_bert());
  kept[1].heads = {0, 3, 5, 6};
  const Bert once = cut(uneven_bert(), kept);
  kept[1].heads = {1, 2};

  const Bert twice = cut(once, kept);

  EXPECT_THAT(once.config.layers[1].heads, ElementsAre(0, 3, 5, 6));
  EXPECT_THAT(twice.config.layers[1].heads, ElementsAre(3, 5));
  EXPECT_TRUE(twice.layers[1].query.weight.equal(uneven_bert().layers[1].query.weight.index_select(
      0, at::tensor({12, 13, 14, 15, 20, 21, 22, 23}, at::kLong))));
}

TEST(Cut, LeavesTheModelItWasGivenAlone) {
  const Bert bert = uneven_bert();
  const at::Tensor before = logits(bert);

  Bert small = cut(bert, deep_cut());
  for_each_parameter(small, [](const std::string&, at::Tensor& value) { value.zero_(); });

  EXPECT_TRUE(logits(bert).equal(before));
  EXPECT_EQ(bert.config.layers, uneven_bert().config.layers);
}

TEST(Cut, GivesParametersWithoutHistory) {
  Bert bert = uneven_bert();
  for_each_parameter(bert,
                     [](const std::string&, at::Tensor& value) { value.set_requires_grad(true); });

  const Bert small = cut(bert, deep_cut());

  for (const at::Tensor& value : parameters(small)) EXPECT_FALSE(value.requires_grad());
}

TEST(Cut, RefusesUnitsThatAreNotThereOrOutOfOrder) {
  const Bert bert = uneven_bert();
  const auto refusal = [&](Kept second) {
    std::vector<Kept> kept = all_units(bert);
    kept[1] = std::move(second);
    return refusal_of([&] { (void)cut(bert, kept); });
  };

  EXPECT_THAT(refusal({.heads = {0, 8}, .neurons = {}}), HasSubstr("layer 1 has 8 heads"));
  EXPECT_THAT(refusal({.heads = {}, .neurons = {24}}), HasSubstr("layer 1 has 24 neurons"));
  EXPECT_THAT(refusal({.heads = {3, 2}, .neurons = {}}), HasSubstr("rising order"));
  EXPECT_THAT(refusal({.heads = {}, .neurons = {7, 7}}), HasSubstr("rising order"));
  EXPECT_EQ(refusal({.heads = {7}, .neurons = {23}}), "no error");
}

TEST(Cut, RefusesAnotherNumberOfLayers) {
  std::vector<Kept> kept = all_units(uneven_bert());
  kept.pop_back();

  EXPECT_THAT(refusal_of([&] { (void)cut(uneven_bert(), kept); }),
              HasSubstr("3 layers was given for a model of 4"));
}

TEST(Cut, GivesAModelThatIsSavedAndLoadedWithTheSameBits) {
  const Bert small = cut(uneven_bert(), deep_cut());
  const testing::TemporaryFolder folder;

  save_bert(small, folder.path(), WeightType::f32, Overwrite::refuse);
  const Bert loaded = load_bert(checkpoint::Checkpoint::open(folder.path()));

  EXPECT_EQ(loaded.config.layers, small.config.layers);
  EXPECT_TRUE(logits(loaded).equal(logits(small)));
}

TEST(HeadChannels, ListsWhatLiesBesideEachOther) {
  const std::vector<std::uint32_t> heads = {1, 3};

  EXPECT_THAT(head_channels(heads, 3), ElementsAre(3, 4, 5, 9, 10, 11));
  EXPECT_THAT(head_channels({}, 3), ElementsAre());
}

}  // namespace
}  // namespace espalier::model
