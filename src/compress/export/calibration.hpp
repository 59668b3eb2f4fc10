// What calibration hands to the export: how the input of every linear is coded. Plain values, found
// by the quantize room on a user's text; the export copies them into the linears that it stores in
// int8 and looks at no text itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "format/spec.hpp"

namespace espalier::compress {

/// How the input of one linear is coded if the linear is stored in int8. The fields are those of
/// format::LinearSpec.
struct InputCodes {
  format::ActivationCodes activations = format::ActivationCodes::per_token_asymmetric;
  float scale = 0;                      // of per_tensor_asymmetric, for x times input_scale
  std::uint32_t zero = 0;               // likewise
  std::vector<float> input_scale = {};  // (in) > 0, not of out; empty: none
};

struct LayerInputs {
  InputCodes qkv;
  InputCodes out;
  InputCodes up;
  InputCodes down;
};

struct Calibration {
  std::vector<LayerInputs> layers;
  /// What the provenance says about it: options as given, and the files of text.
  std::vector<std::pair<std::string, std::string>> options = {};
  std::vector<std::filesystem::path> inputs = {};
};

/// How `spec` codes the inputs of its linears, to export another model of its shape likewise.
[[nodiscard]] Calibration calibration_of(const format::ModelSpec& spec);

}  // namespace espalier::compress
