#include "format/verify_tensor.hpp"

#include <cmath>
#include <cstdint>
#include <sstream>

#include "base/printable.hpp"
#include "format/panels.hpp"
#include "format/refuse.hpp"
#include "format/scan.hpp"

namespace espalier::format {
namespace {

std::string_view name_of(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return "f32";
    case ElementType::f16:
      return "f16";
    case ElementType::s8:
      return "s8";
    case ElementType::bf16:
      return "bf16";
    case ElementType::s4:
      return "s4";
  }
  return "no element type";
}

std::string number(float value) {
  std::ostringstream text;
  text << value;  // std::to_string writes 1e-31 as 0
  return text.str();
}

std::string text_of(Shape shape) {
  return "(" + std::to_string(shape.rows) + ", " + std::to_string(shape.cols) + ")";
}

/// Type, shape, size in bytes and alignment; afterwards as<T>() is safe to read.
void check_layout(const std::string& where, const Tensor& tensor, ElementType type, Shape shape,
                  std::size_t n_bytes) {
  if (tensor.empty()) refuse(where, "is missing, expected " + text_of(shape));
  if (tensor.type != type) {
    refuse(where,
           "expected " + std::string(name_of(type)) + " got " + std::string(name_of(tensor.type)));
  }
  if (tensor.rows != shape.rows || tensor.cols != shape.cols) {
    refuse(where,
           "expected shape " + text_of(shape) + " got " + text_of({tensor.rows, tensor.cols}));
  }
  if (tensor.bytes.size() != n_bytes) {
    refuse(where, "expected " + std::to_string(n_bytes) + " bytes got " +
                      std::to_string(tensor.bytes.size()));
  }
  if (reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % element_bytes(type) != 0) {
    refuse(where, "does not lie at a multiple of its element size in memory");
  }
}

void check_layout(const std::string& where, const Tensor& tensor, ElementType type, Shape shape) {
  const std::size_t n_bytes = shape.rows * row_bytes(type, shape.cols);
  check_layout(where, tensor, type, shape, n_bytes);
}

void refuse_nonfinite(const std::string& where, BadIndex bad) {
  if (bad) refuse(where, "element " + std::to_string(*bad) + " is not finite");
}

void refuse_codes(const std::string& where, const Tensor& tensor) {
  if (const BadIndex bad = find_code_out_of_range(tensor.as<std::int8_t>())) {
    refuse(where, "element " + std::to_string(*bad) + " is -128, expected -127 to 127");
  }
}

/// activations and what belongs to them. codes_input: whether there is anything to code.
void check_activations(const std::string& where, const LinearSpec& linear, bool codes_input) {
  const std::string activations = where + ".activations";
  if (linear.activations != ActivationCodes::per_token_symmetric && !codes_input) {
    refuse(activations,
           "expected the default of a linear that is not int8, has no inputs or no outputs, or "
           "reads words");
  }
  const bool fixed = linear.activations == ActivationCodes::per_tensor_asymmetric;
  const float scale = linear.activation_scale;
  if (fixed && !(scale >= kMinActivationScale && std::isfinite(scale))) {
    refuse(where + ".activation_scale", "expected a number of at least 1e-30 got " + number(scale));
  }
  if (!fixed && !(scale == 0)) {
    refuse(where + ".activation_scale", "is " + number(scale) + ", but its rows have their own");
  }
  check_range(where + ".activation_zero", linear.activation_zero, 0, fixed ? 255 : 0);
}

}  // namespace

void check_range(std::string_view where, std::uint64_t value, std::uint64_t low,
                 std::uint64_t high) {
  if (value >= low && value <= high) return;
  refuse(where, "expected " + std::to_string(low) + " to " + std::to_string(high) + " got " +
                    std::to_string(value));
}

void check_absent(const std::string& where, const Tensor& tensor, std::string_view why) {
  if (!tensor.empty()) refuse(where, "is present, expected none: " + std::string(why));
}

void check_f32(const std::string& where, const Tensor& tensor, Shape shape) {
  check_layout(where, tensor, ElementType::f32, shape);
  refuse_nonfinite(where, find_nonfinite(tensor.as<float>()));
}

void check_f32_or_f16(const std::string& where, const Tensor& tensor, Shape shape) {
  if (tensor.type != ElementType::f16) return check_f32(where, tensor, shape);
  check_layout(where, tensor, ElementType::f16, shape);
  refuse_nonfinite(where, find_nonfinite(tensor.as<std::uint16_t>()));
}

void check_bf16(const std::string& where, const Tensor& tensor, Shape shape) {
  check_layout(where, tensor, ElementType::bf16, shape);
  refuse_nonfinite(where, find_nonfinite_bfloat16(tensor.as<std::uint16_t>()));
}

void check_s8(const std::string& where, const Tensor& tensor, Shape shape) {
  check_layout(where, tensor, ElementType::s8, shape);
  refuse_codes(where, tensor);
}

