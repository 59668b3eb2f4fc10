// Holds every other back end to `reference`, step by step over all shapes: int8 bit for bit, fp32
// within a derived tolerance; and shows on mutants that the comparison bites.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "runtime/reference/reference.hpp"
#include "tests/conformance/backends.hpp"
#include "tests/conformance/shapes.hpp"
#include "tests/conformance/trace.hpp"

namespace espalier::testing {
namespace {

using runtime::Backend;
using Case = std::tuple<const Backend*, Shape, Precision>;

/// The first step at which two traces differ, empty when none.
std::string first_difference(const std::vector<Observation>& expected,
                             const std::vector<Observation>& actual,
                             const format::ModelSpec& spec) {
  std::size_t steps = 0;
  for (std::size_t index = 0; index < expected.size(); ++index) {
    const float tolerance =
        spec.precision == Precision::int8 ? 0.0F : fp32_tolerance(++steps, widest_sum(spec));
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
  const std::string precision = std::get<2>(info.param) == Precision::int8 ? "Int8" : "Fp32";
  std::string name = std::string(std::get<0>(info.param)->name()) + std::get<1>(info.param).name;
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return name + precision;
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
INSTANTIATE_TEST_SUITE_P(EveryBackend, Steps,
                         ::testing::Combine(::testing::ValuesIn(other_backends()),
                                            ::testing::ValuesIn(all_shapes()),
                                            ::testing::Values(Precision::fp32, Precision::int8)),
                         name_of);

// Mutants: the same model with one thing a little wrong. A back end that is wrong by as much shows.

std::string difference_of_mutant(Precision precision, void (*spoil)(format::ModelSpec&)) {
  OwnedModel model = make_tiny_model({.precision = precision});
  const TokenBatch batch = make_batch(make_sentences(std::vector<std::uint32_t>{7, 12, 3}));
  const std::vector<Observation> expected =
      trace(runtime::reference_backend(), model.spec(), batch);
  spoil(model.edit());
  return first_difference(expected, trace(runtime::reference_backend(), model.spec(), batch),
                          model.spec());
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
