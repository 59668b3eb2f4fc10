// Sound files that mean no model, for what quantization adds to weights: codes of activations and
// weights of four bits.
#include "tests/format/forgery.hpp"

namespace espalier::testing {
namespace {

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

class ForgedCodes : public ::testing::TestWithParam<Forgery> {};

TEST_P(ForgedCodes, IsRefusedByTheReaderAndTheWriter) {
  expect_refused(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Codes, ForgedCodes, ::testing::ValuesIn(forged_codes()), name_of_forgery);
INSTANTIATE_TEST_SUITE_P(FourBits, ForgedCodes, ::testing::ValuesIn(forged_four_bits()),
                         name_of_forgery);

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
