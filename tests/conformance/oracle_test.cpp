// Every back end end to end against an independent BERT in double precision: fp32 to the last
// digits, int8 to what its codes cost, bf16 to what its rounding costs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <tuple>

#include "runtime/executor.hpp"
#include "tests/conformance/backends.hpp"
#include "tests/conformance/shapes.hpp"
#include "tests/conformance/trace.hpp"
#include "tests/support/naive_bert.hpp"

namespace espalier::testing {
namespace {

using runtime::Backend;
using Case = std::tuple<const Backend*, Shape>;

struct Answers {
  std::vector<float> actual;
  Vector expected;
};

Answers answer(const Case& given, Precision precision) {
  TinyModel tiny = std::get<1>(given).model;
  tiny.precision = precision;
  const OwnedModel model = make_tiny_model(tiny);
  const std::vector<Sentence> sentences = make_sentences(std::get<1>(given).lengths);
  const Backend& backend = *std::get<0>(given);
  const auto prepared = backend.prepare(model.spec());
  runtime::Executor executor(backend, *prepared, model.spec(), 1,
                             runtime::default_limits(model.spec()));
  const TokenBatch batch = make_batch(sentences);
  Answers answers;
  answers.actual.resize(executor.output_size(batch));
  executor.run(batch, answers.actual);
  for (const Sentence& sentence : sentences) {
    const Vector part = NaiveBert(model.spec()).answer(sentence.ids, sentence.segments);
    answers.expected.insert(answers.expected.end(), part.begin(), part.end());
  }
  return answers;
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  return test_name(*std::get<0>(info.param)) + std::get<1>(info.param).name;
}

/// Root mean square of the differences, as a part of that of `expected`.
double relative_error(const std::vector<float>& actual, const Vector& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  double squared_error = 0;
  double squares = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    squared_error += std::pow(double{actual[i]} - expected[i], 2);
    squares += std::pow(expected[i], 2);
  }
  return std::sqrt(squared_error / squares);
}

class Oracle : public ::testing::TestWithParam<Case> {};

TEST_P(Oracle, AgreesInFp32) {
  const Answers answers = answer(GetParam(), Precision::fp32);

  // reference sums in double and rounds to fp32 between steps, 6e-8 a few dozen times, grown a
  // little by gains. The others sum in fp32 too and take the canonical GELU, which is off by up to
  // 5e-6.
  const bool in_double = std::get<0>(GetParam())->name() == "reference";
  const double tolerance = in_double ? 1e-5 : 1e-4;
  ASSERT_EQ(answers.actual.size(), answers.expected.size());
  for (std::size_t i = 0; i < answers.expected.size(); ++i) {
    EXPECT_NEAR(answers.actual[i], answers.expected[i],
                tolerance * std::max(1.0, std::fabs(answers.expected[i])))
        << i;
  }
}

TEST_P(Oracle, StaysCloseInInt8) {
  if (std::get<1>(GetParam()).model.reach < 0.5F) GTEST_SKIP() << "codes that clip";
  const Answers answers = answer(GetParam(), Precision::int8);

  // A code is off by a step / √12 on average, a step is max|x| / 127, and max|x| about 3
  // deviations: 0.7 % for each of the up to six codings in a row of two layers, added in squares,
  // gives 1.7 %.
  EXPECT_LT(relative_error(answers.actual, answers.expected), 0.03);
}

TEST_P(Oracle, StaysCloseInBf16) {
  const Answers answers = answer(GetParam(), Precision::bf16);

  // A step of bfloat16 is 2^-8 to 2^-7 of a value, so rounding is off by 0.17 % on average; six in
  // a row as above give 0.42 %. The oracle has the rounded weights.
  EXPECT_LT(relative_error(answers.actual, answers.expected), 0.0075);
}

TEST_P(Oracle, Bf16StaysCloseToTheFp32ModelOfTheSameWeights) {
  const Answers bf16 = answer(GetParam(), Precision::bf16);
  const Answers fp32 = answer(GetParam(), Precision::fp32);

  // Rounded weights cost as much again as rounded inputs: √2 of the above.
  EXPECT_LT(relative_error(bf16.actual, {fp32.actual.begin(), fp32.actual.end()}), 0.01);
}

INSTANTIATE_TEST_SUITE_P(EveryBackend, Oracle,
                         ::testing::Combine(::testing::ValuesIn(all_backends()),
                                            ::testing::ValuesIn(all_shapes())),
                         name_of);

}  // namespace
}  // namespace espalier::testing
