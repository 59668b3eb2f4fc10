// What every row of the table of methods keeps to: a new method is tested before its author writes
// a test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "compress/checkpoint/checkpoint.hpp"
#include "espalier/error.hpp"
#include "format/reader.hpp"
#include "format/writer.hpp"
#include "runtime/reference/reference.hpp"
#include "runtime/self_test.hpp"
#include "tests/compress/prune/given.hpp"

namespace espalier::prune {
namespace {

using ::testing::HasSubstr;

// Whether a method's row says that it fits the weights behind what it keeps.
bool refits(const Method& method) {
  return method.name == "fisher" || method.name == "kprune";
}

class EveryMethod : public ::testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] static const Method& row() { return method(GetParam()); }
  [[nodiscard]] static bool shrinks_widths() { return row().shrinks == Shrinks::widths; }
};

class EveryMethodOfUnits : public EveryMethod {};    // which takes a budget
class EveryMethodThatLooks : public EveryMethod {};  // at these units, not by lot

TEST_P(EveryMethod, ChangesNoBitWhenAllMayStay) {
  if (row().shrinks == Shrinks::embedding) GTEST_SKIP() << "factors of full rank are refused";
  const Given given(three_layers());

  const Pruned pruned = given.prune(row(), 1);

  EXPECT_TRUE(same_bits(pruned.bert, given.bert));
  EXPECT_NE(pruned.bert.word.const_data_ptr(), given.bert.word.const_data_ptr());
}

