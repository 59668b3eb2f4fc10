// Linear layers, norms and activations of the reference back end, in every precision. Outside the
// linears themselves bf16 is fp32.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "format/spec.hpp"

namespace espalier::runtime::reference {

/// Room for the int8 and bf16 paths of linear(); made once for the widest layer.
struct LinearScratch {
  LinearScratch(std::uint32_t max_rows, std::uint32_t max_in);

  std::vector<std::int8_t> codes;  // (in)
  std::vector<float> scaled;       // (in): an input of int8, a channel's weights of bf16
  std::vector<float> inputs;       // (rows, in rounded up): codes, or bf16 values, as floats
  std::vector<float> scales;       // (rows)
  std::vector<std::int32_t> sums;  // (rows, kPanelColumns)
};

/// dst = src Wᵀ + bias. src (n_rows, in) f32; dst (n_rows, out). fp32: sums in double. bf16: the
/// same of src rounded to bfloat16. int8: each
/// row times input_scale coded with its own scale, exact sums, canonical::dequantize. `in` may be
/// 0: dst is the bias.
void linear(const format::LinearSpec& spec, std::span<const float> src, std::uint32_t n_rows,
            std::span<float> dst, LinearScratch& scratch);

/// The second half of an int8 linear(): dst of the codes that lie in scratch.inputs, as floats and
/// padded with zeros, and their scales in scratch.scales.
void multiply_codes(const format::LinearSpec& spec, std::uint32_t n_rows, std::span<float> dst,
                    LinearScratch& scratch) noexcept;

/// Element `index` of a tensor, as f32.
[[nodiscard]] float element(const format::Tensor& tensor, std::size_t index) noexcept;

/// Row `row` of a tensor as f32 into dst (cols).
void load_row(const format::Tensor& tensor, std::size_t row, std::span<float> dst) noexcept;

/// What a sum of products is multiplied with and added to.
struct Affine {
  float scale = 1;
  float bias = 0;
};

/// scale Σ x·y + bias: in double and rounded once, or fma(canonical::dot, scale, bias).
[[nodiscard]] float scaled_dot(Precision mode, std::span<const float> x, std::span<const float> y,
                               const Affine& affine) noexcept;

/// LayerNorm of a row in place, in double or canonical.
void layer_norm(Precision mode, std::span<float> x, const format::NormSpec& norm,
                float eps) noexcept;

/// GELU of every element in place, in double (with std::erf) or canonical.
void gelu(Precision mode, std::span<float> x) noexcept;

/// What follows a pooler, of every element in place: tanh in double or canonical, or ReLU.
void activate(Precision mode, format::PoolerActivation activation, std::span<float> x) noexcept;

}  // namespace espalier::runtime::reference
