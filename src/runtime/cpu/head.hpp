// The heads' matmuls on the CPU: pooler, classifier, masked-LM decoder, in fp32; and the words that
// the decoder shares with the embedding.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/cpu/prepared.hpp"

namespace espalier::runtime::cpu {

/// As Backend::head().
void run_head(CpuWorkspace& ws, std::span<const std::uint32_t> rows, std::span<float> dst);

/// Row `id` of an f32 or bf16 word embedding (vocabulary, hidden): where it lies, or widened into
/// scratch (hidden).
[[nodiscard]] const float* float_word(const format::Tensor& word, std::size_t id,
                                      float* scratch) noexcept;

}  // namespace espalier::runtime::cpu
