// Fake quantization (Jacob et al. 2018, §3): a model in LibTorch that computes with the numbers
// that the codes of an int8 file stand for. Forward it rounds as base/canonical.hpp does; backward
// a rounded number passes its gradient on as if it had not been rounded (Bengio et al. 2013), and a
// clipped one passes none.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "compress/export/precision_rules.hpp"
#include "compress/export/round_weights.hpp"
#include "compress/model/rounding.hpp"
#include "format/spec.hpp"

namespace espalier::quantize {

/// x (…, n) rounded to the s8 codes of canonical::symmetric_row(), row by row.
[[nodiscard]] at::Tensor round_symmetric(const at::Tensor& x);

/// x (…, n) rounded to the u8 codes of canonical::asymmetric_row(), row by row.
[[nodiscard]] at::Tensor round_asymmetric(const at::Tensor& x);

/// x rounded to u8 codes of one scale and zero point; what is clipped has no gradient.
[[nodiscard]] at::Tensor round_static(const at::Tensor& x, double scale, double zero);

/// Attention weights (…, queries, keys) after their softmax, rounded to u8 codes as the runtime
/// does: each times the scale of its value row, values (…, keys, head_dim), a query's largest 255.
[[nodiscard]] at::Tensor round_attention(const at::Tensor& weights, const at::Tensor& values);

/// Rounds what `spec`, a model file of the same shape, holds or runs as codes: precisions, the
/// codes of activations and input scales are taken from there, scales of weights are found anew
/// from what they are now, as the export finds them. Parts in bfloat16 are rounded to that.
class FakeQuant final : public model::Rounding {
 public:
  /// Copies what it needs. rounding: how the export chooses scales of weights; device: where the
  /// model is.
  FakeQuant(const format::ModelSpec& spec, compress::Rounding rounding, const at::Device& device);

  [[nodiscard]] at::Tensor words(const at::Tensor& rows) const override;
  [[nodiscard]] at::Tensor word_projection(const at::Tensor& weight) const override;
  [[nodiscard]] at::Tensor input(std::size_t layer, model::Product product,
                                 const at::Tensor& x) const override;
  [[nodiscard]] at::Tensor weight(std::size_t layer, model::Product product,
                                  const at::Tensor& weight) const override;
  [[nodiscard]] at::Tensor heads(const at::Tensor& x) const override;
  [[nodiscard]] at::Tensor attention(const at::Tensor& weights,
                                     const at::Tensor& values) const override;

 private:
  struct Linear {
    compress::PartType type;
    format::ActivationCodes activations = format::ActivationCodes::per_token_symmetric;
    double scale = 0;
    double zero = 0;
    at::Tensor input_scale;  // (in); undefined: none
  };
  struct Layer {
    Linear qkv, out, up, down;
  };
  [[nodiscard]] const Linear& linear(std::size_t layer, model::Product product) const;

  [[nodiscard]] at::Tensor rows(const compress::PartType& type, const at::Tensor& x) const;

  compress::Rounding rounding_;
  compress::PartType words_;
  compress::PartType projection_;
  Precision between_ = Precision::fp32;  // of what lies between the products
  std::vector<Layer> layers_;
};

}  // namespace espalier::quantize
