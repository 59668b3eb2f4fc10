// The element types that a safetensors file can name. Only the IEEE-like floats can be weights
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace espalier::checkpoint {

enum class ElementType : std::uint8_t {
  boolean,
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64,
};

/// The type written as `name` ("F32") in a safetensors header; nothing when there is none.
[[nodiscard]] std::optional<ElementType> element_type(std::string_view name) noexcept;

/// The name in a safetensors header.
[[nodiscard]] std::string_view name_of(ElementType type) noexcept;

/// Bits of one element; less than 8 for the packed types.
[[nodiscard]] std::uint32_t bits_of(ElementType type) noexcept;

}  // namespace espalier::checkpoint
