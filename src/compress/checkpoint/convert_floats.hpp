// Little-endian F16, BF16, F32 and F64 to floats, exactly or rounded to nearest even.
#pragma once

#include <cstddef>
#include <span>

#include "compress/checkpoint/element_type.hpp"

namespace espalier::checkpoint {

/// Whether `type` can be a weight here: F16, BF16, F32 or F64.
[[nodiscard]] bool is_float(ElementType type) noexcept;

/// Converts `src`, elements of `type` at any alignment, to `dst`; src.size() must be what
/// dst.size() elements take and is_float(type) must hold. F64 is rounded to nearest, ties to even.
/// Returns the index of the first value that is NaN or infinite, also by overflow from F64, or
/// dst.size() when all are finite. `dst` is written whole either way. Thread-safe.
[[nodiscard]] std::size_t to_f32(std::span<const std::byte> src, ElementType type,
                                 std::span<float> dst) noexcept;

/// Whether every value is finite and exactly representable in F16 (so F16 storage loses nothing).
[[nodiscard]] bool fits_f16(std::span<const float> values) noexcept;

}  // namespace espalier::checkpoint
