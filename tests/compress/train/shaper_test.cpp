#include "compress/train/shaper.hpp"

#include <gtest/gtest.h>

#include <map>

#include "compress/train/trainer.hpp"
#include "small_task.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::train {
namespace {

using Cuts = std::map<std::uint64_t, std::vector<model::Kept>>;

// Cuts at given steps; counts, in its state, the units that it was told of.
class Planned final : public Shaper {
 public:
  explicit Planned(Cuts cuts) : cuts_(std::move(cuts)) {}

  std::optional<std::vector<model::Kept>> after_step(const model::Bert&, std::uint64_t step,
                                                     std::uint64_t n_steps) override {
    EXPECT_EQ(n_steps, 24U);
    marks_[0] += 1;
    const auto found = cuts_.find(step);
    if (found == cuts_.end()) return std::nullopt;
    return found->second;
  }
  void was_cut(std::span<const model::Kept> kept) override {
    told_of.assign(kept.begin(), kept.end());
  }
  std::vector<objective::NamedTensor> state() const override { return {{"marks", marks_}}; }

  [[nodiscard]] double n_steps_seen() const { return marks_[0].item<double>(); }

  std::vector<model::Kept> told_of;

 private:
  Cuts cuts_;
  at::Tensor marks_ = at::zeros({1}, at::kDouble);
};

Cuts two_cuts() {
  return {
      {5, {{.heads = {1}, .neurons = {0, 2, 4, 6, 8, 31}}, {.heads = {0, 1}, .neurons = {3, 4}}}},
      {9, {{.heads = {}, .neurons = {1, 5}}, {.heads = {1}, .neurons = {}}}}};
}

TEST(Shaper, KeepingAllChangesNoBit) {
  const SmallTask small;
  model::Bert plain = model::new_bert(small_config(), 1);
  model::Bert shaped = model::new_bert(small_config(), 1);
  const std::vector<model::Kept> all = model::all_units(plain);
  Planned shaper({{3, all}, {7, all}});

  train(plain, small.objective, nullptr, few_steps(), {});
  train(shaped, small.objective, nullptr, few_steps(), {.shaper = &shaper});

  EXPECT_EQ(shaper.told_of, all);
  EXPECT_EQ(bits_of(shaped), bits_of(plain)) << "moments were lost in a cut";
}

TEST(Shaper, TheModelGetsTheShapeAndGoesOnLearning) {
  const SmallTask small;
  model::Bert bert = model::new_bert(small_config(), 1);
  Planned shaper(two_cuts());

  const TrainingResult result =
      train(bert, small.objective, nullptr, few_steps(), {.shaper = &shaper});

  EXPECT_EQ(result.step, 24U);
  EXPECT_TRUE(bert.config.layers[0].heads.empty());
  EXPECT_EQ(bert.config.layers[0].intermediate, 2U);
  EXPECT_EQ(bert.config.layers[1].heads, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(bert.config.layers[1].intermediate, 0U);
  EXPECT_EQ(shaper.n_steps_seen(), 24);
  model::for_each_parameter(bert, [](const std::string& name, const at::Tensor& value) {
    EXPECT_FALSE(value.requires_grad()) << name;
  });
}

TEST(Shaper, WhatIsLeftOfTheFirstMomentsIsWhatWasThere) {
  const model::Bert bert = model::new_bert(small_config(), 1);
  std::vector<objective::NamedTensor> state = {{"steps", at::full({}, 7)}};
  for (const objective::NamedTensor& parameter : named_parameters(bert)) {
    state.push_back({"first." + parameter.name, parameter.value * 2});
  }
  const std::vector<model::Kept> kept = two_cuts()[5];

  const auto result = cut_along(state, {"first.", "second."}, bert, kept);

  const model::Bert smaller = model::cut(bert, kept);
  const auto parameters = named_parameters(smaller);
  ASSERT_EQ(result.size(), parameters.size() + 1);
  EXPECT_EQ(result[0].value.item<float>(), 7);
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    EXPECT_EQ(result[index + 1].name, "first." + parameters[index].name);
    EXPECT_TRUE(result[index + 1].value.equal(parameters[index].value * 2));
  }
}

TEST(Shaper, KeptUnitsAreThoseOfTheFirstModel) {
  const Cuts cuts = two_cuts();

  const std::vector<model::Kept> kept = kept_of(cuts.at(5), cuts.at(9));

  EXPECT_EQ(kept, (std::vector<model::Kept>{{.heads = {}, .neurons = {2, 31}},
                                            {.heads = {1}, .neurons = {}}}));
}

// Interrupted before, between and after the cuts.
TEST(Shaper, ResumedRunsEndWithTheSameBits) {
  const SmallTask small;
  model::Bert whole = model::new_bert(small_config(), 1);
  Planned shaper(two_cuts());
  const TrainingResult wanted =
      train(whole, small.objective, &small.judge, few_steps(), {.shaper = &shaper});

  for (std::uint64_t stop = 1; stop < 24; stop += 2) {
    const espalier::testing::TemporaryFolder folder;
    Planned before(two_cuts()), after(two_cuts());
    RunContext run{.state_file = folder.path() / "state.safetensors", .shaper = &before};
    std::uint64_t n_steps = 0;
    run.stop_requested = [&] { return ++n_steps >= stop; };
    model::Bert first = model::new_bert(small_config(), 1);
    ASSERT_EQ(train(first, small.objective, &small.judge, few_steps(), run).step, stop);

    run.resume = true;
    run.stop_requested = {};
    run.shaper = &after;
    model::Bert second = model::new_bert(small_config(), 77);  // everything comes from the file
    const TrainingResult result = train(second, small.objective, &small.judge, few_steps(), run);

    EXPECT_EQ(bits_of(second), bits_of(whole)) << "stopped after step " << stop;
    EXPECT_EQ(result.best_epoch, wanted.best_epoch);
    EXPECT_EQ(after.n_steps_seen(), 24) << "the shaper's state was not restored";
  }
}

TEST(Shaper, EpochsBeforeTheLastCutAreNotTheBest) {
  const SmallTask small;
  struct Falling final : objective::Judge {
    objective::Scores judge(const model::Bert&) const override {
      return {{"score", 1.0 / static_cast<double>(++n_calls)}};
    }
    mutable int n_calls = 0;
  } judge;
  model::Bert bert = model::new_bert(small_config(), 1);
  Planned shaper(two_cuts());  // in the first and in the second epoch of 6 steps

  const TrainingResult result =
      train(bert, small.objective, &judge, few_steps(), {.shaper = &shaper});

  EXPECT_EQ(result.best_epoch, 1);
  EXPECT_EQ(result.best_score, 0.5);
}

}  // namespace
}  // namespace espalier::train
