// Rows of floats rounded to bfloat16 (base/bfloat16.hpp), half to even, eight at a time: what a
// bf16 linear reads. The matmul on them is in avx2_matmul.hpp and oneDNN's.
#pragma once

#include <cstdint>

namespace espalier::runtime::cpu {

/// dst = round_to_bfloat16(src): still floats, their lower halves zero. Reads and writes up to the
/// next multiple of 8. dst may be src. Thread-safe.
void round_row(const float* src, std::uint32_t size, float* dst) noexcept;

/// dst = float_to_bfloat16(src). Reads and writes up to the next multiple of 8. Thread-safe.
void narrow_row(const float* src, std::uint32_t size, std::uint16_t* dst) noexcept;

}  // namespace espalier::runtime::cpu