void check_s4(const FourBitPlaces& where, const FourBitParts& parts, Shape shape) {
  if (!is_group(parts.group)) {
    refuse(where.group, "expected 32, 64 or 128 got " + std::to_string(parts.group));
  }
  check_layout(where.codes, parts.codes, ElementType::s4, shape);
  const auto bytes = parts.codes.as<std::uint8_t>();
  if (const BadIndex bad = find_four_bit_code_out_of_range(bytes)) {
    refuse(where.codes, "byte " + std::to_string(*bad) + " holds -8, expected -7 to 7");
  }
  const std::size_t stride = row_bytes(ElementType::s4, shape.cols);
  for (std::size_t end = stride; shape.cols % 2 != 0 && end <= bytes.size(); end += stride) {
    if (bytes[end - 1] >> 4 == 0) continue;
    refuse(where.codes, "byte " + std::to_string(end - 1) +
                            " ends a row of odd length, expected 0 "
                            "in its upper half");
  }
  check_layout(where.multiplier, parts.multiplier, ElementType::s8,
               {.rows = shape.rows, .cols = n_groups(shape.cols, parts.group)});
  const auto multipliers = parts.multiplier.as<std::int8_t>();
  if (const BadIndex bad = find_multiplier_out_of_range(multipliers)) {
    refuse(where.multiplier, "element " + std::to_string(*bad) + " is " +
                                 std::to_string(multipliers[*bad]) + ", expected 1 to " +
                                 std::to_string(kMaxMultiplier));
  }
}

void check_no_groups(const FourBitPlaces& where, const FourBitParts& parts) {
  check_range(where.group, parts.group, 0, 0);
  check_absent(where.multiplier, parts.multiplier, "only s4 codes have multipliers");
}

void check_scale(const std::string& where, const Tensor& tensor, std::uint32_t cols,
                 ScaleRange range) {
  check_f32(where, tensor, {.rows = 1, .cols = cols});
  for (const float scale : tensor.as<float>()) {
    if (scale > 0 || (range == ScaleRange::nonnegative && scale == 0)) continue;
    refuse(where, "expected scales " +
                      std::string(range == ScaleRange::positive ? "above 0" : "of at least 0") +
                      " got " + std::to_string(scale));
  }
}

void check_norm(const std::string& where, const NormSpec& norm, std::uint32_t hidden) {
  check_f32(where + ".weight", norm.weight, {.rows = 1, .cols = hidden});
  check_f32(where + ".bias", norm.bias, {.rows = 1, .cols = hidden});
}

void check_linear(const std::string& where, const LinearSpec& linear, const LinearShape& shape) {
  const auto [in, out, input] = shape;
  check_range(where + ".in", linear.in, in, in);
  check_range(where + ".out", linear.out, out, out);
  const bool int8 = linear.precision == Precision::int8;
  const std::string weight = where + ".weight";
  const FourBitPlaces places = {weight, where + ".group", where + ".multiplier"};
  const FourBitParts four_bits = {linear.weight, linear.group, linear.multiplier};
  const bool s4 = int8 && !linear.weight.empty() && linear.weight.type == ElementType::s4;
  if (!s4) check_no_groups(places, four_bits);
  if (in == 0 || out == 0) {
    check_absent(weight, linear.weight, "the linear has no inputs or no outputs");
  } else if (s4) {
    check_s4(places, four_bits, {.rows = out, .cols = in});
  } else if (int8) {
    check_layout(weight, linear.weight, ElementType::s8, {.rows = out, .cols = in},
                 panel_bytes(out, in));
    refuse_codes(weight, linear.weight);
    if (const BadIndex bad = find_dirty_padding(linear.weight.as<std::int8_t>(), out, in)) {
      refuse(weight, "byte " + std::to_string(*bad) + " is panel padding, expected 0");
    }
  } else if (linear.precision == Precision::bf16) {
    check_bf16(weight, linear.weight, {.rows = out, .cols = in});
  } else {
    check_f32(weight, linear.weight, {.rows = out, .cols = in});
  }
  if (int8 && out > 0) {
    check_scale(where + ".scale", linear.scale, out, ScaleRange::positive);
  } else {
    check_absent(where + ".scale", linear.scale, "only an int8 linear with outputs has scales");
  }
  if (input == LinearInput::word) {
    check_absent(where + ".bias", linear.bias, "words are multiplied, nothing is added");
  } else if (out > 0) {
    check_f32(where + ".bias", linear.bias, {.rows = 1, .cols = out});
  } else {
    check_absent(where + ".bias", linear.bias, "the linear has no outputs");
  }
  check_activations(where, linear, int8 && in > 0 && out > 0 && input != LinearInput::word);
  if (!linear.input_scale.empty()) {
    const std::string input_scale = where + ".input_scale";
    if (!int8 || in == 0 || out == 0 || input != LinearInput::scalable) {
      check_absent(input_scale, linear.input_scale,
                   "only an int8 qkv, up or down with inputs and outputs scales its input");
    }
    check_scale(input_scale, linear.input_scale, in, ScaleRange::positive);
  }
}

void check_head_linear(const std::string& where, const HeadLinear& linear, std::uint32_t in,
                       std::uint32_t out) {
  check_range(where + ".in", linear.in, in, in);
  check_range(where + ".out", linear.out, out, out);
  check_f32_or_f16(where + ".weight", linear.weight, {.rows = out, .cols = in});
  check_f32(where + ".bias", linear.bias, {.rows = 1, .cols = out});
}

void check_string(std::string_view where, std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    refuse(where, "expected at most " + std::to_string(max_bytes) + " bytes got " +
                      std::to_string(text.size()) + " in " + printable(text, 40));
  }
  if (const BadIndex bad = find_invalid_utf8(text)) {
    refuse(where, "expected UTF-8, byte " + std::to_string(*bad) + " is not");
  }
}

}  // namespace espalier::format
