// The codes of int8 inputs where they are hardest: rows that are constant, on one side of 0, huge
// or next to nothing, in every kind of code; every back end gives the bits of `reference`. And
// mutants: what is stored about codes shows in the step that it belongs to.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "runtime/reference/reference.hpp"
#include "tests/conformance/backends.hpp"
#include "tests/conformance/trace.hpp"
#include "tests/support/tiny_model.hpp"

namespace espalier::testing {
namespace {

using format::ActivationCodes;
using runtime::Backend;

/// What every LayerNorm does to a row of any size: x = normal * weight + bias.
struct Extreme {
  const char* name;
  float weight;
  float first_bias;
  float bias;  // of the other channels
};

constexpr Extreme kExtremes[] = {
    {"Zero", 0, 0, 0},          {"Constant", 0, 0.7F, 0.7F},
    {"Negative", 0, -3, -1.5F}, {"AlmostNegative", 0.1F, 0.01F, -2},
    {"OneChannel", 0, 100, 0},  {"Huge", 1e15F, -3e15F, 0},
    {"Small", 1e-25F, 0, 0},    {"Tiny", 1e-32F, 0, 0},
};

struct Kind {
  const char* name;
  LayerCodes codes;
};

const Kind kKinds[] = {{"Symmetric", {}}, {"Asymmetric", kAllAsymmetric}, {"Static", kAllStatic}};

void PrintTo(const Extreme& extreme, std::ostream* stream) {
  *stream << extreme.name;
}
void PrintTo(const Kind& kind, std::ostream* stream) {
  *stream << kind.name;
}

using Case = std::tuple<const Backend*, Extreme, Kind>;

OwnedModel make_model(const Extreme& extreme, const LayerCodes& codes) {
  OwnedModel model = make_tiny_model({.task = Task::tag,
                                      .hidden = 39,
                                      .head_dim = 5,
                                      .n_heads = {3, 0, 1},
                                      .intermediate = {75, 9, 40},
                                      .input_scales = true,
                                      .codes = codes});
  const auto set = [&](const format::NormSpec& norm) {
    for (float& weight : OwnedModel::edit<float>(norm.weight)) weight *= extreme.weight;
    const std::span<float> bias = OwnedModel::edit<float>(norm.bias);
    std::fill(bias.begin(), bias.end(), extreme.bias);
    bias[0] = extreme.first_bias;
  };
  set(model.spec().embedding.norm);
  for (const format::LayerSpec& layer : model.spec().layers) {
    set(layer.attention_norm);
    set(layer.output_norm);
  }
  return model;
}

class ExtremeRows : public ::testing::TestWithParam<Case> {};

TEST_P(ExtremeRows, GiveTheBitsOfTheReference) {
  const auto& [backend, extreme, kind] = GetParam();
  const OwnedModel model = make_model(extreme, kind.codes);
  const TokenBatch batch = make_batch(make_sentences(std::vector<std::uint32_t>{9, 1}));

  const std::vector<Observation> expected =
      trace(runtime::reference_backend(), model.spec(), batch);
  const std::vector<Observation> actual = trace(*backend, model.spec(), batch);

  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t index = 0; index < expected.size(); ++index) {
    EXPECT_EQ(expected[index].values, actual[index].values) << expected[index].step;
    EXPECT_TRUE(std::all_of(expected[index].values.begin(), expected[index].values.end(),
                            [](float value) { return std::isfinite(value); }))
        << expected[index].step;
  }
}

std::string name_of(const ::testing::TestParamInfo<Case>& given) {
  return test_name(*std::get<0>(given.param)) + std::get<1>(given.param).name +
         std::get<2>(given.param).name;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ExtremeRows);
INSTANTIATE_TEST_SUITE_P(EveryBackend, ExtremeRows,
                         ::testing::Combine(::testing::ValuesIn(other_backends()),
                                            ::testing::ValuesIn(kExtremes),
                                            ::testing::ValuesIn(kKinds)),
                         name_of);

/// The first step that differs when `spoil` has been at layer 0 of a model with these codes.
std::string first_step_that_differs(const TinyModel& tiny, void (*spoil)(format::LayerSpec&)) {
  OwnedModel model = make_tiny_model(tiny);
  const TokenBatch batch = make_batch(make_sentences(std::vector<std::uint32_t>{7, 12, 3}));
  const std::vector<Observation> expected =
      trace(runtime::reference_backend(), model.spec(), batch);
  spoil(model.edit().layers[0]);
  const std::vector<Observation> actual = trace(runtime::reference_backend(), model.spec(), batch);
  for (std::size_t index = 0; index < expected.size(); ++index) {
    if (expected[index].values != actual[index].values) return expected[index].step;
  }
  return "none";
}

TEST(CodesMutant, AZeroPointOffByOneMovesTheEndsOfTheRange) {
  const TinyModel clipped = {.codes = kAllStatic, .reach = 0.2F};

  EXPECT_EQ(first_step_that_differs(clipped,
                                    [](format::LayerSpec& layer) { ++layer.down.activation_zero; }),
            "layer 0 feed_forward_add_norm");
  EXPECT_EQ(first_step_that_differs(clipped,
                                    [](format::LayerSpec& layer) { --layer.qkv.activation_zero; }),
            "embed codes");
}

TEST(CodesMutant, AScaleOffByOneBitShows) {
  EXPECT_EQ(first_step_that_differs({.codes = kAllStatic},
                                    [](format::LayerSpec& layer) {
                                      float& scale = layer.out.activation_scale;
                                      scale = std::nextafter(scale, 1.0F);
                                    }),
            "layer 0 context");
}

TEST(CodesMutant, SymmetricCodesInPlaceOfAsymmetricOnesShow) {
  EXPECT_EQ(first_step_that_differs({.codes = {.down = ActivationCodes::per_token_asymmetric}},
                                    [](format::LayerSpec& layer) {
                                      layer.down.activations = ActivationCodes::per_token_symmetric;
                                    }),
            "layer 0 feed_forward_add_norm");
}

}  // namespace
}  // namespace espalier::testing
