// Knows by their first bytes the files that people really have in place of the weights, and says
// so in so many words.
#pragma once

#include <cstddef>
#include <span>

namespace espalier::checkpoint {

/// Throws Error(bad_input) with what to do when `bytes`, a whole file, are a Git LFS pointer or a
/// web page. Both readers of weights ask this first.
void refuse_no_weights(std::span<const std::byte> bytes);

/// The same for formats that might be taken for a torch file: torch's own tar archives from before
/// 2017, ONNX, safetensors, and an empty file.
void refuse_no_torch_file(std::span<const std::byte> bytes);

}  // namespace espalier::checkpoint
