#include "compress/checkpoint/convert_floats.hpp"

#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>

#include "base/half.hpp"

namespace espalier::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little,
              "values are copied as the files hold them");

template <typename Value>
Value load(const std::byte* src) {
  Value value;
  std::memcpy(&value, src, sizeof value);
  return value;
}

// The values of half_to_float, without branches so that a loop over it becomes vector code.
float from_f16(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half & 0x8000u} << 16;
  const std::uint32_t rest = std::uint32_t{half & 0x7fffu} << 13;  // exponent and fraction in place
  // 112 = 127 - 15, the difference of the biases.
  const std::uint32_t normal = rest + (112u << 23);
  // A subnormal is fraction · 2^-24: put the fraction under an exponent of 2^-14 and take 2^-14
  // away again. Exact, and no subnormal float occurs that a flush-to-zero mode could lose.
  const float tiny = std::bit_cast<float>(rest + (113u << 23)) - 0x1p-14f;
  const bool is_special = rest >= (31u << 23);  // infinity and NaN keep their all-ones exponent
  const std::uint32_t magnitude = rest < (1u << 23) ? std::bit_cast<std::uint32_t>(tiny)
                                  : is_special      ? normal + (112u << 23)
                                                    : normal;
  return std::bit_cast<float>(magnitude | sign);
}

float from_bf16(std::uint16_t brain) {
  return std::bit_cast<float>(std::uint32_t{brain} << 16);
}

bool is_finite(float value) {
  return (std::bit_cast<std::uint32_t>(value) & 0x7f800000u) != 0x7f800000u;
}

// One pass without branches that notices, a second one to say where only when something is wrong.
template <typename Source, typename Convert>
std::size_t convert(std::span<const std::byte> src, std::span<float> dst, Convert to_float) {
  std::uint32_t all_finite = 1;
  for (std::size_t element = 0; element < dst.size(); ++element) {
    dst[element] = to_float(load<Source>(src.data() + element * sizeof(Source)));
    all_finite &= static_cast<std::uint32_t>(is_finite(dst[element]));
  }
  std::size_t first_bad = all_finite != 0 ? dst.size() : 0;
  while (first_bad < dst.size() && is_finite(dst[first_bad])) ++first_bad;
  return first_bad;
}

}  // namespace

bool is_float(ElementType type) noexcept {
  return type == ElementType::f16 || type == ElementType::bf16 || type == ElementType::f32 ||
         type == ElementType::f64;
}

std::size_t to_f32(std::span<const std::byte> src, ElementType type,
                   std::span<float> dst) noexcept {
  assert(is_float(type));
  assert(src.size() == dst.size() * (bits_of(type) / 8));
  if (type == ElementType::f16) return convert<std::uint16_t>(src, dst, from_f16);
  if (type == ElementType::bf16) return convert<std::uint16_t>(src, dst, from_bf16);
  if (type == ElementType::f64) {
    return convert<double>(src, dst, [](double value) { return static_cast<float>(value); });
  }
  return convert<float>(src, dst, [](float value) { return value; });
}

bool fits_f16(std::span<const float> values) noexcept {
  for (const float value : values) {
    if (!is_finite(value) || half_to_float(float_to_half(value)) != value) return false;
  }
  return true;
}

}  // namespace espalier::checkpoint
