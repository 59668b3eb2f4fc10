// Changes how the inputs of a model's int8 linears are coded, for tests of the codes.
#pragma once

#include "format/spec.hpp"

namespace espalier::testing {

/// One for each linear of a layer.
struct LayerCodes {
  format::ActivationCodes qkv = format::ActivationCodes::per_token_symmetric;
  format::ActivationCodes out = format::ActivationCodes::per_token_symmetric;
  format::ActivationCodes up = format::ActivationCodes::per_token_symmetric;
  format::ActivationCodes down = format::ActivationCodes::per_token_symmetric;
};

inline constexpr LayerCodes kAllAsymmetric = {
    format::ActivationCodes::per_token_asymmetric, format::ActivationCodes::per_token_asymmetric,
    format::ActivationCodes::per_token_asymmetric, format::ActivationCodes::per_token_asymmetric};
inline constexpr LayerCodes kAllStatic = {
    format::ActivationCodes::per_tensor_asymmetric, format::ActivationCodes::per_tensor_asymmetric,
    format::ActivationCodes::per_tensor_asymmetric, format::ActivationCodes::per_tensor_asymmetric};

/// Sets the codes of every int8 linear that has inputs and outputs. Static ones cover `reach` times
/// what tiny models take there: below 0.5 they clip.
inline void set_codes(format::ModelSpec& spec, const LayerCodes& codes, float reach = 1) {
  const auto set = [reach](format::LinearSpec& linear, format::ActivationCodes how, float scale,
                           std::uint32_t zero) {
    if (linear.precision != Precision::int8 || linear.in == 0 || linear.out == 0) return;
    const bool fixed = how == format::ActivationCodes::per_tensor_asymmetric;
    linear.activations = how;
    linear.activation_scale = fixed ? scale * reach : 0;
    linear.activation_zero = fixed ? zero : 0;
  };
  for (format::LayerSpec& layer : spec.layers) {
    set(layer.qkv, codes.qkv, 4.0F / 128, 125);
    set(layer.out, codes.out, 2.6F / 128, 130);
    set(layer.up, codes.up, 4.0F / 128, 131);
    set(layer.down, codes.down, 3.6F / 240, 11);  // GELU is above -0.17
  }
}

}  // namespace espalier::testing
