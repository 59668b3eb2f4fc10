#include "compress/train/trainer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "espalier/error.hpp"
#include "small_task.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::train {
namespace {

class Losses final : public Hook {
 public:
  void after_step(const StepReport& report) override { losses.push_back(report.loss); }
  void after_epoch(const EpochReport& report) override { epochs.push_back(report); }
  std::vector<double> losses;
  std::vector<EpochReport> epochs;
};

TEST(Trainer, LearnsASmallTask) {
  const SmallTask small;
  model::Bert bert = model::new_bert(small_config(), 1);
  Losses losses;
  TrainingOptions options = few_steps();
  options.epochs = 30;
  options.dropout = 0;

  train(bert, small.objective, nullptr, options, {.hooks = {&losses}});

  EXPECT_EQ(losses.losses.size(), 30 * 6U);
  EXPECT_GT(losses.losses.front(), 0.3);
  EXPECT_LT(losses.losses.back(), 0.1);
}

TEST(Trainer, IsDeterministicInItsSeed) {
  const SmallTask small;
  std::string bits[3];
  for (int run = 0; run < 3; ++run) {
    model::Bert bert = model::new_bert(small_config(), 1);
    TrainingOptions options = few_steps();
    options.seed = run == 2 ? 9 : 8;
    train(bert, small.objective, nullptr, options, {});
    bits[run] = bits_of(bert);
  }

  EXPECT_EQ(bits[0], bits[1]);
  EXPECT_NE(bits[0], bits[2]);
}

// The promise of --resume: 24 steps cut after each of 20 of them, wherever in an epoch.
TEST(Trainer, ResumedRunsEndWithTheSameBits) {
  const SmallTask small;
  const TrainingOptions options = few_steps();
  model::Bert whole = model::new_bert(small_config(), 1);
  train(whole, small.objective, &small.judge, options, {});
  const std::string expected = bits_of(whole);

  for (std::uint64_t cut = 1; cut <= 20; ++cut) {
    const espalier::testing::TemporaryFolder folder;
    RunContext run{.state_file = folder.path() / "state.safetensors", .settings = {{"a", "b"}}};
    std::uint64_t n_steps = 0;
    run.stop_requested = [&] { return ++n_steps >= cut; };
    model::Bert first = model::new_bert(small_config(), 1);
    const TrainingResult stopped = train(first, small.objective, &small.judge, options, run);
    ASSERT_EQ(stopped.ending, Ending::stopped);
    ASSERT_EQ(stopped.step, cut);

    run.resume = true;
    run.stop_requested = {};
    model::Bert second = model::new_bert(small_config(), 77);  // everything comes from the file
    const TrainingResult finished = train(second, small.objective, &small.judge, options, run);

    EXPECT_EQ(finished.ending, Ending::finished);
    EXPECT_EQ(bits_of(second), expected) << "cut after step " << cut;
  }
}

TEST(Trainer, AccumulatedBatchesAreOneLargeBatch) {
  const SmallTask small;
  double norms[2];
  for (int run = 0; run < 2; ++run) {
    struct FirstNorm final : Hook {
      void after_step(const StepReport& report) override {
        if (report.step == 1) norm = report.gradient_norm;
      }
      double norm = 0;
    } hook;
    model::Bert bert = model::new_bert(small_config(), 1);
    TrainingOptions options = few_steps();
    options.dropout = 0;
    options.batch_size = run == 0 ? 45 : 10;  // 45 = 4 * 10 + 5: the last batch weighs less
    options.accumulation = run == 0 ? 1 : 5;
    train(bert, small.objective, nullptr, options, {.hooks = {&hook}});
    norms[run] = hook.norm;
  }

  // The same sum in another order: a few roundings of 2^-24 for each of 45 addends.
  EXPECT_NEAR(norms[0], norms[1], 1e-4 * norms[0]);
}

TEST(Trainer, PutsTheBestEpochBack) {
  const SmallTask small;
  // Scores that fall after the second epoch, whatever the model does.
  struct Falling final : objective::Judge {
    objective::Scores judge(const model::Bert& bert) const override {
      bits.push_back(bits_of(bert));
      const double score = bits.size() == 2 ? 1.0 : 1.0 / (10.0 * static_cast<double>(bits.size()));
      return {{"score", score}};
    }
    mutable std::vector<std::string> bits;
  } judge;
  model::Bert bert = model::new_bert(small_config(), 1);

  const TrainingResult result = train(bert, small.objective, &judge, few_steps(), {});

  EXPECT_EQ(result.best_epoch, 1);
  EXPECT_EQ(result.best_score, 1.0);
  ASSERT_EQ(judge.bits.size(), 4U);
  EXPECT_EQ(bits_of(bert), judge.bits[1]);
  EXPECT_NE(bits_of(bert), judge.bits[3]);
}

TEST(Trainer, StopsWhenPatienceIsOver) {
  const SmallTask small;
  struct Constant final : objective::Judge {
    objective::Scores judge(const model::Bert&) const override { return {{"score", 0.5}}; }
  } judge;
  model::Bert bert = model::new_bert(small_config(), 1);
  Losses losses;
  TrainingOptions options = few_steps();
  options.patience = 2;

  train(bert, small.objective, &judge, options, {.hooks = {&losses}});

  EXPECT_EQ(losses.epochs.size(), 3U);  // the first is best, two more are not better
}

TEST(Trainer, EndsAfterMaxSteps) {
  const SmallTask small;
  model::Bert bert = model::new_bert(small_config(), 1);
  Losses losses;
  TrainingOptions options = few_steps();
  options.max_steps = 8;

  const TrainingResult result =
      train(bert, small.objective, &small.judge, options, {.hooks = {&losses}});

  EXPECT_EQ(result.step, 8U);
  EXPECT_EQ(losses.losses.size(), 8U);
  EXPECT_EQ(losses.epochs.size(), 2U);  // six steps, and the two that are left
}

TEST(Trainer, LeavesFrozenWordEmbeddingsAlone) {
  const SmallTask small;
  const model::Bert before = model::new_bert(small_config(), 1);
  model::Bert bert = model::new_bert(small_config(), 1);
  TrainingOptions options = few_steps();
  options.freeze_word_embeddings = true;

  train(bert, small.objective, nullptr, options, {});

  EXPECT_TRUE(bert.word.equal(before.word));
  EXPECT_FALSE(bert.position.equal(before.position));
}

TEST(Trainer, NamesStepAndBatchOfALossThatIsNotFinite) {
  const SmallTask small;
  model::Bert bert = model::new_bert(small_config(), 1);
  bert.classifier->bias.fill_(NAN);

  try {
    train(bert, small.objective, nullptr, few_steps(), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed);
    const std::string what = error.what();
    EXPECT_NE(what.find("the loss is nan at step 1 of 24 (epoch 1)"), std::string::npos) << what;
    EXPECT_NE(what.find(" of 'small.tsv' and "), std::string::npos) << what;
  }
}

TEST(Trainer, RefusesToResumeUnderOtherSettings) {
  const SmallTask small;
  const espalier::testing::TemporaryFolder folder;
  RunContext run{.state_file = folder.path() / "state.safetensors",
                 .settings = {{"--seed", "1"}},
                 .stop_requested = [] { return true; }};
  model::Bert bert = model::new_bert(small_config(), 1);
  train(bert, small.objective, nullptr, few_steps(), run);

  run.resume = true;
  run.settings = {{"--seed", "2"}};

  EXPECT_THROW(train(bert, small.objective, nullptr, few_steps(), run), Error);
}

}  // namespace
}  // namespace espalier::train
