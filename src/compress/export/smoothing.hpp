// Finds the outlier channels of a model's LayerNorm outputs, so that they leave codes to the
// others. A few channels of a BERT are many times larger than the rest in every token; coded with
// one scale a token, the rest gets few codes. Which channels they are is a property of the model,
// not of the text: fixed sentences of this project show them, and dynamic int8 goes on needing no
// data. Source: Xiao et al. 2022 (SmoothQuant), §4; Wei et al. 2022 (Outlier Suppression).
#pragma once

#include <span>
#include <vector>

#include "format/spec.hpp"
#include "text/tokenizer.hpp"

namespace espalier::compress {

/// The share of an outlier that goes over to the weights. The cosine of all-MiniLM-L6-v2's vectors
/// to fp32 is flat between 0.5 and 0.85.
inline constexpr double kSmoothing = 0.7;

/// Largest magnitude of each channel of what two linears of a layer read; (hidden) each.
struct NormRanges {
  std::vector<float> qkv;
  std::vector<float> up;
};

/// The fixed sentences, encoded.
[[nodiscard]] TokenBatch smoothing_sentences(const text::Tokenizer& tokenizer,
                                             std::uint32_t max_length);

/// Runs `sentences` through `spec`, an int8 model without input scales, on the reference back end.
/// One entry a layer. The same model gives the same bits on every machine.
[[nodiscard]] std::vector<NormRanges> observe_norms(const format::ModelSpec& spec,
                                                    const TokenBatch& sentences);

/// What the inputs of a linear are multiplied with before they are coded: the inverse of
/// activation^alpha / weight^(1 - alpha), divided by its geometric mean, within [1/64, 64]; 1 where
/// either is 0. activation_max, weight_max: largest magnitude of each input channel, (in).
[[nodiscard]] std::vector<float> input_scale(std::span<const float> activation_max,
                                             std::span<const float> weight_max,
                                             double alpha = kSmoothing);

}  // namespace espalier::compress
