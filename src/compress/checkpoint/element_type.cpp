#include "compress/checkpoint/element_type.hpp"

#include <array>
#include <cstddef>

namespace espalier::checkpoint {
namespace {

struct Row {
  ElementType type;
  std::string_view name;
  std::uint32_t bits;
};

// In the order of the enum, so that a type is its own index.
constexpr std::array<Row, 22> kTypes = {{
    {ElementType::boolean, "BOOL", 8},
    {ElementType::f4, "F4", 4},
    {ElementType::f6_e2m3, "F6_E2M3", 6},
    {ElementType::f6_e3m2, "F6_E3M2", 6},
    {ElementType::u8, "U8", 8},
    {ElementType::i8, "I8", 8},
    {ElementType::f8_e5m2, "F8_E5M2", 8},
    {ElementType::f8_e4m3, "F8_E4M3", 8},
    {ElementType::f8_e8m0, "F8_E8M0", 8},
    {ElementType::f8_e4m3fnuz, "F8_E4M3FNUZ", 8},
    {ElementType::f8_e5m2fnuz, "F8_E5M2FNUZ", 8},
    {ElementType::i16, "I16", 16},
    {ElementType::u16, "U16", 16},
    {ElementType::f16, "F16", 16},
    {ElementType::bf16, "BF16", 16},
    {ElementType::i32, "I32", 32},
    {ElementType::u32, "U32", 32},
    {ElementType::f32, "F32", 32},
    {ElementType::c64, "C64", 64},
    {ElementType::f64, "F64", 64},
    {ElementType::i64, "I64", 64},
    {ElementType::u64, "U64", 64},
}};

constexpr bool in_order() {
  for (std::size_t row = 0; row < kTypes.size(); ++row) {
    if (static_cast<std::size_t>(kTypes[row].type) != row) return false;
  }
  return true;
}
static_assert(in_order());

const Row& row_of(ElementType type) noexcept {
  return kTypes[static_cast<std::size_t>(type)];
}

}  // namespace

std::optional<ElementType> element_type(std::string_view name) noexcept {
  for (const Row& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

std::string_view name_of(ElementType type) noexcept {
  return row_of(type).name;
}

std::uint32_t bits_of(ElementType type) noexcept {
  return row_of(type).bits;
}

}  // namespace espalier::checkpoint
