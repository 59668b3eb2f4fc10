// The sum that the encoder begins with: word, position and segment of each token.
#pragma once

#include <cstddef>

#include "runtime/cpu/prepared.hpp"

namespace espalier::runtime::cpu {

/// Row `id` of an f32 or bf16 word table: where it lies, or widened into scratch (word.cols).
[[nodiscard]] const float* float_word(const format::Tensor& word, std::size_t id,
                                      float* scratch) noexcept;

/// x of the rows of ws.range, before their norm. The words of a factorised table are multiplied by
/// its projection a chunk at a time, by the kernels of every other linear.
void sum_embeddings(CpuWorkspace& ws);

}  // namespace espalier::runtime::cpu
