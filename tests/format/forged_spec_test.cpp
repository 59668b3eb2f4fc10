// Files with a right checksum and a sound structure that mean no model: each is refused by name, by
// the reader and, before it is written, by the writer.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <ostream>

#include "format/panels.hpp"
#include "format/writer.hpp"
#include "tests/format/forge.hpp"

namespace espalier::testing {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// One way to spoil a model and the place that must be named.
struct Forgery {
  const char* name;
  TinyModel tiny;
  std::function<void(OwnedModel&)> spoil;
  const char* where;
};

void PrintTo(const Forgery& forgery, std::ostream* out) {
  *out << forgery.name;
}

TinyModel classify() {
  return {.self_test = true};
}
TinyModel fp32() {
  return {.precision = Precision::fp32, .self_test = true};
}
TinyModel bf16() {
  return {.precision = Precision::bf16, .self_test = true};
}
TinyModel factorised() {
  return {.embedding_rank = 7, .self_test = true};
}
TinyModel halves() {
  return {.small_type = format::ElementType::f16};
}
TinyModel of(Task task) {
  return {.task = task, .self_test = true};
}

std::vector<Forgery> forged_sizes() {
  return {
      {"HiddenZero", classify(), [](OwnedModel& m) { m.edit().hidden = 0; }, "hidden"},
      {"HiddenOther", classify(), [](OwnedModel& m) { m.edit().hidden = 64; }, "embedding.word"},
      {"HiddenHuge", classify(), [](OwnedModel& m) { m.edit().hidden = 1U << 31; }, "hidden"},
      {"HeadDimZero", classify(), [](OwnedModel& m) { m.edit().head_dim = 0; }, "head_dim"},
      {"HeadDimOther", classify(), [](OwnedModel& m) { m.edit().head_dim = 4; },
       "layers[0].qkv.out"},
      {"HeadDimHuge", classify(), [](OwnedModel& m) { m.edit().head_dim = 1025; }, "head_dim"},
      {"NoLayers", classify(), [](OwnedModel& m) { m.edit().layers.clear(); }, "layers"},
      {"EpsZero", classify(), [](OwnedModel& m) { m.edit().layer_norm_eps = 0; }, "layer_norm_eps"},
      {"EpsOne", classify(), [](OwnedModel& m) { m.edit().layer_norm_eps = 1; }, "layer_norm_eps"},
      {"EpsNaN", classify(), [](OwnedModel& m) { m.edit().layer_norm_eps = kNaN; },
       "layer_norm_eps"},
      {"MaxLengthShort", classify(), [](OwnedModel& m) { m.edit().max_length = 2; }, "max_length"},
      {"MaxLengthLong", classify(), [](OwnedModel& m) { m.edit().max_length = 65; }, "max_length"},
      {"HeadsMissing", classify(), [](OwnedModel& m) { m.edit().layers[1].n_heads = 3; },
       "layers[1].qkv.out"},
      {"HeadsHuge", classify(), [](OwnedModel& m) { m.edit().layers[1].n_heads = 0xFFFFFFFF; },
       "layers[1].n_heads"},
      {"HeadsWrapToZero", classify(), [](OwnedModel& m) { m.edit().layers[1].n_heads = 1U << 29; },
       "layers[1].n_heads"},
      {"IntermediateOther", classify(), [](OwnedModel& m) { m.edit().layers[0].intermediate = 63; },
       "layers[0].up.out"},
      {"IntermediateHuge", classify(),
       [](OwnedModel& m) { m.edit().layers[0].intermediate = 65537; }, "layers[0].intermediate"},
      {"InputsOther", classify(), [](OwnedModel& m) { m.edit().layers[0].down.in = 60; },
       "layers[0].down.in"},
  };
}

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

TinyModel with_static_codes() {
  return {.codes = kAllStatic, .self_test = true};
}

std::vector<Forgery> forged_codes() {
  using format::ActivationCodes;
  constexpr auto kAsymmetric = ActivationCodes::per_token_asymmetric;
  constexpr auto kStatic = ActivationCodes::per_tensor_asymmetric;
  return {
      {"StaticCodesWithoutScale", classify(),
       [](OwnedModel& m) { m.edit().layers[1].down.activations = kStatic; },
       "layers[1].down.activation_scale"},
      {"ActivationScaleTooSmall", with_static_codes(),
       [](OwnedModel& m) { m.edit().layers[0].qkv.activation_scale = 9e-31F; },
       "layers[0].qkv.activation_scale"},
      {"ActivationScaleNegative", with_static_codes(),
       [](OwnedModel& m) { m.edit().layers[0].out.activation_scale = -0.1F; },
       "layers[0].out.activation_scale"},
      {"ActivationScaleNaN", with_static_codes(),
       [](OwnedModel& m) { m.edit().layers[0].up.activation_scale = kNaN; },
       "layers[0].up.activation_scale"},
      {"ActivationScaleInfinite", with_static_codes(),
       [](OwnedModel& m) { m.edit().layers[1].out.activation_scale = kInfinity; },
       "layers[1].out.activation_scale"},
      {"ActivationScaleOfDynamicCodes", classify(),
       [](OwnedModel& m) { m.edit().layers[1].up.activation_scale = 0.1F; },
       "layers[1].up.activation_scale"},
      {"ActivationScaleNaNOfDynamicCodes", classify(),
       [](OwnedModel& m) {
         m.edit().layers[0].down.activations = kAsymmetric;
         m.edit().layers[0].down.activation_scale = kNaN;
       },
       "layers[0].down.activation_scale"},
      {"ActivationZeroOfDynamicCodes", classify(),
       [](OwnedModel& m) {
         m.edit().layers[0].down.activations = kAsymmetric;
         m.edit().layers[0].down.activation_zero = 1;
       },
       "layers[0].down.activation_zero"},
      {"CodesOfFp32", fp32(),
       [](OwnedModel& m) { m.edit().layers[0].down.activations = kAsymmetric; },
       "layers[0].down.activations"},
      {"CodesOfBf16", bf16(), [](OwnedModel& m) { m.edit().layers[1].qkv.activations = kStatic; },
       "layers[1].qkv.activations"},
      {"CodesWithoutInputs",
       {.n_heads = {4, 0}},
       [](OwnedModel& m) { m.edit().layers[1].out.activations = kAsymmetric; },
       "layers[1].out.activations"},
      {"CodesWithoutOutputs",
       {.intermediate = {64, 0}},
       [](OwnedModel& m) { m.edit().layers[1].up.activations = kAsymmetric; },
       "layers[1].up.activations"},
      {"CodesOfWords", factorised(),
       [](OwnedModel& m) { m.edit().embedding.projection->activations = kAsymmetric; },
       "embedding.projection.activations"},
  };
}

TinyModel four_bits() {
  return {.hidden = 37,
          .head_dim = 5,
          .n_heads = {3, 0},
          .intermediate = {65, 8},
          .four_bit_group = 32,
          .self_test = true};
}

std::vector<Forgery> forged_four_bits() {
  using format::ElementType;
  return {
      {"GroupZero", four_bits(), [](OwnedModel& m) { m.edit().layers[0].up.group = 0; },
       "layers[0].up.group"},
      {"GroupOfAnySize", four_bits(), [](OwnedModel& m) { m.edit().layers[0].up.group = 37; },
       "layers[0].up.group"},
      {"GroupOther", four_bits(), [](OwnedModel& m) { m.edit().layers[0].up.group = 64; },
       "layers[0].up.multiplier"},
      {"GroupOfEightBits", classify(), [](OwnedModel& m) { m.edit().layers[0].up.group = 32; },
       "layers[0].up.group"},
      {"GroupOfFp32", fp32(), [](OwnedModel& m) { m.edit().layers[1].up.group = 32; },
       "layers[1].up.group"},
      {"GroupWithoutInputs", four_bits(), [](OwnedModel& m) { m.edit().layers[1].out.group = 32; },
       "layers[1].out.group"},
      {"MultipliersOfEightBits", classify(),
       [](OwnedModel& m) { m.edit().layers[0].up.multiplier = m.edit().layers[0].up.weight; },
       "layers[0].up.multiplier"},
      {"MultipliersMissing", four_bits(),
       [](OwnedModel& m) { m.edit().layers[0].down.multiplier = {}; }, "layers[0].down.multiplier"},
      {"MultipliersOfTooFewRows", four_bits(),
       [](OwnedModel& m) { m.edit().layers[0].out.multiplier.rows = 36; },
       "layers[0].out.multiplier"},
      {"MultipliersOfF32", four_bits(),
       [](OwnedModel& m) { m.edit().layers[0].out.multiplier.type = ElementType::f32; },
       "layers[0].out.multiplier"},
      {"MultiplierZero", four_bits(),
       [](OwnedModel& m) { m.edit<std::int8_t>(m.spec().layers[0].qkv.multiplier)[3] = 0; },
       "layers[0].qkv.multiplier"},
      {"MultiplierThatOverflowsACode", four_bits(),
       [](OwnedModel& m) { m.edit<std::int8_t>(m.spec().layers[0].down.multiplier)[110] = 19; },
       "layers[0].down.multiplier"},
      {"MultiplierNegative", four_bits(),
       [](OwnedModel& m) { m.edit<std::int8_t>(m.spec().layers[1].up.multiplier)[0] = -1; },
       "layers[1].up.multiplier"},
      {"LowerCodeMinusEight", four_bits(),
       [](OwnedModel& m) { m.edit<std::uint8_t>(m.spec().layers[0].up.weight)[18] = 0x08; },
       "layers[0].up.weight"},
      {"UpperCodeMinusEight", four_bits(),
       [](OwnedModel& m) { m.edit<std::uint8_t>(m.spec().layers[0].up.weight)[1] = 0x81; },
       "layers[0].up.weight"},
      {"HalfByteAfterAnOddRow", four_bits(),
       [](OwnedModel& m) { m.edit<std::uint8_t>(m.spec().layers[0].up.weight)[18] |= 0x10; },
       "layers[0].up.weight"},
      {"FourBitsWithoutRoomForOddRows", four_bits(),
       [](OwnedModel& m) {
         auto& bytes = m.edit().layers[0].up.weight.bytes;
         bytes = bytes.first((std::size_t{65} * 37 + 1) / 2);
       },
       "layers[0].up.weight"},
      {"EightBitsCalledFour", classify(),
       [](OwnedModel& m) { m.edit().layers[0].up.weight.type = ElementType::s4; },
       "layers[0].up.group"},
      {"FourBitsCalledEight", four_bits(),
       [](OwnedModel& m) { m.edit().layers[0].up.weight.type = ElementType::s8; },
       "layers[0].up.group"},
      {"FourBitsOfBf16", four_bits(),
       [](OwnedModel& m) { m.edit().layers[0].up.precision = Precision::bf16; },
       "layers[0].up.group"},
      {"FourBitScaleMissing", four_bits(), [](OwnedModel& m) { m.edit().layers[0].up.scale = {}; },
       "layers[0].up.scale"},
      {"WordGroupZero", four_bits(), [](OwnedModel& m) { m.edit().embedding.word_group = 0; },
       "embedding.word_group"},
      {"WordGroupOfEightBits", classify(),
       [](OwnedModel& m) { m.edit().embedding.word_group = 64; }, "embedding.word_group"},
      {"WordMultipliersMissing", four_bits(),
       [](OwnedModel& m) { m.edit().embedding.word_multiplier = {}; }, "embedding.word_multiplier"},
      {"WordMultiplierTooLarge", four_bits(),
       [](OwnedModel& m) { m.edit<std::int8_t>(m.spec().embedding.word_multiplier).back() = 127; },
       "embedding.word_multiplier"},
      {"WordMinusEight", four_bits(),
       [](OwnedModel& m) { m.edit<std::uint8_t>(m.spec().embedding.word)[0] = 0x88; },
       "embedding.word"},
      {"WordRowHalfByte", four_bits(),
       [](OwnedModel& m) { m.edit<std::uint8_t>(m.spec().embedding.word).back() |= 0x70; },
       "embedding.word"},
      {"FourBitWordScaleMissing", four_bits(),
       [](OwnedModel& m) { m.edit().embedding.word_scale = {}; }, "embedding.word_scale"},
      {"PositionsOfS4", classify(),
       [](OwnedModel& m) { m.edit().embedding.position.type = ElementType::s4; },
       "embedding.position"},
      {"HeadOfS4", halves(),
       [](OwnedModel& m) { m.edit().head.pooler->weight.type = ElementType::s4; },
       "head.pooler.weight"},
  };
}

std::vector<Forgery> forged_heads() {
  return {
      {"PoolerMissing", classify(), [](OwnedModel& m) { m.edit().head.pooler.reset(); },
       "head.pooler"},
      {"PoolerNarrow", classify(),
       [](OwnedModel& m) { m.edit().head.pooler = m.edit().head.classifier; }, "head.pooler.out"},
      {"ClassifierMissing", of(Task::tag), [](OwnedModel& m) { m.edit().head.classifier.reset(); },
       "head.classifier"},
      {"PoolerWithTag", of(Task::tag),
       [](OwnedModel& m) { m.edit().head.pooler = m.edit().head.classifier; }, "head.pooler"},
      {"ClassifierWithEmbed", of(Task::embed),
       [](OwnedModel& m) { m.edit().head.classifier = format::HeadLinear{}; }, "head.classifier"},
      {"ReluWithoutPooler", of(Task::tag),
       [](OwnedModel& m) { m.edit().head.pooler_activation = format::PoolerActivation::relu; },
       "head.pooler_activation"},
      {"PoolingWithClassify", classify(),
       [](OwnedModel& m) { m.edit().head.pooling = format::Pooling::cls; }, "head.pooling"},
      {"NormalizeWithClassify", classify(), [](OwnedModel& m) { m.edit().head.normalize = true; },
       "head.normalize"},
      {"TransformMissing", of(Task::fill_mask),
       [](OwnedModel& m) { m.edit().head.transform.reset(); }, "head.transform"},
      {"TransformNormMissing", of(Task::fill_mask),
       [](OwnedModel& m) { m.edit().head.transform_norm = {}; }, "head.transform_norm.weight"},
      {"DecoderBiasMissing", of(Task::fill_mask),
       [](OwnedModel& m) { m.edit().head.decoder_bias = {}; }, "head.decoder_bias"},
      {"DecoderBiasWithClassify", classify(),
       [](OwnedModel& m) { m.edit().head.decoder_bias = m.edit().embedding.norm.bias; },
       "head.decoder_bias"},
      {"TransformNormWithClassify", classify(),
       [](OwnedModel& m) { m.edit().head.transform_norm = m.edit().embedding.norm; },
       "head.transform_norm"},
      {"LabelTooFew", of(Task::tag), [](OwnedModel& m) { m.edit().labels.pop_back(); },
       "head.classifier.out"},
      {"LabelTooMany", classify(), [](OwnedModel& m) { m.edit().labels.emplace_back("third"); },
       "head.classifier.out"},
      {"LabelWithEmbed", of(Task::embed), [](OwnedModel& m) { m.edit().labels = {"x"}; }, "labels"},
      {"OneLabelClassify", {.labels = {"only"}}, [](OwnedModel&) {}, "labels"},
      {"TwoLabelRegress",
       {.task = Task::regress, .labels = {"a", "b"}},
       [](OwnedModel&) {},
       "labels"},
      {"LabelNotUtf8", classify(), [](OwnedModel& m) { m.edit().labels[1] = "\xC0\x80"; },
       "labels[1]"},
      {"LabelLong", classify(), [](OwnedModel& m) { m.edit().labels[1].assign(1025, 'x'); },
       "labels[1]"},
  };
}

/// Replaces the vocabulary's text; the number of pieces stays.
void set_vocabulary(OwnedModel& model, const std::function<void(std::string&)>& edit) {
  std::string text(model.spec().tokenizer.vocabulary);
  edit(text);
  const std::span<std::byte> bytes = model.allocate(text.size());
  std::copy_n(std::as_bytes(std::span<const char>(text.data(), text.size())).data(), text.size(),
              bytes.data());
  model.edit().tokenizer.vocabulary = {reinterpret_cast<const char*>(bytes.data()), text.size()};
}

std::vector<Forgery> forged_tokenizers() {
  const auto vocabulary = [](const std::function<void(std::string&)>& edit) {
    return [edit](OwnedModel& m) { set_vocabulary(m, edit); };
  };
  return {
      {"PiecesOther", classify(), [](OwnedModel& m) { m.edit().tokenizer.n_pieces = 63; },
       "tokenizer.n_pieces"},
      {"PieceTooMany", classify(), vocabulary([](std::string& text) { text += "more\n"; }),
       "tokenizer.vocabulary"},
      {"PieceTooFew", classify(),
       vocabulary([](std::string& text) { text.erase(0, text.find('\n') + 1); }),
       "tokenizer.vocabulary"},
      {"LastPieceNotEnded", classify(), vocabulary([](std::string& text) {
         text.pop_back();
         text.insert(0, "\n");
       }),
       "tokenizer.vocabulary"},
      {"VocabularyNotUtf8", classify(), vocabulary([](std::string& text) { text[0] = '\xFF'; }),
       "tokenizer.vocabulary"},
      {"UnkOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.unk = 64; }, "tokenizer.unk"},
      {"ClsOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.cls = 64; }, "tokenizer.cls"},
      {"SepOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.sep = 64; }, "tokenizer.sep"},
      {"PadOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.pad = 1U << 31; },
       "tokenizer.pad"},
      {"MaskOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.mask = 0xFFFFFFFF; },
       "tokenizer.mask"},
      {"WordCharsZero", classify(), [](OwnedModel& m) { m.edit().tokenizer.max_word_chars = 0; },
       "tokenizer.max_word_chars"},
      {"ContinuationLong", classify(),
       [](OwnedModel& m) { m.edit().tokenizer.continuation.assign(65, '#'); },
       "tokenizer.continuation"},
      {"ContinuationNotUtf8", classify(),
       [](OwnedModel& m) { m.edit().tokenizer.continuation = "\xED\xA0\x80"; },
       "tokenizer.continuation"},
      {"AddedIdOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.added[2].id = 64; },
       "tokenizer.added[2].id"},
      {"AddedEmpty", classify(), [](OwnedModel& m) { m.edit().tokenizer.added[2].content = ""; },
       "tokenizer.added[2].content"},
      {"AddedMany", classify(),
       [](OwnedModel& m) {
         m.edit().tokenizer.added.assign(16385, {"x", 5});
       },
       "tokenizer.added"},
  };
}

std::vector<Forgery> forged_tests() {
  const auto first = [](OwnedModel& m) -> format::SelfTestCase& {
    return m.edit().self_test.cases[0];
  };
  return {
      {"IdOut", classify(), [first](OwnedModel& m) { first(m).ids[2] = TokenId{64}; },
       "self_test.cases[0].ids[2]"},
      {"IdNegative", classify(), [first](OwnedModel& m) { first(m).ids[2] = TokenId{-1}; },
       "self_test.cases[0].ids[2]"},
      {"NoIds", classify(), [first](OwnedModel& m) { first(m).ids.clear(); },
       "self_test.cases[0].ids"},
      {"IdsLong",
       {.max_length = 6, .self_test = true},
       [](OwnedModel&) {},
       "self_test.cases[1].ids"},
      {"SegmentOut", classify(), [first](OwnedModel& m) { first(m).segments[3] = 2; },
       "self_test.cases[0].segments[3]"},
      {"SegmentsShort", classify(), [first](OwnedModel& m) { first(m).segments.pop_back(); },
       "self_test.cases[0].segments"},
      {"ExpectedShort", classify(), [first](OwnedModel& m) { first(m).expected.pop_back(); },
       "self_test.cases[0].expected"},
      {"ExpectedOfOtherTask", of(Task::tag),
       [first](OwnedModel& m) { first(m).expected.resize(3); }, "self_test.cases[0].expected"},
      {"ExpectedOfEmbed", of(Task::embed), [first](OwnedModel& m) { first(m).expected.resize(31); },
       "self_test.cases[0].expected"},
      {"ExpectedNaN", classify(), [first](OwnedModel& m) { first(m).expected[1] = kNaN; },
       "self_test.cases[0].expected"},
      {"NoMask", of(Task::fill_mask), [first](OwnedModel& m) { first(m).ids[1] = TokenId{9}; },
       "self_test.cases[0].ids"},
      {"ToleranceNegative", classify(), [](OwnedModel& m) { m.edit().self_test.tolerance = -0.1F; },
       "self_test.tolerance"},
      {"ToleranceLarge", classify(), [](OwnedModel& m) { m.edit().self_test.tolerance = 0.6F; },
       "self_test.tolerance"},
      {"ToleranceNaN", classify(), [](OwnedModel& m) { m.edit().self_test.tolerance = kNaN; },
       "self_test.tolerance"},
      {"ToleranceZeroWithFp32", fp32(), [](OwnedModel& m) { m.edit().self_test.tolerance = 0; },
       "self_test.tolerance"},
      {"CasesMany", classify(),
       [first](OwnedModel& m) { m.edit().self_test.cases.assign(65, first(m)); },
       "self_test.cases"},
      {"StagesMany", classify(), [](OwnedModel& m) { m.edit().provenance.resize(65); },
       "provenance"},
      {"OptionsMany", classify(), [](OwnedModel& m) { m.edit().provenance[0].options.resize(129); },
       "provenance[0].options"},
      {"MetricNotUtf8", classify(),
       [](OwnedModel& m) {
         m.edit().provenance[0].metrics = {{"f1", "\xF5"}};
       },
       "provenance[0].metrics[0].value"},
      {"StageNameLong", classify(),
       [](OwnedModel& m) { m.edit().provenance[0].name.assign(1025, 'x'); }, "provenance[0].name"},
  };
}

class ForgedSpec : public ::testing::TestWithParam<Forgery> {};

TEST_P(ForgedSpec, IsRefusedByTheReaderAndTheWriter) {
  OwnedModel model = make_tiny_model(GetParam().tiny);
  GetParam().spoil(model);

  const Verdict verdict = read(write_unchecked(model.spec()));

  ASSERT_FALSE(verdict.accepted);
  EXPECT_EQ(verdict.code, ErrorCode::verification);
  const std::string start = std::string(GetParam().where) + ": ";
  EXPECT_EQ(verdict.message.substr(0, start.size()), start) << verdict.message;
  try {
    (void)format::to_bytes(model.spec());
    ADD_FAILURE() << "the writer accepts it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed) << error.what();
  }
}

const auto name_of = [](const auto& test) { return std::string(test.param.name); };

INSTANTIATE_TEST_SUITE_P(Sizes, ForgedSpec, ::testing::ValuesIn(forged_sizes()), name_of);
INSTANTIATE_TEST_SUITE_P(Tensors, ForgedSpec, ::testing::ValuesIn(forged_tensors()), name_of);
INSTANTIATE_TEST_SUITE_P(Values, ForgedSpec, ::testing::ValuesIn(forged_values()), name_of);
INSTANTIATE_TEST_SUITE_P(Projections, ForgedSpec, ::testing::ValuesIn(forged_projections()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Codes, ForgedSpec, ::testing::ValuesIn(forged_codes()), name_of);
INSTANTIATE_TEST_SUITE_P(FourBits, ForgedSpec, ::testing::ValuesIn(forged_four_bits()), name_of);
INSTANTIATE_TEST_SUITE_P(Heads, ForgedSpec, ::testing::ValuesIn(forged_heads()), name_of);
INSTANTIATE_TEST_SUITE_P(Tokenizers, ForgedSpec, ::testing::ValuesIn(forged_tokenizers()), name_of);
INSTANTIATE_TEST_SUITE_P(Tests, ForgedSpec, ::testing::ValuesIn(forged_tests()), name_of);

TEST(Writer, RefusesAZeroPointThatNoByteHolds) {
  OwnedModel model = make_tiny_model(with_static_codes());
  model.edit().layers[0].up.activation_zero = 256;

  try {
    (void)format::to_bytes(model.spec());
    ADD_FAILURE() << "the writer accepts it";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("layers[0].up.activation_zero"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace espalier::testing
