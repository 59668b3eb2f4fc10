// Input scales for what GELU puts out: a few neurons of a layer are many times larger than all the
// others, on a few tokens, and the rest has no outliers at all. So only channels past a threshold
// are scaled, down to it. The threshold is searched: a low one leaves more codes to the rest and
// makes the neuron's weights larger, which takes precision from all weights of an output. Source of
// the threshold: Wei et al. 2023 (Outlier Suppression+), §4.2, there searched by running the layer.
#pragma once

#include <span>
#include <vector>

#include "compress/quantize/observer.hpp"

namespace espalier::quantize {

/// What is known of a linear whose input is to be scaled.
struct LinearFacts {
  const ChannelStatistics& input;  // (in) channels
  std::span<const float> weight;   // (out, in), row-major
};

/// Expected squared error of an output vector when the input times `scale` (in) is coded with one
/// range, its errors evenly spread within a code, and the weights over `scale` per output. Weights'
/// errors are those that they have: that of an output's largest weight is none.
[[nodiscard]] double expected_error(const LinearFacts& linear, std::span<const float> scale);

/// The scales with the least expected error; (in), in (0, 1].
[[nodiscard]] std::vector<float> outlier_scale(const LinearFacts& linear);

}  // namespace espalier::quantize
