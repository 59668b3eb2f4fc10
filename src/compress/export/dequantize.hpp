// The way back: stored weights, int8 and bfloat16 included, as the fp32 numbers that they stand
// for.
#pragma once

#include <vector>

#include "format/spec.hpp"

namespace espalier::compress {

/// The weights that `linear` computes with when its input is not coded: (out, in), row-major.
/// fp32: the stored bits. bf16: exact. int8, of four bits, too: code * scale * input_scale, rounded
/// once, which is within scale * input_scale / 2 of what was coded, and a rounding error.
[[nodiscard]] std::vector<float> dequantized_weights(const format::LinearSpec& linear);

/// Rows of word embeddings: (vocabulary, cols), row-major; codes times the row's scale, other
/// types exactly.
[[nodiscard]] std::vector<float> dequantized_words(const format::EmbeddingSpec& embedding);

/// A matrix that is no int8: (rows, cols), row-major, exact.
[[nodiscard]] std::vector<float> widened(const format::Tensor& tensor);

}  // namespace espalier::compress
