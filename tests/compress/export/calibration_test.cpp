// What a calibration says of a linear's input is what its file holds, where the linear is int8.
#include "compress/export/calibration.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "compress/export/export.hpp"
#include "espalier/error.hpp"
#include "format/reader.hpp"
#include "format/writer.hpp"
#include "runtime/reference/reference.hpp"
#include "runtime/self_test.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::compress {
namespace {

using format::ActivationCodes;
using testing::TemporaryFolder;

InputCodes static_codes(float scale, std::uint32_t zero, std::vector<float> input_scale = {}) {
  return {.activations = ActivationCodes::per_tensor_asymmetric,
          .scale = scale,
          .zero = zero,
          .input_scale = std::move(input_scale)};
}

// Of the tiny checkpoint: hidden 32, two layers.
Calibration tiny_calibration() {
  std::vector<float> smoothing(32, 1.0F);
  smoothing[7] = 0.125F;
  const LayerInputs layer = {.qkv = static_codes(0.02F, 101, smoothing),
                             .out = static_codes(0.01F, 128),
                             .up = {},
                             .down = static_codes(0.03F, 6)};
  return {.layers = {layer, layer}, .options = {{"method", "mse"}, {"samples", "300"}}};
}

struct Exported {
  TemporaryFolder folder;
  ExportedModel model;

  explicit Exported(const Calibration& calibration, std::vector<PrecisionRule> rules = {})
      : model(export_checkpoint(testing::write_tiny_checkpoint(folder.path()),
                                {.precision = Precision::int8,
                                 .rules = std::move(rules),
                                 .calibration = &calibration})) {}
};

TEST(ExportCalibrated, StoresTheCodesOfEveryLinear) {
  const Exported exported(tiny_calibration());
  const auto file =
      format::ModelFile::parse(FileBytes::copy(format::to_bytes(exported.model.spec())));

  for (const format::LayerSpec& layer : file.spec().layers) {
    EXPECT_EQ(layer.qkv.activations, ActivationCodes::per_tensor_asymmetric);
    EXPECT_EQ(layer.qkv.activation_scale, 0.02F);
    EXPECT_EQ(layer.qkv.activation_zero, 101U);
    EXPECT_EQ(layer.out.activation_scale, 0.01F);
    EXPECT_EQ(layer.up.activations, ActivationCodes::per_token_asymmetric);
    EXPECT_EQ(layer.up.activation_scale, 0.0F);
    EXPECT_TRUE(layer.up.input_scale.empty());
    EXPECT_EQ(layer.down.activation_scale, 0.03F);
    EXPECT_EQ(layer.down.activation_zero, 6U);
  }
}

TEST(ExportCalibrated, WeightsHoldTheInverseOfTheInputScale) {
  Calibration plain = tiny_calibration();
  for (LayerInputs& layer : plain.layers) layer.qkv.input_scale.clear();
  const Exported smoothed(tiny_calibration());
  const Exported unsmoothed(plain);

  const format::LinearSpec& with = smoothed.model.spec().layers[1].qkv;
  const format::LinearSpec& without = unsmoothed.model.spec().layers[1].qkv;
  ASSERT_EQ(with.input_scale.as<float>().size(), 32U);
  EXPECT_EQ(with.input_scale.as<float>()[7], 0.125F);
  EXPECT_TRUE(without.input_scale.empty());
  for (std::uint32_t channel = 0; channel < with.out; ++channel) {
    const auto weight = [&](const format::LinearSpec& linear, std::uint32_t in) {
      return static_cast<float>(
                 linear.weight.as<std::int8_t>()[format::panel_index(channel, in, linear.in)]) *
             linear.scale.as<float>()[channel];
    };
    const float bound = (with.scale.as<float>()[channel] + without.scale.as<float>()[channel]) / 2;
    EXPECT_NEAR(weight(with, 7) * 0.125F, weight(without, 7), bound * 1.01F);
    EXPECT_NEAR(weight(with, 8), weight(without, 8), bound * 1.01F);
  }
}

TEST(ExportCalibrated, AModelProvesItself) {
  const Exported exported(tiny_calibration());
  const format::ModelSpec& spec = exported.model.spec();

  EXPECT_EQ(spec.self_test.tolerance, 0.0F);
  const runtime::Backend& reference = runtime::reference_backend();
  const auto prepared = reference.prepare(spec);
  runtime::Executor executor(reference, *prepared, spec, 1, runtime::default_limits(spec));
  EXPECT_TRUE(runtime::self_test(executor).passed);
}

TEST(ExportCalibrated, ALinearThatIsKeptHasNoCodes) {
  const Exported exported(tiny_calibration(), {{"layer.0.attention.qkv", Precision::fp32}});

  const std::vector<format::LayerSpec>& layers = exported.model.spec().layers;
  EXPECT_EQ(layers[0].qkv.precision, Precision::fp32);
  EXPECT_EQ(layers[0].qkv.activations, ActivationCodes::per_token_symmetric);
  EXPECT_TRUE(layers[0].qkv.input_scale.empty());
  EXPECT_EQ(layers[1].qkv.activation_zero, 101U);
  (void)format::ModelFile::parse(FileBytes::copy(format::to_bytes(exported.model.spec())));
}

TEST(ExportCalibrated, SaysSoInItsProvenance) {
  Calibration calibration = tiny_calibration();
  const TemporaryFolder text;
  testing::write_file(text / "calib.txt", "a tree\n");
  calibration.inputs = {text / "calib.txt"};
  const Exported exported(calibration);

  const format::ProvenanceStage& stage = exported.model.spec().provenance.at(0);
  const auto& options = stage.options;
  EXPECT_NE(std::find(options.begin(), options.end(),
                      std::pair<std::string, std::string>("method", "mse")),
            options.end());
  EXPECT_EQ(stage.inputs.back().first, "calib.txt");
  EXPECT_EQ(stage.inputs.back().second.size(), 16U);
}

TEST(ExportCalibrated, RefusesACalibrationOfAnotherModel) {
  Calibration calibration = tiny_calibration();
  calibration.layers.pop_back();
  try {
    const Exported exported(calibration);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_NE(std::string(error.what()).find("of 1 layers, the model has 2"), std::string::npos);
  }
}

}  // namespace
}  // namespace espalier::compress
