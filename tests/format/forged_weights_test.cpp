// Sound files that mean no model, for their weights: tensors and their values, projections, codes
// of activations, four bits.
#include <algorithm>

#include "format/panels.hpp"
#include "tests/format/forgery.hpp"

namespace espalier::testing {
namespace {

std::vector<Forgery> forged_tensors() {
  return {
      {"RowsOther", classify(), [](OwnedModel& m) { m.edit().layers[0].up.weight.rows = 63; },
       "layers[0].up.weight"},
      {"ShapeWraps", fp32(),
       [](OwnedModel& m) {
         m.edit().layers[0].up.weight.rows = 1U << 31;
         m.edit().layers[0].up.weight.cols = 1U << 31;
       },
       "layers[0].up.weight"},
      {"Transposed", fp32(),
       [](OwnedModel& m) {
         std::swap(m.edit().layers[0].up.weight.rows, m.edit().layers[0].up.weight.cols);
       },
       "layers[0].up.weight"},
      {"BytesShort", fp32(),
       [](OwnedModel& m) {
         auto& bytes = m.edit().layers[0].up.weight.bytes;
         bytes = bytes.first(bytes.size() - 64);
       },
       "layers[0].up.weight"},
      {"PanelsNotPadded", classify(),
       [](OwnedModel& m) {
         auto& bytes = m.edit().layers[0].up.weight.bytes;
         bytes = bytes.first(std::size_t{64} * 32);
       },
       "layers[0].up.weight"},
      {"WeightMissing", classify(), [](OwnedModel& m) { m.edit().layers[0].up.weight = {}; },
       "layers[0].up.weight"},
      {"WeightOfAnotherType", classify(),
       [](OwnedModel& m) { m.edit().layers[0].up.weight.type = format::ElementType::f16; },
       "layers[0].up.weight"},
      {"InputScaleOfALinearThatReadsHeads", classify(),
       [](OwnedModel& m) { m.edit().layers[0].out.input_scale = m.edit().layers[0].down.scale; },
       "layers[0].out.input_scale"},
      {"InputScaleOfTheWrongSize", classify(),
       [](OwnedModel& m) { m.edit().layers[0].up.input_scale = m.edit().layers[0].up.scale; },
       "layers[0].up.input_scale"},
      {"InputScaleThatIsNotPositive", classify(),
       [](OwnedModel& m) { m.edit().layers[1].qkv.input_scale = m.edit().layers[1].down.bias; },
       "layers[1].qkv.input_scale"},
      {"ScaleMissing", classify(), [](OwnedModel& m) { m.edit().layers[0].up.scale = {}; },
       "layers[0].up.scale"},
      {"ScaleWithFp32", fp32(),
       [](OwnedModel& m) { m.edit().layers[0].up.scale = m.edit().layers[0].up.bias; },
       "layers[0].up.scale"},
      {"BiasMissing", classify(), [](OwnedModel& m) { m.edit().layers[1].qkv.bias = {}; },
       "layers[1].qkv.bias"},
      {"BiasLong", classify(),
       [](OwnedModel& m) { m.edit().layers[1].down.bias = m.edit().layers[1].up.bias; },
       "layers[1].down.bias"},
      {"WeightWithoutInputs",
       {.n_heads = {0}, .intermediate = {8}},
       [](OwnedModel& m) { m.edit().layers[0].out.weight = m.edit().layers[0].up.weight; },
       "layers[0].out.weight"},
      {"BiasWithoutOutputs",
       {.n_heads = {0}, .intermediate = {8}},
       [](OwnedModel& m) { m.edit().layers[0].qkv.bias = m.edit().layers[0].up.bias; },
       "layers[0].qkv.bias"},
      {"BitEqualityOfABf16Linear", classify(),
       [](OwnedModel& m) {
         static const OwnedModel other = make_tiny_model(bf16());
         m.edit().layers[1].down = other.spec().layers[1].down;
       },
       "self_test.tolerance"},
      {"BitEqualityOfInt8LinearsBetweenFloats", fp32(),
       [](OwnedModel& m) {
         static const OwnedModel other = make_tiny_model(classify());
         m.edit().layers = other.spec().layers;
         m.edit().self_test.tolerance = 0;
       },
       "self_test.tolerance"},
      {"WeightF16InBf16", bf16(),
       [](OwnedModel& m) { m.edit().layers[0].up.weight.type = format::ElementType::f16; },
       "layers[0].up.weight"},
      {"WeightInfiniteInBf16", bf16(),
       [](OwnedModel& m) {
         OwnedModel::edit<std::uint16_t>(m.edit().layers[1].down.weight)[70] = 0xFF80;
       },
       "layers[1].down.weight"},
      {"ScaleWithBf16", bf16(),
       [](OwnedModel& m) { m.edit().layers[0].up.scale = m.edit().layers[0].up.bias; },
       "layers[0].up.scale"},
      {"InputScaleWithBf16", bf16(),
       [](OwnedModel& m) { m.edit().layers[0].up.input_scale = m.edit().layers[0].out.bias; },
       "layers[0].up.input_scale"},
      {"WordF16InBf16", bf16(),
       [](OwnedModel& m) { m.edit().embedding.word.type = format::ElementType::f16; },
       "embedding.word"},
      {"WordNaNInBf16", bf16(),
       [](OwnedModel& m) { OwnedModel::edit<std::uint16_t>(m.edit().embedding.word)[9] = 0x7FC0; },
       "embedding.word"},
      {"WordScaleInBf16", bf16(),
       [](OwnedModel& m) { m.edit().embedding.word_scale = m.edit().layers[0].up.bias; },
       "embedding.word_scale"},
      {"PositionsOfBf16", halves(),
       [](OwnedModel& m) { m.edit().embedding.position.type = format::ElementType::bf16; },
       "embedding.position"},
      {"HeadOfBf16", halves(),
       [](OwnedModel& m) { m.edit().head.pooler->weight.type = format::ElementType::bf16; },
       "head.pooler.weight"},
      {"WordScaleWithWordsOfF32", classify(),
       [](OwnedModel& m) { m.edit().embedding.word = m.edit().embedding.position; },
       "embedding.word_scale"},
      {"WordScaleMissing", classify(), [](OwnedModel& m) { m.edit().embedding.word_scale = {}; },
       "embedding.word_scale"},
      {"WordScaleInFp32", fp32(),
       [](OwnedModel& m) { m.edit().embedding.word_scale = m.edit().layers[0].up.bias; },
       "embedding.word_scale"},
      {"PositionsOfS8", classify(),
       [](OwnedModel& m) { m.edit().embedding.position.type = format::ElementType::s8; },
       "embedding.position"},
      {"NormShort", classify(),
       [](OwnedModel& m) {
         auto& weight = m.edit().layers[0].output_norm.weight;
         weight.cols = 16;
         weight.bytes = weight.bytes.first(64);
       },
       "layers[0].output_norm.weight"},
      {"SegmentsMany", classify(),
       [](OwnedModel& m) { m.edit().embedding.segment = m.edit().embedding.position; },
       "embedding.segment.rows"},
      {"SegmentsWithoutRows", classify(),
       [](OwnedModel& m) { m.edit().embedding.segment.rows = 0; }, "embedding.segment"},
  };
}

std::vector<Forgery> forged_values() {
  return {
      {"ScaleZero", classify(),
       [](OwnedModel& m) { m.edit<float>(m.spec().layers[0].up.scale)[5] = 0; },
       "layers[0].up.scale"},
      {"ScaleNegative", classify(),
       [](OwnedModel& m) { m.edit<float>(m.spec().layers[0].qkv.scale)[5] = -1; },
       "layers[0].qkv.scale"},
      {"ScaleNaN", classify(),
       [](OwnedModel& m) { m.edit<float>(m.spec().layers[0].out.scale)[0] = kNaN; },
       "layers[0].out.scale"},
      {"ScaleInfinite", classify(),
       [](OwnedModel& m) { m.edit<float>(m.spec().layers[0].down.scale)[31] = kInfinity; },
       "layers[0].down.scale"},
      {"WordScaleNegative", classify(),
       [](OwnedModel& m) { m.edit<float>(m.spec().embedding.word_scale)[9] = -1e-9F; },
       "embedding.word_scale"},
      {"WeightMinus128", classify(),
       [](OwnedModel& m) { m.edit<std::int8_t>(m.spec().layers[1].down.weight)[0] = -128; },
       "layers[1].down.weight"},
      {"WordMinus128", classify(),
       [](OwnedModel& m) { m.edit<std::int8_t>(m.spec().embedding.word)[2047] = -128; },
       "embedding.word"},
      {"PaddedOutputDirty", classify(),
       [](OwnedModel& m) {
         const auto panels = m.edit<std::int8_t>(m.spec().layers[0].out.weight);
         panels[format::panel_index(32, 0, 32)] = 1;
       },
       "layers[0].out.weight"},
      {"PaddedInputDirty", classify(),
       [](OwnedModel& m) {
         const auto panels = m.edit<std::int8_t>(m.spec().layers[0].up.weight);
         panels[format::panel_index(63, 63, 32)] = 1;
       },
       "layers[0].up.weight"},
      {"WeightNaN", fp32(),
       [](OwnedModel& m) { m.edit<float>(m.spec().layers[1].down.weight)[2047] = kNaN; },
       "layers[1].down.weight"},
      {"WordInfinite", fp32(),
       [](OwnedModel& m) { m.edit<float>(m.spec().embedding.word)[0] = -kInfinity; },
       "embedding.word"},
      {"BiasNaN", classify(),
       [](OwnedModel& m) { m.edit<float>(m.spec().layers[1].up.bias)[63] = kNaN; },
       "layers[1].up.bias"},
      {"NormNaN", classify(),
       [](OwnedModel& m) { m.edit<float>(m.spec().embedding.norm.bias)[31] = kNaN; },
       "embedding.norm.bias"},
      {"HalfInfinite", halves(),
       [](OwnedModel& m) { m.edit<std::uint16_t>(m.spec().embedding.position)[100] = 0xFC00; },
       "embedding.position"},
      {"HalfNaN", halves(),
       [](OwnedModel& m) { m.edit<std::uint16_t>(m.spec().head.pooler->weight)[1023] = 0x7C01; },
       "head.pooler.weight"},
  };
}

std::vector<Forgery> forged_projections() {
  return {
      {"RankOther", factorised(), [](OwnedModel& m) { m.edit().embedding.projection->in = 8; },
       "embedding.projection.weight"},
      {"RankZero", factorised(), [](OwnedModel& m) { m.edit().embedding.projection->in = 0; },
       "embedding.projection.in"},
      {"RankOfAWholeTable", fp32(),
       [](OwnedModel& m) {
         static const OwnedModel square =
             make_tiny_model({.precision = Precision::fp32, .head_dim = 32, .n_heads = {1}});
         m.edit().embedding.projection = square.spec().layers[0].out;
         m.edit().embedding.projection->bias = {};
       },
       "embedding.projection.in"},
      {"RankHuge", factorised(),
       [](OwnedModel& m) { m.edit().embedding.projection->in = 0xFFFFFFFF; },
       "embedding.projection.in"},
      {"ProjectionToAnotherWidth", factorised(),
       [](OwnedModel& m) { m.edit().embedding.projection->out = 31; }, "embedding.projection.out"},
      {"ProjectionMissing", factorised(),
       [](OwnedModel& m) { m.edit().embedding.projection.reset(); }, "embedding.word"},
      {"ProjectionOfAWholeTable", classify(),
       [](OwnedModel& m) {
         static const OwnedModel other = make_tiny_model(factorised());
         m.edit().embedding.projection = other.spec().embedding.projection;
       },
       "embedding.word"},
      {"ProjectionOfAnotherPrecision", factorised(),
       [](OwnedModel& m) {
         static const OwnedModel other =
             make_tiny_model({.precision = Precision::fp32, .embedding_rank = 7});
         m.edit().embedding.projection = other.spec().embedding.projection;
       },
       "embedding.projection"},
      {"ProjectionWithABias", factorised(),
       [](OwnedModel& m) { m.edit().embedding.projection->bias = m.edit().layers[0].out.bias; },
       "embedding.projection.bias"},
      {"ProjectionWithAnInputScale", factorised(),
       [](OwnedModel& m) {
         m.edit().embedding.projection->input_scale = m.edit().embedding.projection->scale;
       },
       "embedding.projection.input_scale"},
      {"ProjectionWithoutScales", factorised(),
       [](OwnedModel& m) { m.edit().embedding.projection->scale = {}; },
       "embedding.projection.scale"},
      {"ProjectionWithoutWeight", factorised(),
       [](OwnedModel& m) { m.edit().embedding.projection->weight = {}; },
       "embedding.projection.weight"},
      {"ProjectionPaddingDirty", factorised(),
       [](OwnedModel& m) {
         const auto panels = m.edit<std::int8_t>(m.spec().embedding.projection->weight);
         panels[format::panel_index(0, 7, 7)] = 1;
       },
       "embedding.projection.weight"},
      {"FactorisedMaskFiller", of(Task::fill_mask),
       [](OwnedModel& m) {
         static const OwnedModel other = make_tiny_model(factorised());
         m.edit().embedding = other.spec().embedding;
       },
       "embedding.projection"},
  };
}

class ForgedWeights : public ::testing::TestWithParam<Forgery> {};

TEST_P(ForgedWeights, IsRefusedByTheReaderAndTheWriter) {
  expect_refused(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Tensors, ForgedWeights, ::testing::ValuesIn(forged_tensors()),
                         name_of_forgery);
INSTANTIATE_TEST_SUITE_P(Values, ForgedWeights, ::testing::ValuesIn(forged_values()),
                         name_of_forgery);
INSTANTIATE_TEST_SUITE_P(Projections, ForgedWeights, ::testing::ValuesIn(forged_projections()),
                         name_of_forgery);

}  // namespace
}  // namespace espalier::testing