TEST_P(EveryMethodOfUnits, MeetsTheBudgetAndLeavesLessThanAUnit) {
  const Given given(three_layers());
  for (const double share : {0.8, 0.5, 0.21}) {
    const Pruned pruned = given.prune(row(), share);

    const double cost = given.cost.of(pruned.bert.config.layers);
    EXPECT_LE(cost, given.budget(share) * (1 + 1e-12)) << share;
    // The search counts in 20,000ths of the budget and wastes less than one a half.
    EXPECT_GT(cost, given.budget(share) * (1 - 6.0 / 20'000) - given.cost.layers[0].heads[1])
        << share;
  }
}

TEST_P(EveryMethod, MakesSmallerWhatItsRowSays) {
  const Given given(three_layers());

  const model::Bert small = given.prune(row(), 0.5).bert;

  EXPECT_LT(model::parameter_count(small), model::parameter_count(given.bert));
  EXPECT_EQ(small.config.layers.size() < 3, row().shrinks == Shrinks::layers);
  EXPECT_EQ(small.config.layers[0].intermediate + small.config.layers[1].intermediate < 128,
            row().shrinks == Shrinks::widths);
  EXPECT_EQ(small.config.vocab < given.bert.config.vocab, row().shrinks == Shrinks::vocabulary);
  EXPECT_EQ(small.config.embedding_rank, row().shrinks == Shrinks::embedding ? 16U : 0U);
}

TEST_P(EveryMethodOfUnits, RoundsNeuronsAsItIsTold) {
  const Given given(three_layers());

  const Pruned pruned = given.prune(row(), 0.5, 1, 16);

  EXPECT_LE(given.cost.of(pruned.bert.config.layers), given.budget(0.5) * (1 + 1e-12));
  for (const checkpoint::LayerWidths& widths : pruned.bert.config.layers) {
    EXPECT_EQ(widths.intermediate % 16, 0U);
  }
}

TEST_P(EveryMethod, GivesTheSameModelForTheSameSeed) {
  const Given given(three_layers());

  EXPECT_TRUE(same_bits(given.prune(row(), 0.5, 3).bert, given.prune(row(), 0.5, 3).bert));
}

TEST_P(EveryMethod, LeavesWhatSurvivesAsItWas) {
  const Given given(three_layers());

  const Pruned pruned = given.prune(row(), 0.5);

  bool is_refitted = false;
  for (std::size_t index = 0; index < pruned.bert.layers.size(); ++index) {
    const std::size_t original = pruned.layers.empty() ? index : pruned.layers[index];
    const model::Layer& now = pruned.bert.layers[index];
    const model::Layer& before = given.bert.layers[original];
    const std::vector<std::uint32_t> units =
        model::head_channels(pruned.bert.config.layers[index].heads, 8);
    const at::Tensor channels =
        at::tensor(std::vector<std::int64_t>(units.begin(), units.end()), at::kLong);
    EXPECT_TRUE(now.query.weight.equal(before.query.weight.index_select(0, channels)));
    EXPECT_TRUE(now.key.bias.equal(before.key.bias.index_select(0, channels)));
    EXPECT_TRUE(now.value.weight.equal(before.value.weight.index_select(0, channels)));
    EXPECT_TRUE(now.attention_output.bias.equal(before.attention_output.bias));
    EXPECT_TRUE(now.output_norm.weight.equal(before.output_norm.weight));
    is_refitted |= !now.attention_output.weight.equal(
        before.attention_output.weight.index_select(1, channels));
    const at::Tensor neurons = original_neurons(now, before);
    ASSERT_EQ(neurons.size(0), now.up.weight.size(0));
    EXPECT_TRUE((neurons.slice(0, 1) > neurons.slice(0, 0, -1)).all().item<bool>());
    is_refitted |= !now.down.weight.equal(before.down.weight.index_select(1, neurons));
  }
  EXPECT_EQ(is_refitted, refits(row()));
  EXPECT_EQ(pruned.bert.word.equal(given.bert.word),
            shrinks_widths() || row().shrinks == Shrinks::layers);
  EXPECT_TRUE(pruned.bert.classifier->weight.equal(given.bert.classifier->weight));
}

// Half of the units put out nothing; with a budget for the others all of these stay, and with them
// the answers. (The budget has a little more, which the search may waste.)
TEST_P(EveryMethodThatLooks, RemovesUnitsThatDoNothingFirst) {
  model::Bert bert = model::cut(three_layers(), model::all_units(three_layers()));
  std::vector<checkpoint::LayerWidths> alive = bert.config.layers;
  for (std::size_t index = 0; index < 3; ++index) {
    model::Layer& layer = bert.layers[index];
    const auto n_dead_heads = static_cast<std::int64_t>(index + 1);
    for (model::Linear* linear : {&layer.query, &layer.key, &layer.value}) {
      linear->weight.slice(0, 0, 8 * n_dead_heads).zero_();
    }
    layer.attention_output.weight.slice(1, 0, 8 * n_dead_heads).zero_();
    layer.up.weight.slice(0, 0, 32).zero_();
    layer.down.weight.slice(1, 0, 32).zero_();
    alive[index].heads.erase(alive[index].heads.begin(), alive[index].heads.begin() + n_dead_heads);
    alive[index].intermediate = 32;
  }
  Given given(bert);
  const double share = 1.002 * given.cost.of(alive) / given.cost.of(bert.config.layers);

  const Pruned pruned = given.prune(row(), share);

  EXPECT_EQ(pruned.bert.config.layers, alive);
  const model::TokenTensors& tokens = given.task.sample.batches[1].tokens;
  EXPECT_LE((logits(pruned.bert, tokens) - logits(bert, tokens)).abs().max().item<float>(), 1e-4F);
}

TEST_P(EveryMethod, MakesAModelThatIsSavedAndLoaded) {
  const Given given(three_layers());
  const Pruned pruned = given.prune(row(), 0.4);
  const testing::TemporaryFolder folder;

  model::save_bert(pruned.bert, folder.path(), model::WeightType::f32, Overwrite::refuse);

  EXPECT_TRUE(
      same_bits(model::load_bert(checkpoint::Checkpoint::open(folder.path())), pruned.bert));
}

TEST_P(EveryMethod, MakesAModelThatRunsFromItsFile) {
  const Given given(three_layers());
  for (const double share : {0.4, shrinks_widths() ? 0.0 : 0.1}) {  // down to a model of no units
    const Pruned pruned = given.prune(row(), share);
    for (const Precision precision : {Precision::fp32, Precision::int8}) {
      const compress::ExportedModel model =
          exported(pruned.bert, precision, pruned.tokenizer.value_or(tiny_spec()).pieces);
      const auto file = format::ModelFile::parse(FileBytes::copy(format::to_bytes(model.spec())));

      const format::ModelSpec& spec = file.spec();
      const runtime::Backend& reference = runtime::reference_backend();
      const auto prepared = reference.prepare(spec);
      runtime::Executor executor(reference, *prepared, spec, 1, runtime::default_limits(spec));
      EXPECT_TRUE(runtime::self_test(executor).passed);
      if (precision != Precision::fp32) continue;
      // Its answers are those of the model in LibTorch, whose sums have another order.
      for (const format::SelfTestCase& test : spec.self_test.cases) {
        std::vector<std::int64_t> ids, segments(test.segments.begin(), test.segments.end());
        for (const TokenId id : test.ids) ids.push_back(to_int(id));
        const at::Tensor said =
            logits(pruned.bert, {.ids = at::tensor(ids, at::kLong).unsqueeze(0),
                                 .segments = at::tensor(segments, at::kLong).unsqueeze(0),
                                 .mask = {}});
        EXPECT_TRUE(at::allclose(said[0], at::tensor(test.expected), 1e-3, 1e-4)) << said;
      }
    }
  }
}

TEST_P(EveryMethod, PrunesAgainWhatWasPruned) {
  const Given given(three_layers());
  const Pruned once = given.prune(row(), 0.7);
  const Given second(once.bert, once.tokenizer.value_or(tiny_spec()));

  const Pruned twice = second.prune(row(), 0.5);

  EXPECT_LT(model::parameter_count(twice.bert), model::parameter_count(once.bert));
  for (std::size_t layer = 0; layer < twice.bert.layers.size(); ++layer) {
    const auto& now = twice.bert.config.layers[layer].heads;
    const auto& before = once.bert.config.layers[layer].heads;
    EXPECT_TRUE(std::includes(before.begin(), before.end(), now.begin(), now.end()));
  }
}

std::vector<std::string> names_of_methods(const std::function<bool(const Method&)>& which) {
  std::vector<std::string> names;
  for (const Method& row : methods()) {
    if (which(row)) names.emplace_back(row.name);
  }
  return names;
}

bool any(const Method&) {
  return true;
}

// What cuts while it trains is tested in gradual_test.cpp.
bool cuts_at_once(const Method& row) {
  return !row.while_training();
}

bool of_units(const Method& row) {
  return cuts_at_once(row) && row.shrinks == Shrinks::widths;
}

bool looks_at_units(const Method& row) {
  return of_units(row) && row.name != "random";
}

std::string name_of(const ::testing::TestParamInfo<std::string>& instance) {
  return instance.param;
}

INSTANTIATE_TEST_SUITE_P(OfTheTable, EveryMethod,
                         ::testing::ValuesIn(names_of_methods(cuts_at_once)), name_of);
INSTANTIATE_TEST_SUITE_P(OfTheTable, EveryMethodOfUnits,
                         ::testing::ValuesIn(names_of_methods(of_units)), name_of);
INSTANTIATE_TEST_SUITE_P(OfTheTable, EveryMethodThatLooks,
                         ::testing::ValuesIn(names_of_methods(looks_at_units)), name_of);

TEST(Method, RefusesANameThatNoneHas) {
  try {
    (void)method("sorcery");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("no method 'sorcery'"));
    for (const std::string& name : names_of_methods(any)) {
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
}

}  // namespace
}  // namespace espalier::prune
