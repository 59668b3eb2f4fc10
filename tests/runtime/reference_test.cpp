// The reference back end on rows made by hand, where every code and every bit can be said in
// advance.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "format/panels.hpp"
#include "runtime/reference/attention.hpp"
#include "runtime/reference/linear.hpp"

namespace espalier::runtime::reference {
namespace {

template <typename T>
format::Tensor view(const std::vector<T>& values, format::ElementType type, std::uint32_t rows) {
  return {type, rows, static_cast<std::uint32_t>(values.size() / rows),
          std::as_bytes(std::span(values))};
}

/// y = x Wᵀ + bias with `codes` (out, in) and one scale for each output.
struct Int8Layer {
  Int8Layer(std::vector<std::int8_t> codes, std::vector<float> output_scales,
            std::vector<float> output_bias)
      : scales(std::move(output_scales)), bias(std::move(output_bias)) {
    spec.out = static_cast<std::uint32_t>(scales.size());
    spec.in = static_cast<std::uint32_t>(codes.size()) / spec.out;
    spec.precision = Precision::int8;
    panels = format::pack_panels(codes, spec.out, spec.in);
    spec.weight = {format::ElementType::s8, spec.out, spec.in, std::as_bytes(std::span(panels))};
    spec.scale = view(scales, format::ElementType::f32, 1);
    spec.bias = view(bias, format::ElementType::f32, 1);
  }

  std::vector<float> operator()(const std::vector<float>& x) const {
    const auto n_rows = static_cast<std::uint32_t>(x.size() / spec.in);
    LinearScratch scratch(n_rows, spec.in);
    std::vector<float> y(std::size_t{n_rows} * spec.out);
    linear(spec, x, n_rows, y, scratch);
    return y;
  }

