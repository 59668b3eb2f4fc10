// Holds every other back end to `reference`, step by step over all shapes: int8 bit for bit, fp32
// and bf16 within derived tolerances; and shows on mutants that the comparison bites.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <tuple>

#include "base/bfloat16.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/conformance/backends.hpp"
#include "tests/conformance/shapes.hpp"
#include "tests/conformance/trace.hpp"

namespace espalier::testing {
namespace {

using runtime::Backend;
using Case = std::tuple<const Backend*, Shape, Precision>;

float tolerance_of(const format::ModelSpec& spec, std::size_t steps) {
  switch (spec.precision) {
    case Precision::fp32:
      return fp32_tolerance(steps, widest_sum(spec));
    case Precision::int8:
      return 0;
    case Precision::bf16:
      return bf16_tolerance(steps, widest_sum(spec));
  }
  return 0;
}

/// The first step at which two traces differ, empty when none.
std::string first_difference(const std::vector<Observation>& expected,
                             const std::vector<Observation>& actual,
                             const format::ModelSpec& spec) {
  std::size_t steps = 0;
  for (std::size_t index = 0; index < expected.size(); ++index) {
    const float tolerance = tolerance_of(spec, ++steps);
    for (std::size_t i = 0; i < expected[index].values.size(); ++i) {
      const float a = expected[index].values[i];
      const float b = actual[index].values[i];
      if (std::fabs(a - b) <= tolerance * std::max(1.0F, std::fabs(a))) continue;
      return expected[index].step + " [" + std::to_string(i) + "]: " + std::to_string(a) +
             " became " + std::to_string(b);
    }
  }
  return {};
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  std::string precision(espalier::name_of(std::get<2>(info.param)));
  precision[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(precision[0])));
  return test_name(*std::get<0>(info.param)) + std::get<1>(info.param).name + precision;
}

class Steps : public ::testing::TestWithParam<Case> {};

TEST_P(Steps, AgreeWithTheReference) {
  const auto& [backend, shape, precision] = GetParam();
  TinyModel tiny = shape.model;
  tiny.precision = precision;
  const OwnedModel model = make_tiny_model(tiny);
  const TokenBatch batch = make_batch(make_sentences(shape.lengths));

  const std::vector<Observation> expected =
      trace(runtime::reference_backend(), model.spec(), batch);
  const std::vector<Observation> actual = trace(*backend, model.spec(), batch);

  EXPECT_EQ(first_difference(expected, actual, model.spec()), "");
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Steps);
INSTANTIATE_TEST_SUITE_P(
    EveryBackend, Steps,
    ::testing::Combine(::testing::ValuesIn(other_backends()), ::testing::ValuesIn(all_shapes()),
                       ::testing::Values(Precision::fp32, Precision::int8, Precision::bf16)),
    name_of);

// Mutants: the same model with one thing a little wrong. A back end that is wrong by as much shows.

std::string difference_of_mutant(const TinyModel& tiny, void (*spoil)(format::ModelSpec&)) {
  OwnedModel model = make_tiny_model(tiny);
  const TokenBatch batch = make_batch(make_sentences(std::vector<std::uint32_t>{7, 12, 3}));
  const std::vector<Observation> expected =
      trace(runtime::reference_backend(), model.spec(), batch);
  spoil(model.edit());
  return first_difference(expected, trace(runtime::reference_backend(), model.spec(), batch),
                          model.spec());
}

std::string difference_of_mutant(Precision precision, void (*spoil)(format::ModelSpec&)) {
  return difference_of_mutant(TinyModel{.precision = precision}, spoil);
}

TEST(StepsMutant, OneWeightOffByOneCodeShowsInTheLinearThatHasIt) {
  const std::string difference = difference_of_mutant(Precision::int8, [](format::ModelSpec& spec) {
    OwnedModel::edit<std::int8_t>(spec.layers[1].up.weight)[130] ^= 1;
  });

  EXPECT_EQ(difference.substr(0, 29), "layer 1 feed_forward_add_norm") << difference;
}

TEST(StepsMutant, AScaleOffByOneBitShows) {
  const std::string difference = difference_of_mutant(Precision::int8, [](format::ModelSpec& spec) {
    float& scale = OwnedModel::edit<float>(spec.layers[0].out.scale)[5];
    scale = std::nextafter(scale, 1.0F);
  });

  EXPECT_EQ(difference.substr(0, 24), "layer 0 project_add_norm") << difference;
}

TEST(StepsMutant, OneWeightOffByATenthShowsInFp32) {
  const std::string difference = difference_of_mutant(Precision::fp32, [](format::ModelSpec& spec) {
    OwnedModel::edit<float>(spec.layers[0].out.weight)[77] += 0.1F;
  });

  EXPECT_EQ(difference.substr(0, 24), "layer 0 project_add_norm") << difference;
}

TEST(StepsMutant, OneWeightOffByAHalfShowsInBf16) {
  const std::string difference = difference_of_mutant(Precision::bf16, [](format::ModelSpec& spec) {
    std::uint16_t& weight = OwnedModel::edit<std::uint16_t>(spec.layers[0].out.weight)[77];
    weight = float_to_bfloat16(bfloat16_to_float(weight) + 0.5F);
  });

  EXPECT_EQ(difference.substr(0, 24), "layer 0 project_add_norm") << difference;
}

TEST(StepsMutant, AWordOfAnotherRowShowsInBf16) {
  const std::string difference = difference_of_mutant(Precision::bf16, [](format::ModelSpec& spec) {
    const auto words = OwnedModel::edit<std::uint16_t>(spec.embedding.word);
    std::rotate(words.begin(), words.begin() + spec.hidden, words.end());
  });

  EXPECT_EQ(difference.substr(0, 5), "embed") << difference;
}

TEST(StepsMutant, AProjectionOffByOneCodeShows) {
  const std::string difference =
      difference_of_mutant(TinyModel{.embedding_rank = 7}, [](format::ModelSpec& spec) {
        const std::size_t last = format::panel_index(31, 6, 7);
        OwnedModel::edit<std::int8_t>(spec.embedding.projection->weight)[last] ^= 1;
      });

  EXPECT_EQ(difference.substr(0, 5), "embed") << difference;
}

TEST(StepsMutant, AScaleOfTheProjectionOffByOneBitShows) {
  const std::string difference =
      difference_of_mutant(TinyModel{.embedding_rank = 7}, [](format::ModelSpec& spec) {
        float& scale = OwnedModel::edit<float>(spec.embedding.projection->scale)[31];
        scale = std::nextafter(scale, 1.0F);
      });

  EXPECT_EQ(difference.substr(0, 5), "embed") << difference;
}

TEST(StepsMutant, AProjectedWordOfAnotherRowShowsInFp32) {
  const std::string difference = difference_of_mutant(
      TinyModel{.precision = Precision::fp32, .embedding_rank = 7}, [](format::ModelSpec& spec) {
        const auto words = OwnedModel::edit<float>(spec.embedding.word);
        std::rotate(words.begin(), words.begin() + 7, words.end());
      });

  EXPECT_EQ(difference.substr(0, 5), "embed") << difference;
}

TEST(StepsMutant, AnApproximateNormShowsInFp32) {
  const std::string difference = difference_of_mutant(
      Precision::fp32, [](format::ModelSpec& spec) { spec.layer_norm_eps = 1e-3F; });

  EXPECT_EQ(difference.substr(0, 5), "embed") << difference;
}

TEST(StepsMutant, AMissingRowOfKeysShowsInTheContext) {
  const std::string difference = difference_of_mutant(Precision::fp32, [](format::ModelSpec& spec) {
    for (float& weight : OwnedModel::edit<float>(spec.layers[1].qkv.weight).subspan(32 * 32, 32)) {
      weight = 0;
    }
  });

  EXPECT_EQ(difference.substr(0, 15), "layer 1 context") << difference;
}

}  // namespace
}  // namespace espalier::testing
