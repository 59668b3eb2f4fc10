// The times that a profile is made of: they change no answer, and every part of every layer has
// its own. And the products they are held against.
#include "runtime/step_times.hpp"

#include <gtest/gtest.h>

#include "espalier/error.hpp"
#include "runtime/executor.hpp"
#include "runtime/reference/reference.hpp"
#include "runtime/step_work.hpp"
#include "tests/support/batches.hpp"
#include "tests/support/tiny_model.hpp"

namespace espalier::runtime {
namespace {

using testing::make_batch;
using testing::make_sentences;
using testing::make_tiny_model;
using testing::OwnedModel;
using Lengths = std::vector<std::uint32_t>;

constexpr StepPart kPartsOfLayers[] = {StepPart::qkv, StepPart::attention, StepPart::out,
                                       StepPart::up, StepPart::down};

TokenBatch batch_of(const Lengths& lengths) {
  return make_batch(make_sentences(lengths));
}

std::vector<float> answers(Executor& executor, const TokenBatch& batch) {
  std::vector<float> dst(executor.output_size(batch));
  executor.run(batch, dst);
  return dst;
}

double multiply_adds(const StepWork& work, std::size_t layer, StepPart part) {
  return work[layer][static_cast<std::size_t>(part)].multiply_adds;
}

/// A two-layer classifier on the plain loops.
class StepTimesOfReference : public ::testing::Test {
 protected:
  Executor executor(unsigned threads) {
    return Executor(reference_backend(), *prepared_, model_.spec(), threads,
                    default_limits(model_.spec()));
  }

