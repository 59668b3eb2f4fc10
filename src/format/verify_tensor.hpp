// The checks of single parts that verify.cpp is made of: a tensor, a linear, a string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/spec.hpp"

namespace espalier::format {

/// Rows and columns that a tensor must have; both already within the limits of container.hpp.
struct Shape {
  std::uint32_t rows = 0;
  std::uint32_t cols = 0;
};

// Every function throws Error(verification) that begins with `where`.

/// `value` is in [low, high].
void check_range(std::string_view where, std::uint64_t value, std::uint64_t low,
                 std::uint64_t high);

/// No elements: the part has no business here.
void check_absent(const std::string& where, const Tensor& tensor, std::string_view why);

/// f32 (rows, cols), all finite.
void check_f32(const std::string& where, const Tensor& tensor, Shape shape);

/// f32 or f16 (rows, cols), all finite.
void check_f32_or_f16(const std::string& where, const Tensor& tensor, Shape shape);

/// bf16 (rows, cols), all finite.
void check_bf16(const std::string& where, const Tensor& tensor, Shape shape);

/// s8 (rows, cols), row-major, in [-127, 127].
void check_s8(const std::string& where, const Tensor& tensor, Shape shape);

/// s4 (rows, cols), row-major, codes in [-7, 7], with a multiplier in [1, 18] for each `group` of a
/// row. `where` is the tensor's; the group and the multipliers are named after it.
struct FourBitParts {
  const Tensor& codes;
  std::uint32_t group;
  const Tensor& multiplier;
};
/// Where the three parts of `FourBitParts` lie.
struct FourBitPlaces {
  std::string codes;
  std::string group;
  std::string multiplier;
};
void check_s4(const FourBitPlaces& where, const FourBitParts& parts, Shape shape);

/// Neither a group nor multipliers: the codes are no s4.
void check_no_groups(const FourBitPlaces& where, const FourBitParts& parts);

/// f32 (1, cols), finite, > 0 or >= 0.
enum class ScaleRange { positive, nonnegative };
void check_scale(const std::string& where, const Tensor& tensor, std::uint32_t cols,
                 ScaleRange range);

/// Gamma and beta of `hidden` values.
void check_norm(const std::string& where, const NormSpec& norm, std::uint32_t hidden);

/// What a linear reads: the outputs of a LayerNorm and of GELU may be scaled before they are coded,
/// those of the heads not, and what projects a word has no bias.
enum class LinearInput { scalable, word, heads };

/// What a linear maps; in and out may be 0.
struct LinearShape {
  std::uint32_t in;
  std::uint32_t out;
  LinearInput input;
};

/// `linear` has this shape and is stored as its precision says.
void check_linear(const std::string& where, const LinearSpec& linear, const LinearShape& shape);

/// `linear` maps `in` to `out` values, both > 0.
void check_head_linear(const std::string& where, const HeadLinear& linear, std::uint32_t in,
                       std::uint32_t out);

/// Well-formed UTF-8 of at most `max_bytes`.
void check_string(std::string_view where, std::string_view text, std::size_t max_bytes);

}  // namespace espalier::format
