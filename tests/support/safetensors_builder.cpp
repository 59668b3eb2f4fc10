#include "tests/support/safetensors_builder.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>

namespace espalier::testing {
namespace {

template <typename Bits>
void append_little_endian(std::string& dst, Bits bits) {
  for (std::size_t byte = 0; byte < sizeof(Bits); ++byte) {
    dst += static_cast<char>((bits >> (8 * byte)) & 0xff);
  }
}

// By arithmetic rather than bit twiddling: scale to units of the last place, let nearbyint round.
std::uint16_t half_bits(float value) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  const double magnitude = std::fabs(static_cast<double>(value));
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00);
  if (magnitude >= 65520.0) return static_cast<std::uint16_t>(sign | 0x7c00);
  const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
  // 0..2048 units of 2^(exponent - 10); a carry into the exponent field is the right rounding.
  const auto units = static_cast<int>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
  return static_cast<std::uint16_t>(sign + ((exponent + 14) << 10) + units);
}

std::uint16_t brain_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

const char* type_name(StoredAs stored_as) {
  switch (stored_as) {
    case StoredAs::f32:
      return "F32";
    case StoredAs::f16:
      return "F16";
    case StoredAs::bf16:
      return "BF16";
    case StoredAs::f64:
      return "F64";
  }
  return "";
}

}  // namespace

std::string encode(const std::vector<float>& values, StoredAs stored_as) {
  std::string bytes;
  for (const float value : values) {
    switch (stored_as) {
      case StoredAs::f32:
        append_little_endian(bytes, std::bit_cast<std::uint32_t>(value));
        break;
      case StoredAs::f16:
        append_little_endian(bytes, half_bits(value));
        break;
      case StoredAs::bf16:
        append_little_endian(bytes, brain_bits(value));
        break;
      case StoredAs::f64:
        append_little_endian(bytes, std::bit_cast<std::uint64_t>(static_cast<double>(value)));
        break;
    }
  }
  return bytes;
}

std::string safetensors_frame(std::string_view header, std::string_view data) {
  std::string file;
  append_little_endian(file, std::uint64_t{header.size()});
  file += header;
  file += data;
  return file;
}

std::string safetensors_file(const std::vector<TinyTensor>& tensors) {
  nlohmann::ordered_json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const TinyTensor& tensor : tensors) {
    const std::size_t begin = data.size();
    data += encode(tensor.values, tensor.stored_as);
    header[tensor.name] = {{"dtype", type_name(tensor.stored_as)},
                           {"shape", tensor.shape},
                           {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return safetensors_frame(text, data);
}

}  // namespace espalier::testing
