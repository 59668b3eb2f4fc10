// oneDNN's int8 matmuls give the integers of `reference`. Without VNNI the library adds pairs of
// products in 16 bits, which saturate; with weights in [-63, 63] they cannot, so that our side of
// the path (layouts, the shift of 128 and its correction, buckets of rows) is tested on every
// processor.
#include <gtest/gtest.h>

#include "base/cpu_info.hpp"
#include "runtime/cpu/cpu_backend.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/conformance/shapes.hpp"
#include "tests/conformance/trace.hpp"

namespace espalier::testing {
namespace {

/// Halves eight-bit weights, or the multipliers of four-bit ones: at most 7 * 9.
void halve(const format::LinearSpec& linear) {
  const bool four_bits = linear.group != 0;
  for (std::int8_t& code :
       OwnedModel::edit<std::int8_t>(four_bits ? linear.multiplier : linear.weight)) {
    code = static_cast<std::int8_t>(four_bits ? (code + 1) / 2 : code / 2);
  }
}

class OneDnnInt8 : public ::testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    if (usable_isa() < Isa::avx2) GTEST_SKIP() << "needs AVX2";
  }
};

TEST_P(OneDnnInt8, GivesTheIntegersOfTheReference) {
  TinyModel tiny = GetParam().model;
  tiny.precision = Precision::int8;
  OwnedModel model = make_tiny_model(tiny);
  if (model.spec().embedding.projection) halve(*model.spec().embedding.projection);
  for (format::LayerSpec& layer : model.edit().layers) {
    for (const format::LinearSpec* linear : {&layer.qkv, &layer.out, &layer.up, &layer.down}) {
      halve(*linear);
    }
  }
  const TokenBatch batch = make_batch(make_sentences(GetParam().lengths));
  const auto backend = runtime::cpu::make_cpu_backend(runtime::cpu::Int8Matmuls::onednn);

  const std::vector<Observation> expected =
      trace(runtime::reference_backend(), model.spec(), batch);
  const std::vector<Observation> actual = trace(*backend, model.spec(), batch);

  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t index = 0; index < expected.size(); ++index) {
    EXPECT_EQ(expected[index].values, actual[index].values) << expected[index].step;
  }
}

INSTANTIATE_TEST_SUITE_P(AllShapes, OneDnnInt8, ::testing::ValuesIn(all_shapes()),
                         [](const auto& given) {
                           std::string name = given.param.name;
                           std::erase_if(name, [](char c) {
                             return std::isalnum(static_cast<unsigned char>(c)) == 0;
                           });
                           return name;
                         });

}  // namespace
}  // namespace espalier::testing
