// Looks at every value of a tensor once, at the speed of memory: what a kernel must never meet is
// refused here. Each function returns the index of the first bad element, or nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace espalier::format {

using BadIndex = std::optional<std::size_t>;

/// First value that is NaN or infinite.
[[nodiscard]] BadIndex find_nonfinite(std::span<const float> values) noexcept;
[[nodiscard]] BadIndex find_nonfinite(std::span<const std::uint16_t> halves) noexcept;
[[nodiscard]] BadIndex find_nonfinite_bfloat16(std::span<const std::uint16_t> brains) noexcept;

/// First code that is -128.
[[nodiscard]] BadIndex find_code_out_of_range(std::span<const std::int8_t> codes) noexcept;

/// First byte of s4 codes of which either is -8.
[[nodiscard]] BadIndex find_four_bit_code_out_of_range(
    std::span<const std::uint8_t> bytes) noexcept;

/// First multiplier that is not in [1, kMaxMultiplier].
[[nodiscard]] BadIndex find_multiplier_out_of_range(
    std::span<const std::int8_t> multipliers) noexcept;

/// First byte that is not zero.
[[nodiscard]] BadIndex find_nonzero(std::span<const std::int8_t> bytes) noexcept;

/// First non-zero byte in the padding of the panels of an (out, in) layer, both > 0.
/// panels: panel_bytes(out, in).
[[nodiscard]] BadIndex find_dirty_padding(std::span<const std::int8_t> panels, std::uint32_t out,
                                          std::uint32_t in) noexcept;

/// First byte that does not begin or continue a well-formed UTF-8 sequence (Unicode 15, table 3-7:
/// no surrogates, no overlong forms, nothing above U+10FFFF).
[[nodiscard]] BadIndex find_invalid_utf8(std::string_view text) noexcept;

}  // namespace espalier::format
