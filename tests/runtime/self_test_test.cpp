// A model's self-test passes where it was recorded and fails when one code of the model changes.
#include "runtime/self_test.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "espalier/error.hpp"
#include "format/container.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/support/batches.hpp"
#include "tests/support/tiny_model.hpp"

namespace espalier::runtime {
namespace {

using testing::make_tiny_model;
using testing::OwnedModel;
using testing::TinyModel;

std::vector<format::SelfTestCase> cases() {
  std::vector<format::SelfTestCase> result;
  for (const std::uint32_t n_tokens : {9U, 60U}) {
    const testing::Sentence sentence = testing::make_sentence(n_tokens, n_tokens);
    result.push_back({.ids = sentence.ids, .segments = sentence.segments, .expected = {}});
  }
  return result;
}

OwnedModel recorded(const TinyModel& tiny) {
  OwnedModel model = make_tiny_model(tiny);
  record_self_test(model.edit(), cases(), 1);
  return model;
}

SelfTestResult run(const format::ModelSpec& spec, unsigned threads) {
  const auto prepared = reference_backend().prepare(spec);
  Executor executor(reference_backend(), *prepared, spec, threads, default_limits(spec));
  return self_test(executor);
}

TEST(SelfTest, PassesWithEqualBitsOnAnyNumberOfThreads) {
  for (const Task task : {Task::classify, Task::tag, Task::embed, Task::fill_mask}) {
    const OwnedModel model = recorded({.task = task});

    EXPECT_EQ(model.spec().self_test.tolerance, 0.0F);
    for (const unsigned threads : {1U, 2U}) {
      const SelfTestResult result = run(model.spec(), threads);
      EXPECT_TRUE(result.passed);
      EXPECT_EQ(result.worst, 0.0F);
    }
  }
}

TEST(SelfTest, StoresTheFirstSixteenLogitsOfEachMask) {
  const OwnedModel model = recorded({.task = Task::fill_mask});

  // Every fifth token from the third on is a [MASK]: two of nine.
  EXPECT_EQ(model.spec().self_test.cases[0].expected.size(), 2 * kSelfTestMaskLogits);
}

TEST(SelfTest, FailsWhenOneCodeOfTheModelChanges) {
  const OwnedModel model = recorded({});
  OwnedModel::edit<std::int8_t>(model.spec().layers[1].down.weight)[3] ^= 4;

  const SelfTestResult result = run(model.spec(), 1);

  EXPECT_FALSE(result.passed);
  EXPECT_GT(result.worst, 0.0F);
  EXPECT_EQ(result.case_index, 0U);
}

TEST(SelfTest, NamesTheFirstCaseThatFails) {
  OwnedModel model = recorded({});
  model.edit().self_test.cases[1].expected[0] += 1.0F;

  const SelfTestResult result = run(model.spec(), 1);

  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.case_index, 1U);
}

TEST(SelfTest, FailsOnExpectationsThatAreNoNumbersOrTooFew) {
  OwnedModel model = recorded({.precision = Precision::fp32});
  model.edit().self_test.cases[1].expected[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(run(model.spec(), 1).passed);

  model = recorded({.precision = Precision::fp32});
  model.edit().self_test.cases[1].expected.pop_back();
  EXPECT_FALSE(run(model.spec(), 1).passed);
}

TEST(SelfTest, AllowsFp32ModelsATolerance) {
  OwnedModel model = recorded({.precision = Precision::fp32});
  float& expected = model.edit().self_test.cases[0].expected[0];

  expected += 5e-4F;
  EXPECT_TRUE(run(model.spec(), 1).passed);

  expected += 5e-3F * std::max(1.0F, std::fabs(expected));
  EXPECT_FALSE(run(model.spec(), 1).passed);
}

TEST(SelfTest, AllowsBf16ModelsWhatRoundingMayMove) {
  OwnedModel model = recorded({.precision = Precision::bf16});
  float& expected = model.edit().self_test.cases[0].expected[0];
  const float size = std::max(1.0F, std::fabs(expected));

  expected += 0.03F * size;
  EXPECT_TRUE(run(model.spec(), 1).passed);

  expected += 0.1F * size;
  EXPECT_FALSE(run(model.spec(), 1).passed);
}

TEST(SelfTest, AllowsMixedModelsMore) {
  const OwnedModel mixed = recorded({.layer_precision = {Precision::int8, Precision::fp32}});
  const OwnedModel fp32 = recorded({.precision = Precision::fp32});

  EXPECT_GT(mixed.spec().self_test.tolerance, fp32.spec().self_test.tolerance);
  EXPECT_LE(mixed.spec().self_test.tolerance, format::kMaxTolerance);
}

TEST(SelfTest, CountsWhatLiesBetweenTheLinearsAsMixed) {
  const std::vector<Precision> fp32(2, Precision::fp32);
  const std::vector<Precision> int8(2, Precision::int8);
  const OwnedModel mixed = recorded({.layer_precision = {Precision::int8, Precision::fp32}});

  const OwnedModel codes_in_attention = recorded({.layer_precision = fp32});
  const OwnedModel codes_in_linears =
      recorded({.precision = Precision::fp32, .layer_precision = int8});

  EXPECT_EQ(codes_in_attention.spec().self_test.tolerance, mixed.spec().self_test.tolerance);
  EXPECT_EQ(codes_in_linears.spec().self_test.tolerance, mixed.spec().self_test.tolerance);
}

TEST(SelfTest, AllowsABf16LinearWhatRoundingMayMove) {
  const OwnedModel some = recorded(
      {.precision = Precision::fp32, .layer_precision = {Precision::fp32, Precision::bf16}});
  const OwnedModel all = recorded({.precision = Precision::bf16});

  EXPECT_EQ(some.spec().self_test.tolerance, all.spec().self_test.tolerance);
}

TEST(SelfTest, RefusesToRecordASentenceThatIsTooLong) {
  OwnedModel model = make_tiny_model({.positions = 16});

  EXPECT_THROW(record_self_test(model.edit(), cases(), 1), Error);
}

}  // namespace
}  // namespace espalier::runtime
