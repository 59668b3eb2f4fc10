// Codes and scales of the dynamic int8 mode, against a plain second implementation.
#include "compress/export/quantize_weights.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "format/panels.hpp"

namespace espalier::compress {
namespace {

constexpr std::uint32_t kOut = 70;  // a whole panel and a part of one
constexpr std::uint32_t kIn = 37;   // no multiple of anything

std::vector<float> random_weights(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> weights(n);
  for (float& weight : weights) {
    weight = static_cast<float>(static_cast<std::int32_t>(random())) * 0x1p-33F;
  }
  return weights;
}

LinearPacker pack(TensorStore& store, const std::vector<float>& weights) {
  LinearPacker packer(store, kOut, kIn);
  for (std::uint32_t channel = 0; channel < kOut; ++channel) {
    packer.add_channel(std::span(weights).subspan(channel * kIn, kIn));
  }
  return packer;
}

TEST(QuantizeWeights, EveryWeightComesBackWithinHalfAScale) {
  const std::vector<float> weights = random_weights(std::size_t{kOut} * kIn, 1);
  TensorStore store;

  const LinearPacker packer = pack(store, weights);

  const auto codes = format::unpack_panels(packer.weight().as<std::int8_t>(), kOut, kIn);
  const auto scales = packer.scale().as<float>();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double scale = scales[i / kIn];
    // Rounding to the nearest code is off by scale / 2; the two rounded factors (amax / 127 and
    // 127 / amax) move a code near a tie by at most 127 * 2^-23 of a step more.
    EXPECT_LE(std::abs(codes[i] * scale - double{weights[i]}), scale * (0.5 + 127 * 0x1p-23))
        << "weight " << i;
  }
}

TEST(QuantizeWeights, TheLargestWeightOfAChannelGetsTheLargestCode) {
  std::vector<float> weights = random_weights(std::size_t{kOut} * kIn, 2);
  weights[3 * kIn + 5] = -2.0F;
  TensorStore store;

  const LinearPacker packer = pack(store, weights);

  EXPECT_EQ(packer.weight().as<std::int8_t>()[format::panel_index(3, 5, kIn)], -127);
  EXPECT_EQ(packer.scale().as<float>()[3], 2.0F / 127.0F);
}

TEST(QuantizeWeights, AChannelOfZerosHasZeroCodesAndAPositiveScale) {
  std::vector<float> weights = random_weights(std::size_t{kOut} * kIn, 3);
  std::fill_n(weights.begin() + 4 * kIn, kIn, 0.0F);
  std::fill_n(weights.begin() + 9 * kIn, kIn, 1e-38F);  // too small for 127 / amax
  TensorStore store;

  const LinearPacker packer = pack(store, weights);

  const auto codes = format::unpack_panels(packer.weight().as<std::int8_t>(), kOut, kIn);
  for (const std::uint32_t channel : {4U, 9U}) {
    EXPECT_EQ(packer.scale().as<float>()[channel], kZeroChannelScale);
    for (std::uint32_t input = 0; input < kIn; ++input) {
      EXPECT_EQ(codes[channel * kIn + input], 0);
    }
  }
}

TEST(QuantizeWeights, PanelsArePaddedWithZeros) {
  const std::vector<float> weights(std::size_t{kOut} * kIn, 1.0F);
  TensorStore store;

  const LinearPacker packer = pack(store, weights);

  std::size_t n_set = 0;
  for (const std::int8_t code : packer.weight().as<std::int8_t>()) n_set += code == 127 ? 1 : 0;
  EXPECT_EQ(packer.weight().bytes.size(), format::panel_bytes(kOut, kIn));
  EXPECT_EQ(n_set, weights.size());
}

TEST(QuantizeWeights, ALayerWithoutInputsHasScalesAndNoCodes) {
  TensorStore store;
  LinearPacker packer(store, 2, 0);

  packer.add_channel({});
  packer.add_channel({});

  EXPECT_TRUE(packer.weight().empty());
  EXPECT_EQ(packer.scale().as<float>()[1], kZeroChannelScale);
}

}  // namespace
}  // namespace espalier::compress
