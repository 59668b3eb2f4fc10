// Rounding that knows what a linear reads: each weight is rounded in turn, and those that are not
// yet rounded make up for its error as far as inputs occur together. Source: Frantar et al. 2022
// (GPTQ), §3, with its order of falling diagonal.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>

#include "compress/export/round_weights.hpp"
#include "compress/model/bert.hpp"
#include "espalier/types.hpp"

namespace espalier::quantize {

/// Σ x xᵀ over the tokens of some text of what each linear reads, by the name of its part:
/// (in, in), fp64.
using InputMoments = std::map<std::string, at::Tensor, std::less<>>;

/// Sentences are padded in batches and their padding is left out; first_token_answers as in
/// CalibrateOptions. on_progress gets the share of the work done; what it throws ends the work. The
/// model reads in fp32 throughout. One thread at a time. Throws Error(usage) without sentences.
[[nodiscard]] InputMoments input_moments(const model::Bert& bert, const TokenBatch& sentences,
                                         bool first_token_answers,
                                         const std::function<void(double)>& on_progress = {});

/// Steps are those of a plain rounding (eight bits: absmax, four: mse); the codes are GPTQ's.
class Gptq final : public compress::LinearRounder {
 public:
  /// damping: share of the mean diagonal that is added to it, for inputs that seldom occur.
  explicit Gptq(InputMoments moments, double damping = 0.01);

  [[nodiscard]] std::string_view name() const override { return "gptq"; }

  /// Throws Error(usage) for a linear that the moments are not of.
  [[nodiscard]] compress::RoundedLinear round(const compress::LinearToRound& linear) override;

 private:
  InputMoments moments_;
  double damping_;
};

}  // namespace espalier::quantize