  std::vector<std::int8_t> panels;
  std::vector<float> scales;
  std::vector<float> bias;
  format::LinearSpec spec;
};

TEST(ReferenceInt8Linear, RoundsActivationsHalfToEven) {
  const Int8Layer layer({0, 1, 0, 0, 0, 1}, {1.0F, 1.0F}, {0.0F, 0.0F});

  // max 127: scale 1, codes 127, -64 (from -63.5) and 2 (from 2.5).
  EXPECT_EQ(layer({127.0F, -63.5F, 2.5F}), (std::vector<float>{-64.0F, 2.0F}));
}

TEST(ReferenceInt8Linear, ScalesEachRowByItsOwnMaximum) {
  const Int8Layer layer({127, 1}, {0.5F}, {10.0F});

  const std::vector<float> y = layer({127.0F, 0.0F, 0.0F, 1.27F});

  EXPECT_EQ(y[0], 127.0F * 127.0F * 0.5F + 10.0F);
  EXPECT_EQ(y[1], 127.0F * (1.27F / 127.0F) * 0.5F + 10.0F);
}

TEST(ReferenceInt8Linear, GivesTheBiasForATinyRow) {
  const Int8Layer layer({100, -100}, {1.0F}, {0.25F});

  EXPECT_EQ(layer({1e-31F, -1e-31F}), std::vector<float>{0.25F});
}

TEST(ReferenceInt8Linear, AddsTheLargestProductsExactly) {
  const std::uint32_t in = 3072;
  const Int8Layer layer(std::vector<std::int8_t>(in, 127), {1.0F}, {0.0F});

  // 3072 * 127 * 127 = 49,548,288 is beyond the integers that a float counts one by one, but a
  // multiple of 4 and below 2^26.
  EXPECT_EQ(layer(std::vector<float>(in, 127.0F)), std::vector<float>{49'548'288.0F});
}

/// The same layer with other codes.
Int8Layer coded(Int8Layer layer, format::ActivationCodes codes, float scale = 0,
                std::uint32_t zero = 0) {
  layer.spec.activations = codes;
  layer.spec.activation_scale = scale;
  layer.spec.activation_zero = zero;
  return layer;
}

TEST(ReferenceAsymmetricLinear, FindsScaleAndZeroOfEachRow) {
  const Int8Layer layer =
      coded(Int8Layer({3, 5, -7}, {0.5F}, {1.0F}), format::ActivationCodes::per_token_asymmetric);

  // Range [-1, 254]: scale 1, zero 1. Range [0, 510]: scale 2, zero 0; 3 / 2 goes to 2.
  const std::vector<float> y = layer({-1.0F, 254.0F, 0.0F, 510.0F, 0.0F, 3.0F});

  EXPECT_EQ(
      y, (std::vector<float>{(3 * -1 + 5 * 254) * 0.5F + 1, (3 * 255 - 7 * 2) * 2.0F * 0.5F + 1}));
}

TEST(ReferenceAsymmetricLinear, GivesTheBiasForATinyRow) {
  const Int8Layer layer =
      coded(Int8Layer({100, -100}, {1.0F}, {0.25F}), format::ActivationCodes::per_token_asymmetric);

  EXPECT_EQ(layer({1e-31F, -1e-31F}), std::vector<float>{0.25F});
}

TEST(ReferenceAsymmetricLinear, AddsTheLargestProductsExactly) {
  const std::uint32_t in = 65536;  // as many as a file may ask for
  const Int8Layer layer = coded(Int8Layer(std::vector<std::int8_t>(in, 127), {1.0F}, {0.0F}),
                                format::ActivationCodes::per_token_asymmetric);

  // 65,536 * 255 * 127 = 2,122,383,360 is below 2^31 and a multiple of 2^16.
  EXPECT_EQ(layer(std::vector<float>(in, 255.0F)), std::vector<float>{2'122'383'360.0F});
  EXPECT_EQ(layer(std::vector<float>(in, -255.0F)), std::vector<float>{-2'122'383'360.0F});
}

TEST(ReferenceStaticLinear, CodesEveryRowWithTheStoredScaleAndZeroAndClips) {
  const Int8Layer layer = coded(Int8Layer({1, 10, -100}, {1.0F}, {0.0F}),
                                format::ActivationCodes::per_tensor_asymmetric, 0.5F, 100);

  // Covers [-50, 77.5].
  EXPECT_EQ(layer({1.0F, -1.25F, 0.0F, -51.0F, 1000.0F, 77.5F}),
            (std::vector<float>{(2 + 10 * -2) * 0.5F, (-100 + 10 * 155 - 100 * 155) * 0.5F}));
}

TEST(ReferenceInt8Linear, ReadsEveryWeightOfOddShapes) {
  const std::uint32_t in = 131;
  const std::uint32_t out = 67;
  std::vector<std::int8_t> codes(std::size_t{in} * out);
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::int8_t>(i * 37 % 255 - 127);
  const Int8Layer layer(codes, std::vector<float>(out, 1.0F), std::vector<float>(out, 0.0F));
  std::vector<float> x(in);
  for (std::size_t i = 0; i < in; ++i) x[i] = static_cast<float>(i) - 3.0F;  // max 127: scale 1

  const std::vector<float> y = layer(x);

  for (std::size_t channel = 0; channel < out; ++channel) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < in; ++i) {
      sum += codes[channel * in + i] * (static_cast<std::int32_t>(i) - 3);
    }
    EXPECT_EQ(y[channel], static_cast<float>(sum)) << channel;
  }
}

TEST(ReferenceLinear, IsTheBiasWhenNoInputIsLeft) {
  for (const Precision precision : {Precision::fp32, Precision::int8, Precision::bf16}) {
    const std::vector<float> bias = {1.5F, -2.0F};
    format::LinearSpec spec;
    spec.out = 2;
    spec.precision = precision;
    spec.bias = view(bias, format::ElementType::f32, 1);
    LinearScratch scratch(3, 0);
    std::vector<float> y(6);

    linear(spec, {}, 3, y, scratch);

    EXPECT_EQ(y, (std::vector<float>{1.5F, -2.0F, 1.5F, -2.0F, 1.5F, -2.0F}));
  }
}

TEST(ReferenceFp32Linear, SumsInDouble) {
  // In fp32 the one is lost between the two big terms.
  const std::vector<float> weight = {1e9F, 1.0F, -1e9F};
  const std::vector<float> bias = {0.0F};
  format::LinearSpec spec;
  spec.in = 3;
  spec.out = 1;
  spec.weight = view(weight, format::ElementType::f32, 1);
  spec.bias = view(bias, format::ElementType::f32, 1);
  LinearScratch scratch(1, 3);
  std::vector<float> y(1);

  linear(spec, std::vector<float>{1.0F, 1.0F, 1.0F}, 1, y, scratch);

  EXPECT_EQ(y[0], 1.0F);
}

TEST(ReferenceBf16Linear, RoundsItsInputHalfToEvenAndNothingElse) {
  // 1 + 2^-8 is a tie that goes down to 1, 1 + 3 * 2^-8 one that goes up to 1 + 2^-6; the product
  // of two bfloat16 and the bias have bits that bfloat16 does not hold.
  const std::vector<std::uint16_t> weight = {0x3F81, 0x3F80};  // 1 + 2^-7, 1
  const std::vector<float> bias = {0x1p-16F};
  format::LinearSpec spec;
  spec.in = 2;
  spec.out = 1;
  spec.precision = Precision::bf16;
  spec.weight = view(weight, format::ElementType::bf16, 1);
  spec.bias = view(bias, format::ElementType::f32, 1);
  LinearScratch scratch(2, 2);
  std::vector<float> y(2);

  linear(spec, std::vector<float>{1 + 0x3p-8F, 0.0F, 0.0F, 1 + 0x1p-8F}, 2, y, scratch);

  EXPECT_EQ(y[0], (1 + 0x1p-6F) * (1 + 0x1p-7F) + 0x1p-16F);
  EXPECT_EQ(y[1], 1 + 0x1p-16F);
}

/// Context of the first of two tokens, one head of one unit; a row is Q, K, V.
float context_of_two(const std::array<float, 3>& first, const std::array<float, 3>& second) {
  const HeadShape shape = {1, 1};
  KeyValues key_values(Precision::int8, 2, shape);
  key_values.store(Precision::int8, shape, 0, first);
  key_values.store(Precision::int8, shape, 1, second);
  AttentionScratch scratch(2, 1);
  std::array<float, 1> context{};
  attend_token(Precision::int8, shape, key_values, {0, 2}, first, context, scratch);
  return context[0];
}

TEST(ReferenceInt8Attention, WeighsValuesByTheirScales) {
  // Equal scores: e = 1, 1. Value codes 127 at scales 2/127 and 1/127: w codes 255 and 128 (127.5).
  const float top_weight = 2.0F / 127.0F;
  const float expected = static_cast<float>(255 * 127 + 128 * 127) * (top_weight / 255.0F / 2.0F);

  EXPECT_EQ(context_of_two({1.0F, 0.0F, 2.0F}, {1.0F, 0.0F, 1.0F}), expected);
}

TEST(ReferenceInt8Attention, GivesZeroForValuesOfZero) {
  EXPECT_EQ(context_of_two({1.0F, 1.0F, 0.0F}, {1.0F, 2.0F, 0.0F}), 0.0F);
}

TEST(ReferenceInt8Attention, FollowsTheLargerScore) {
  // Score 100 against 0: e^-100 counts as e^-87, far below half a step of P.
  EXPECT_EQ(context_of_two({10.0F, 0.0F, 5.0F}, {1.0F, 10.0F, -1.0F}),
            static_cast<float>(255 * -127) * ((1.0F / 127.0F) / 255.0F / 1.0F));
}

}  // namespace
}  // namespace espalier::runtime::reference
