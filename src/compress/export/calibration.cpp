#include "compress/export/calibration.hpp"

namespace espalier::compress {
namespace {

InputCodes codes_of(const format::LinearSpec& linear) {
  const auto scale = linear.input_scale.as<float>();
  return {.activations = linear.activations,
          .scale = linear.activation_scale,
          .zero = linear.activation_zero,
          .input_scale = {scale.begin(), scale.end()}};
}

}  // namespace

Calibration calibration_of(const format::ModelSpec& spec) {
  Calibration calibration;
  for (const format::LayerSpec& layer : spec.layers) {
    calibration.layers.push_back(
        {codes_of(layer.qkv), codes_of(layer.out), codes_of(layer.up), codes_of(layer.down)});
  }
  return calibration;
}

}  // namespace espalier::compress
