// The operations are those of base/canonical.hpp in the same order, one tensor operation each:
// element by element LibTorch rounds every one of them as IEEE 754 says, so the codes are equal.
#include "compress/quantize/fake_quant.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/round.h>
#include <ATen/ops/where.h>

#include "base/canonical.hpp"
#include "format/four_bits.hpp"

namespace espalier::quantize {
namespace {

// The value of `rounded`, the gradient of x.
at::Tensor straight_through(const at::Tensor& x, const at::Tensor& rounded) {
  return x.requires_grad() && at::GradMode::is_enabled() ? x + (rounded - x).detach() : rounded;
}

// largest / 127 of each row of s8 codes, and its inverse; 0 both where there is next to nothing.
struct RowScale {
  at::Tensor scale;
  at::Tensor inverse;
};
RowScale symmetric_scale(const at::Tensor& x) {
  const at::Tensor largest = x.detach().abs().amax(-1, /*keepdim=*/true);
  const at::Tensor counts = largest >= canonical::kTinyRow;
  const at::Tensor zero = at::zeros_like(largest);
  return {at::where(counts, largest / 127.0F, zero), at::where(counts, 127.0F / largest, zero)};
}

at::Tensor through_bfloat16(const at::Tensor& x) {
  return straight_through(x, x.detach().to(at::kBFloat16).to(x.scalar_type()));
}

// Rows of weights as the export codes them, where that is more than one tensor operation says.
at::Tensor through_export(const at::Tensor& x, std::uint32_t group, compress::Rounding rounding) {
  const at::Tensor rows = x.detach().to(at::kCPU).contiguous();
  at::Tensor rounded = at::empty_like(rows);
  const auto width = static_cast<std::size_t>(rows.size(-1));
  std::vector<std::int8_t> codes(width);
  std::vector<std::int8_t> multipliers(
      group == 0 ? 0 : format::n_groups(static_cast<std::uint32_t>(width), group));
  const float* from = rows.const_data_ptr<float>();
  float* to = rounded.mutable_data_ptr<float>();
  for (std::int64_t value = 0; value < rows.numel(); value += rows.size(-1)) {
    const std::span<const float> row(from + value, width);
    const float scale =
        group == 0 ? compress::round_row(row, rounding, codes)
                   : compress::round_row_to_four_bits(row, group, rounding, codes, multipliers);
    for (std::size_t col = 0; col < width; ++col) {
      const int code = codes[col] * (group == 0 ? 1 : multipliers[col / group]);
      to[static_cast<std::size_t>(value) + col] = static_cast<float>(code) * scale;
    }
  }
  return straight_through(x, rounded.to(x.device()));
}

}  // namespace

at::Tensor round_symmetric(const at::Tensor& x) {
  const RowScale row = symmetric_scale(x);
  const at::Tensor codes = at::round(at::clamp(x.detach() * row.inverse, -127, 127));
  return straight_through(x, codes * row.scale);
}

at::Tensor round_asymmetric(const at::Tensor& x) {
  const at::Tensor values = x.detach();
  const at::Tensor low = values.amin(-1, /*keepdim=*/true).clamp_max(0);
  const at::Tensor high = values.amax(-1, /*keepdim=*/true).clamp_min(0);
  const at::Tensor counts = high - low >= canonical::kTinyRow;
  const at::Tensor scale = at::where(counts, high / 255.0F - low / 255.0F, at::ones_like(low));
  const at::Tensor inverse = 1.0F / scale;
  const at::Tensor zero = at::round(at::clamp(-low * inverse, 0, 255));
  const at::Tensor differences = at::round(at::clamp(values * inverse, -zero, 255.0F - zero));
  return straight_through(x, at::where(counts, differences * scale, at::zeros_like(low)));
}

at::Tensor round_static(const at::Tensor& x, double scale, double zero) {
  const auto step = static_cast<float>(scale);
  const at::Tensor inside = at::clamp(x * (1.0F / step), -zero, 255 - zero);
  return straight_through(inside, at::round(inside.detach())) * step;
}

at::Tensor round_attention(const at::Tensor& weights, const at::Tensor& values) {
  const at::Tensor value_scale = symmetric_scale(values).scale.transpose(-1, -2);  // (…, 1, keys)
  const at::Tensor weighted = weights.detach() * value_scale;
  const at::Tensor top = weighted.amax(-1, /*keepdim=*/true);
  const at::Tensor counts = top >= canonical::kTinyRow;
  const at::Tensor inverse = at::where(counts, 255.0F / top, at::zeros_like(top));
  const at::Tensor codes = at::round(at::clamp(weighted * inverse, 0, 255));
  // A value row of zeros: whatever its weight is.
  const at::Tensor rounded =
      at::where(value_scale > 0, codes * (top / 255.0F) / value_scale, weights.detach());
  return straight_through(weights, rounded);
}

at::Tensor FakeQuant::rows(const compress::PartType& type, const at::Tensor& x) const {
  switch (type.precision) {
    case Precision::fp32:
      break;
    case Precision::bf16:
      return through_bfloat16(x);
    case Precision::int8:
      if (x.numel() == 0) break;
      return type.group == 0 && rounding_ == compress::Rounding::absmax
                 ? round_symmetric(x)
                 : through_export(x, type.group, rounding_);
  }
  return x;
}

FakeQuant::FakeQuant(const format::ModelSpec& spec, compress::Rounding rounding,
                     const at::Device& device)
    : rounding_(rounding),
      words_(format::word_precision(spec.embedding), spec.embedding.word_group),
      between_(spec.precision) {
  if (spec.embedding.projection) projection_ = spec.embedding.projection->precision;
  const auto taken = [&](const format::LinearSpec& from) {
    Linear linear = {{from.precision, from.group},
                     from.activations,
                     from.activation_scale,
                     static_cast<double>(from.activation_zero),
                     {}};
    if (!from.input_scale.empty()) {
      const std::span<const float> scale = from.input_scale.as<float>();
      at::Tensor copy = at::empty({static_cast<std::int64_t>(scale.size())}, at::kFloat);
      std::copy(scale.begin(), scale.end(), copy.mutable_data_ptr<float>());
      linear.input_scale = copy.to(device);
    }
    return linear;
  };
  for (const format::LayerSpec& layer : spec.layers) {
    layers_.push_back({taken(layer.qkv), taken(layer.out), taken(layer.up), taken(layer.down)});
  }
}

const FakeQuant::Linear& FakeQuant::linear(std::size_t layer, model::Product product) const {
  const Layer& parts = layers_.at(layer);
  switch (product) {
    case model::Product::qkv:
      return parts.qkv;
    case model::Product::out:
      return parts.out;
    case model::Product::up:
      return parts.up;
    case model::Product::down:
      break;
  }
  return parts.down;
}

at::Tensor FakeQuant::words(const at::Tensor& rows) const {
  return this->rows(words_, rows);
}

at::Tensor FakeQuant::word_projection(const at::Tensor& weight) const {
  return rows(projection_, weight);
}

at::Tensor FakeQuant::input(std::size_t layer, model::Product product, const at::Tensor& x) const {
  const Linear& part = linear(layer, product);
  if (part.type.precision == Precision::fp32) return x;
  if (part.type.precision == Precision::bf16) return through_bfloat16(x);
  const at::Tensor scaled = part.input_scale.defined() ? x * part.input_scale : x;
  switch (part.activations) {
    case format::ActivationCodes::per_token_symmetric:
      return round_symmetric(scaled);
    case format::ActivationCodes::per_token_asymmetric:
      return round_asymmetric(scaled);
    case format::ActivationCodes::per_tensor_asymmetric:
      break;
  }
  return round_static(scaled, part.scale, part.zero);
}

at::Tensor FakeQuant::weight(std::size_t layer, model::Product product,
                             const at::Tensor& weight) const {
  const Linear& part = linear(layer, product);
  // The inverse of what input() multiplied with stays in the weights.
  return rows(part.type, part.input_scale.defined() ? weight / part.input_scale : weight);
}

at::Tensor FakeQuant::heads(const at::Tensor& x) const {
  return between_ == Precision::int8 ? round_symmetric(x) : x;
}

at::Tensor FakeQuant::attention(const at::Tensor& weights, const at::Tensor& values) const {
  return between_ == Precision::int8 ? round_attention(weights, values) : weights;
}

}  // namespace espalier::quantize
