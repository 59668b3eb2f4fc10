// The door of the runtime: what it refuses, where it puts answers, and that neither the caller's
// floating-point settings nor a damaged sentence reaches another's answer.
#include "runtime/executor.hpp"

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "espalier/error.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/support/batches.hpp"
#include "tests/support/naive_bert.hpp"
#include "tests/support/tiny_model.hpp"

namespace espalier::runtime {
namespace {

using testing::make_batch;
using testing::make_sentences;
using testing::make_tiny_model;
using testing::OwnedModel;
using testing::TinyModel;
using Lengths = std::vector<std::uint32_t>;

/// A tiny model ready to run.
class Ready {
 public:
  explicit Ready(const TinyModel& tiny = {}, unsigned threads = 1)
      : owned(make_tiny_model(tiny)),
        prepared(reference_backend().prepare(owned.spec())),
        executor(reference_backend(), *prepared, owned.spec(), threads,
                 default_limits(owned.spec())) {}

  std::vector<float> run(const TokenBatch& batch) {
    std::vector<float> dst(executor.output_size(batch));
    executor.run(batch, dst);
    return dst;
  }

  OwnedModel owned;
  std::unique_ptr<PreparedModel> prepared;
  Executor executor;
};

struct Refusal {
  ErrorCode code;
  std::string message;
};

Refusal refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {ErrorCode::failed, "nothing was refused"};
}

Refusal refusal_of(const std::function<void(TokenBatch&)>& spoil) {
  Ready model;
  TokenBatch batch = make_batch(make_sentences(Lengths{4, 6, 5}));
  spoil(batch);
  std::vector<float> dst(6);
  return refusal([&] { model.executor.run(batch, dst); });
}

TEST(Executor, RefusesAnIdOutsideTheVocabulary) {
  const Refusal above = refusal_of([](TokenBatch& batch) { batch.ids[6] = TokenId{64}; });
  const Refusal below = refusal_of([](TokenBatch& batch) { batch.ids[6] = TokenId{-1}; });

  EXPECT_EQ(above.code, ErrorCode::bad_input);
  EXPECT_EQ(above.message, "sentence 1 token 2: id 64 is outside the vocabulary of 64");
  EXPECT_EQ(below.message, "sentence 1 token 2: id -1 is outside the vocabulary of 64");
}

TEST(Executor, RefusesASegmentThatTheModelLacks) {
  const Refusal given = refusal_of([](TokenBatch& batch) { batch.segments[11] = 2; });

  EXPECT_EQ(given.code, ErrorCode::bad_input);
  EXPECT_EQ(given.message, "sentence 2 token 1: segment 2, the model has 2");
}

TEST(Executor, LooksAtNoSegmentOfAModelWithoutThem) {
  Ready model({.segments = 0, .pooler_activation = format::PoolerActivation::relu});
  TokenBatch batch = make_batch(make_sentences(Lengths{4, 6}));
  std::vector<float> expected(4);
  model.executor.run(batch, expected);
  std::fill(batch.segments.begin(), batch.segments.end(), std::uint8_t{255});
  std::vector<float> dst(4);

  model.executor.run(batch, dst);

  EXPECT_EQ(dst, expected);
}

TEST(Executor, RefusesASentenceThatIsTooLong) {
  Ready model({.positions = 16, .max_length = 12});
  const TokenBatch batch = make_batch(make_sentences(Lengths{12, 13}));

  const Refusal given = refusal([&] { (void)model.executor.output_size(batch); });

  EXPECT_EQ(given.code, ErrorCode::bad_input);
  EXPECT_EQ(given.message, "sentence 1 has 13 tokens, the limit is 12; truncate it");
}

TEST(Executor, RefusesAnEmptySentence) {
  const Refusal given = refusal_of([](TokenBatch& batch) { batch.offsets[2] = batch.offsets[1]; });

  EXPECT_EQ(given.code, ErrorCode::bad_input);
  EXPECT_EQ(given.message.substr(0, 19), "sentence 1 is empty");
}

TEST(Executor, RefusesOffsetsThatDoNotFitTheTokens) {
  for (const auto& spoil : std::vector<std::function<void(TokenBatch&)>>{
           [](TokenBatch& batch) { batch.offsets.back() = 16; },
           [](TokenBatch& batch) { batch.offsets.front() = 1; },
           [](TokenBatch& batch) { batch.offsets.clear(); },
           [](TokenBatch& batch) { batch.offsets[1] = 0xFFFFFFFF; },
           [](TokenBatch& batch) { batch.offsets[2] = 2; },
           [](TokenBatch& batch) { batch.segments.pop_back(); }}) {
    EXPECT_EQ(refusal_of(spoil).code, ErrorCode::bad_input);
  }
}

TEST(Executor, RefusesRoomOfTheWrongSize) {
  Ready model;
  const TokenBatch batch = make_batch(make_sentences(Lengths{4, 6}));
  std::vector<float> dst(5);

  const Refusal given = refusal([&] { model.executor.run(batch, dst); });

  EXPECT_EQ(given.code, ErrorCode::usage);
  EXPECT_EQ(given.message, "room for 5 floats, but the answers take 4; ask output_size()");
}

TEST(Executor, RefusesLimitsThatTheModelCannotKeep) {
  const OwnedModel owned = make_tiny_model();
  const auto prepared = reference_backend().prepare(owned.spec());
  const auto code_of = [&](unsigned threads, const Limits& limits) {
    return refusal([&] {
             const Executor executor(reference_backend(), *prepared, owned.spec(), threads, limits);
           })
        .code;
  };

  EXPECT_EQ(code_of(0, {256, 64}), ErrorCode::usage);
  EXPECT_EQ(code_of(1, {0, 64}), ErrorCode::usage);
  EXPECT_EQ(code_of(1, {256, 0}), ErrorCode::usage);
  EXPECT_EQ(code_of(1, {256, 65}), ErrorCode::usage);
}

TEST(Executor, AnswersNothingWithNothing) {
  Ready model;

  EXPECT_TRUE(model.run({}).empty());
  EXPECT_TRUE(model.run(make_batch({})).empty());
}

TEST(Executor, AnswersASentenceWithoutMasksWithNothing) {
  Ready model({.task = Task::fill_mask});
  const TokenBatch batch = make_batch(make_sentences(Lengths{2, 3, 1}));

  // The third token is the first that is a [MASK], and here it is missing or the closing [SEP].
  EXPECT_TRUE(model.run(batch).empty());
}

TEST(Executor, PutsAnswersInTheOrderOfTheBatch) {
  Ready model({.task = Task::tag, .precision = Precision::fp32}, 2);
  const std::vector<testing::Sentence> sentences = make_sentences(Lengths{3, 17, 1, 9});
  const std::vector<float> answers = model.run(make_batch(sentences));

  std::size_t index = 0;
  for (const testing::Sentence& sentence : sentences) {
    const auto expected =
        testing::NaiveBert(model.owned.spec()).answer(sentence.ids, sentence.segments);
    for (const double value : expected) EXPECT_NEAR(answers[index++], value, 1e-4);
  }
  EXPECT_EQ(index, answers.size());
}

TEST(Executor, RunsMixedFilesEachLinearByItsOwnPrecision) {
  for (const Precision mode : {Precision::int8, Precision::fp32}) {
    Ready model({.task = Task::embed,
                 .precision = mode,
                 .layer_precision = {Precision::int8, Precision::fp32}});
    const std::vector<testing::Sentence> sentences = make_sentences(Lengths{14});
    const std::vector<float> answer = model.run(make_batch(sentences));
    const auto expected =
        testing::NaiveBert(model.owned.spec()).answer(sentences[0].ids, sentences[0].segments);

    double error = 0;  // of vectors of length one; int8 costs as in the conformance tests
    for (std::size_t i = 0; i < answer.size(); ++i) error += std::pow(answer[i] - expected[i], 2);
    EXPECT_LT(std::sqrt(error), 0.03);
    EXPECT_GT(std::sqrt(error), 1e-5);  // one layer is int8 in either mode
  }
}

TEST(Executor, RefusesAnAnswerThatIsNotFiniteAndNamesTheSentence) {
  Ready model;
  OwnedModel::edit<float>(model.owned.spec().embedding.word_scale)[11] =
      std::numeric_limits<float>::quiet_NaN();
  std::vector<testing::Sentence> sentences = make_sentences(Lengths{4, 4, 4});
  for (testing::Sentence& sentence : sentences) sentence.ids[1] = TokenId{10};
  sentences[0].ids[0] = sentences[1].ids[0] = sentences[2].ids[0] = TokenId{2};
  sentences[1].ids[0] = TokenId{11};
  std::vector<float> dst(6);

  const Refusal given = refusal([&] { model.executor.run(make_batch(sentences), dst); });

  EXPECT_EQ(given.code, ErrorCode::failed);
  EXPECT_EQ(given.message.substr(0, 25), "the answer to sentence 1 ");
  EXPECT_TRUE(std::isfinite(dst[0]) && std::isfinite(dst[4]));
}

TEST(Executor, IsUsableAfterARefusal) {
  Ready model({}, 2);
  const TokenBatch good = make_batch(make_sentences(Lengths{4, 60}));
  const std::vector<float> expected = model.run(good);
  TokenBatch bad = good;
  bad.ids[1] = TokenId{99};

  EXPECT_THROW((void)model.run(bad), Error);
  EXPECT_EQ(model.run(good), expected);
}

TEST(Executor, ComputesInTheDefaultRoundingAndRestoresTheCallers) {
  for (const unsigned threads : {1U, 2U}) {
    const TokenBatch batch = make_batch(make_sentences(Lengths{5, 60}));
    Ready model({}, threads);
    const std::vector<float> expected = model.run(batch);
    std::vector<float> actual(expected.size());

    std::fesetround(FE_DOWNWARD);
    Executor executor(reference_backend(), *model.prepared, model.owned.spec(), threads,
                      default_limits(model.owned.spec()));  // its threads inherit the setting
    executor.run(batch, actual);
    const int rounding = std::fegetround();
    std::fesetround(FE_TONEAREST);

    EXPECT_EQ(rounding, FE_DOWNWARD);
    EXPECT_EQ(actual, expected);
  }
}

#if defined(__x86_64__)
TEST(Executor, DoesNotFlushSubnormalNumbersWhereTheCallerDoes) {
  const OwnedModel owned = make_tiny_model({.task = Task::embed, .normalize = false});
  // The last norm's output is its bias, 1e-40, which flushing would turn into zero.
  for (float& weight : OwnedModel::edit<float>(owned.spec().layers[1].output_norm.weight))
    weight = 0;
  for (float& bias : OwnedModel::edit<float>(owned.spec().layers[1].output_norm.bias))
    bias = 1e-40F;
  const auto prepared = reference_backend().prepare(owned.spec());
  const TokenBatch batch = make_batch(make_sentences(Lengths{5, 60}));
  for (const unsigned threads : {1U, 2U}) {
    const unsigned saved = _mm_getcsr();
    constexpr unsigned kFlushInputsAndResults = 0x8040;
    _mm_setcsr(saved | kFlushInputsAndResults);
    Executor executor(reference_backend(), *prepared, owned.spec(), threads,
                      default_limits(owned.spec()));
    std::vector<float> actual(std::size_t{2} * owned.spec().hidden);
    executor.run(batch, actual);
    const unsigned after = _mm_getcsr();
    _mm_setcsr(saved);

    EXPECT_EQ(after & kFlushInputsAndResults, kFlushInputsAndResults);
    for (const float value : actual) EXPECT_NEAR(value, 1e-40, 1e-43);
  }
}
#endif

}  // namespace
}  // namespace espalier::runtime