  OwnedModel model_ = make_tiny_model({});
  std::unique_ptr<PreparedModel> prepared_ = reference_backend().prepare(model_.spec());
};

TEST_F(StepTimesOfReference, HaveSomeOfEveryPartOfEveryLayer) {
  Executor one = executor(1);
  std::vector<StepTimes> times(1, StepTimes(2));

  one.record_times(times);
  static_cast<void>(answers(one, batch_of({9, 5})));

  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (const StepPart part : kPartsOfLayers) {
      EXPECT_GT(times[0].ms(layer, part), 0) << layer << " " << name_of(part);
    }
  }
  EXPECT_GT(times[0].ms(StepPart::embedding), 0);
  EXPECT_GT(times[0].ms(StepPart::head), 0);
  EXPECT_EQ(times[0].ms(StepPart::waiting), 0);
  EXPECT_EQ(times[0].ms(StepPart::up), times[0].ms(0, StepPart::up) + times[0].ms(1, StepPart::up));
}

TEST_F(StepTimesOfReference, HaveTheMeetingsOfASentenceThatIsSplit) {
  Executor team = executor(2);
  std::vector<StepTimes> times(2, StepTimes(2));

  team.record_times(times);
  static_cast<void>(answers(team, batch_of({40})));

  EXPECT_GT(times[0].ms(StepPart::waiting) + times[1].ms(StepPart::waiting), 0);
  for (const StepTimes& own : times) EXPECT_GT(own.ms(1, StepPart::qkv), 0);
}

TEST_F(StepTimesOfReference, ChangeNoAnswer) {
  const TokenBatch batch = batch_of({9, 5, 31});
  Executor plain = executor(2);
  Executor timed = executor(2);
  std::vector<StepTimes> times(2, StepTimes(2));

  timed.record_times(times);

  EXPECT_EQ(answers(timed, batch), answers(plain, batch));
}

TEST_F(StepTimesOfReference, AddUpUntilTheyAreClearedAndStopWhenTakenAway) {
  Executor one = executor(1);
  std::vector<StepTimes> times(1, StepTimes(2));
  one.record_times(times);
  static_cast<void>(answers(one, batch_of({9})));
  const double after_one_ms = times[0].ms(StepPart::qkv);
  static_cast<void>(answers(one, batch_of({9})));
  EXPECT_GT(times[0].ms(StepPart::qkv), after_one_ms);

  one.record_times({});
  times[0].clear();
  static_cast<void>(answers(one, batch_of({9})));

  EXPECT_EQ(times[0].ms(StepPart::qkv), 0);
  EXPECT_EQ(times[0].n_layers(), 2U);
}

TEST_F(StepTimesOfReference, AreRefusedForAnotherTeamOrAnotherModel) {
  Executor two = executor(2);
  std::vector<StepTimes> of_one_thread(1, StepTimes(2));
  std::vector<StepTimes> of_three_layers(2, StepTimes(3));

  EXPECT_THROW(two.record_times(of_one_thread), Error);
  EXPECT_THROW(two.record_times(of_three_layers), Error);
}

TEST(CountWork, CountsEveryLinearOfALayer) {
  const OwnedModel model = make_tiny_model({.n_heads = {4, 3}, .intermediate = {64, 24}});

  const StepWork work = count_work(model.spec(), batch_of({9, 5}), false);

  // hidden 32, heads of 8: 24 wide in layer 1.
  EXPECT_EQ(multiply_adds(work, 1, StepPart::qkv), 14.0 * 32 * 3 * 24);
  EXPECT_EQ(multiply_adds(work, 1, StepPart::attention), 2.0 * 24 * (9 * 9 + 5 * 5));
  EXPECT_EQ(multiply_adds(work, 1, StepPart::out), 14.0 * 24 * 32);
  EXPECT_EQ(multiply_adds(work, 1, StepPart::up), 14.0 * 32 * 24);
  EXPECT_EQ(multiply_adds(work, 1, StepPart::down), 14.0 * 24 * 32);
  EXPECT_EQ(multiply_adds(work, 0, StepPart::up), 14.0 * 32 * 64);
  EXPECT_EQ(multiply_adds(work, 0, StepPart::embedding), 0);
}

TEST(CountWork, ComputesOneRowASentenceInTheLastLayerWhereOnlyTheFirstTokenIsRead) {
  const OwnedModel model = make_tiny_model({});

  const StepWork all = count_work(model.spec(), batch_of({9, 5}), false);
  const StepWork first = count_work(model.spec(), batch_of({9, 5}), true);

  EXPECT_EQ(multiply_adds(first, 0, StepPart::up), multiply_adds(all, 0, StepPart::up));
  EXPECT_EQ(multiply_adds(first, 1, StepPart::qkv), 32.0 * 32 * (2 + 2 * 14));
  EXPECT_EQ(multiply_adds(first, 1, StepPart::attention), 2.0 * 32 * (9 + 5));
  EXPECT_EQ(multiply_adds(first, 1, StepPart::down), 2.0 * 64 * 32);
}

TEST(CountWork, CountsAHeadForTheRowsThatItAnswers) {
  const OwnedModel classifier = make_tiny_model({});
  const OwnedModel tagger = make_tiny_model({.task = Task::tag});

  const StepWork of_sentences = count_work(classifier.spec(), batch_of({9, 5}), true);
  const StepWork of_tokens = count_work(tagger.spec(), batch_of({9, 5}), false);

  const format::HeadSpec& head = classifier.spec().head;
  EXPECT_EQ(multiply_adds(of_sentences, 0, StepPart::head), 2.0 * 32 * (32 + head.classifier->out));
  EXPECT_EQ(multiply_adds(of_tokens, 0, StepPart::head),
            14.0 * 32 * tagger.spec().head.classifier->out);
}

TEST(CountWork, KnowsTheBytesOfWeights) {
  const OwnedModel model = make_tiny_model({});

  const StepWork work = count_work(model.spec(), batch_of({9, 5}), false);

  const format::LinearSpec& up = model.spec().layers[0].up;
  EXPECT_EQ(work[0][static_cast<std::size_t>(StepPart::up)].weight_bytes,
            up.weight.bytes.size() + up.scale.bytes.size() + up.bias.bytes.size());
}

}  // namespace
}  // namespace espalier::runtime
