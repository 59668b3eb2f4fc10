#include "compress/export/smoothing.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "compress/export/export.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::compress {
namespace {

TEST(InputScale, IsTheInverseOfTheSourcesRule) {
  const std::array<float, 4> activations = {1, 8, 2, 0.5F};
  const std::array<float, 4> weights = {0.5F, 0.25F, 1, 0.125F};

  const std::vector<float> scale = input_scale(activations, weights);

  double mean = 0;
  for (std::size_t i = 0; i < scale.size(); ++i) {
    const double rule = std::pow(activations[i], 0.7) / std::pow(weights[i], 0.3);
    mean += std::log(scale[i]);
    EXPECT_NEAR(scale[i] * rule / (scale[0] / std::pow(0.5, 0.3)), 1, 1e-5) << i;
  }
  EXPECT_NEAR(mean, 0, 1e-5);  // what is taken from outliers is given to the others
}

TEST(InputScale, LeavesChannelsWithoutInputOrWeightAsTheyAre) {
  const std::array<float, 3> activations = {0, 4, 4};
  const std::array<float, 3> weights = {1, 0, 1};

  const std::vector<float> scale = input_scale(activations, weights);

  EXPECT_EQ(scale[0], 1.0F);
  EXPECT_EQ(scale[1], 1.0F);
  EXPECT_LT(scale[2], 1.0F);
}

TEST(InputScale, StaysWithinItsBounds) {
  const std::array<float, 3> activations = {1e12F, 1, 1e-12F};
  const std::array<float, 3> weights = {1, 1, 1};

  const std::vector<float> scale = input_scale(activations, weights);

  EXPECT_EQ(scale[0], 1.0F / 64);
  EXPECT_EQ(scale[2], 64.0F);
}

TEST(Smoothing, GivesAnOutlierChannelTheSmallestScale) {
  constexpr std::size_t kOutlier = 5;
  testing::TinyCheckpoint tiny;
  tiny.edit_tensors = [](std::vector<testing::TinyTensor>& tensors) {
    for (testing::TinyTensor& tensor : tensors) {
      if (tensor.name.ends_with("LayerNorm.bias")) tensor.values[kOutlier] = 40;
    }
  };
  const testing::TemporaryFolder folder;
  testing::write_tiny_checkpoint(folder.path(), tiny);

  const ExportedModel model = export_checkpoint(folder.path(), {.precision = Precision::int8});

  for (const format::LayerSpec& layer : model.spec().layers) {
    for (const format::LinearSpec* linear : {&layer.qkv, &layer.up}) {
      const std::span<const float> scale = linear->input_scale.as<float>();
      for (std::size_t i = 0; i < scale.size(); ++i) {
        if (i == kOutlier) continue;
        EXPECT_LT(3 * scale[kOutlier], scale[i]) << i;
      }
    }
  }
}

}  // namespace
}  // namespace espalier::compress
