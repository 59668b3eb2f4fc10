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

  std::vector<float> weights;      // (in): a channel's of bf16
  std::vector<float> inputs;       // (rows, in rounded up): differences of codes, or bf16 values
  std::vector<float> scales;       // (rows)
  std::vector<std::int32_t> sums;  // (rows, kPanelColumns)
};

/// dst = src Wᵀ + bias. src (n_rows, in) f32; dst (n_rows, out). fp32: sums in double. bf16: the
/// same of src rounded to bfloat16. int8: code_row() of each row, exact sums,
/// canonical::dequantize. `in` may be 0: dst is the bias.
void linear(const format::LinearSpec& spec, std::span<const float> src, std::uint32_t n_rows,
            std::span<float> dst, LinearScratch& scratch);

/// What an int8 linear makes of an input row: its codes' differences from the code of 0, as floats;
/// returns their scale. src and dst: (in); they may be the same.
float code_row(const format::LinearSpec& spec, std::span<const float> src,
               std::span<float> dst) noexcept;

/// The second half of an int8 linear(): dst of the differences that lie in scratch.inputs, as
/// floats and padded with zeros, and their scales in scratch.scales.
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
