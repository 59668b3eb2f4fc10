#include "runtime/reference/linear.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/bfloat16.hpp"
#include "base/canonical.hpp"
#include "base/half.hpp"

namespace espalier::runtime::reference {
namespace {

using format::kPanelColumns;

// Input channels that are multiplied before their sum becomes an integer. Sums of at most 64
// products of at most 255 * 127 stay below 2^24, so floats add them exactly, and baseline x86
// multiplies floats four at a time but bytes and 32-bit integers one by one.
constexpr std::uint32_t kTileDepth = format::kPanelDepthMultiple;

using Tile = std::array<std::array<float, kPanelColumns>, kTileDepth>;

/// panel: 64 input channels of one panel, [16][64][4].
void unpack_tile(const std::int8_t* panel, Tile& tile) noexcept {
  for (std::uint32_t depth = 0; depth < kTileDepth; ++depth) {
    const std::int8_t* src = panel + (depth / 4) * (4 * kPanelColumns) + depth % 4;
    for (std::uint32_t column = 0; column < kPanelColumns; ++column) {
      tile[depth][column] = static_cast<float>(src[column * 4]);
    }
  }
}

/// sums (64) += inputs (64) · tile (64, 64)
void add_tile(const float* inputs, const Tile& tile, std::int32_t* sums) noexcept {
  std::array<float, kPanelColumns> partial{};
  for (std::uint32_t depth = 0; depth < kTileDepth; ++depth) {
    for (std::uint32_t column = 0; column < kPanelColumns; ++column) {
      partial[column] += inputs[depth] * tile[depth][column];
    }
  }
  for (std::uint32_t column = 0; column < kPanelColumns; ++column) {
    sums[column] += static_cast<std::int32_t>(partial[column]);
  }
}

canonical::RowCode row_code(const format::LinearSpec& spec, std::span<const float> row) noexcept {
  switch (spec.activations) {
    case format::ActivationCodes::per_token_symmetric:
      break;
    case format::ActivationCodes::per_token_asymmetric:
      return canonical::asymmetric_row(canonical::range_of(row));
    case format::ActivationCodes::per_tensor_asymmetric:
      return canonical::asymmetric_row(spec.activation_scale,
                                       static_cast<std::int32_t>(spec.activation_zero));
  }
  return canonical::symmetric_row(canonical::max_magnitude(row));
}

void code_rows(const format::LinearSpec& spec, std::span<const float> src, std::uint32_t n_rows,
               LinearScratch& scratch) noexcept {
  const std::uint32_t in = spec.in;
  const std::uint32_t depth = format::round_up(in, format::kPanelDepthMultiple);
  for (std::size_t row = 0; row < n_rows; ++row) {
    const std::span<float> inputs(scratch.inputs.data() + row * depth, depth);
    scratch.scales[row] = code_row(spec, src.subspan(row * in, in), inputs.first(in));
    std::fill(inputs.begin() + in, inputs.end(), 0.0F);
  }
}

float bias_of(const format::LinearSpec& spec, std::size_t channel) noexcept {
  return spec.bias.empty() ? 0.0F : spec.bias.as<float>()[channel];
}

/// In 8 lanes: a plain sum would wait for each addition.
double dot_in_double(std::span<const float> x, std::span<const float> y) noexcept {
  std::array<double, 8> lanes{};
  const std::size_t whole = x.size() / lanes.size() * lanes.size();
  for (std::size_t i = 0; i < whole; i += lanes.size()) {
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      lanes[lane] += double{x[i + lane]} * double{y[i + lane]};
    }
  }
  double sum = 0;
  for (std::size_t i = whole; i < x.size(); ++i) sum += double{x[i]} * double{y[i]};
  for (const double lane : lanes) sum += lane;
  return sum;
}

void fp32_linear(const format::LinearSpec& spec, std::span<const float> src, std::uint32_t n_rows,
                 std::span<float> dst) noexcept {
  const std::span<const float> weight = spec.weight.as<float>();
  for (std::size_t channel = 0; channel < spec.out; ++channel) {
    const std::span<const float> weights = weight.subspan(channel * spec.in, spec.in);
    for (std::size_t row = 0; row < n_rows; ++row) {
      const double sum = dot_in_double(src.subspan(row * spec.in, spec.in), weights);
      dst[row * spec.out + channel] = static_cast<float>(sum + double{bias_of(spec, channel)});
    }
  }
}

void bf16_linear(const format::LinearSpec& spec, std::span<const float> src, std::uint32_t n_rows,
                 std::span<float> dst, LinearScratch& scratch) noexcept {
  const std::size_t in = spec.in;
  const std::span<const std::uint16_t> weight = spec.weight.as<std::uint16_t>();
  const std::span<float> inputs(scratch.inputs.data(), n_rows * in);
  const std::span<float> weights(scratch.weights.data(), in);
  std::transform(src.begin(), src.begin() + static_cast<std::ptrdiff_t>(inputs.size()),
                 inputs.begin(), round_to_bfloat16);
  for (std::size_t channel = 0; channel < spec.out; ++channel) {
    const std::span<const std::uint16_t> stored = weight.subspan(channel * in, in);
    std::transform(stored.begin(), stored.end(), weights.begin(), bfloat16_to_float);
    for (std::size_t row = 0; row < n_rows; ++row) {
      const double sum = dot_in_double(inputs.subspan(row * in, in), weights);
      dst[row * spec.out + channel] = static_cast<float>(sum + double{bias_of(spec, channel)});
    }
  }
}

void layer_norm_in_double(std::span<float> x, std::span<const float> weight,
                          std::span<const float> bias, float eps) noexcept {
  const auto size = static_cast<double>(x.size());
  double mean = 0;
  for (const float value : x) mean += double{value};
  mean /= size;
  double variance = 0;
  for (const float value : x) variance += (double{value} - mean) * (double{value} - mean);
  const double inverse = 1.0 / std::sqrt(variance / size + double{eps});
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] =
        static_cast<float>((double{x[i]} - mean) * inverse * double{weight[i]} + double{bias[i]});
  }
}

}  // namespace

LinearScratch::LinearScratch(std::uint32_t max_rows, std::uint32_t max_in)
    : weights(max_in),
      inputs(std::size_t{max_rows} * format::round_up(max_in, format::kPanelDepthMultiple)),
      scales(max_rows),
      sums(std::size_t{max_rows} * kPanelColumns) {}

void linear(const format::LinearSpec& spec, std::span<const float> src, std::uint32_t n_rows,
            std::span<float> dst, LinearScratch& scratch) {
  if (spec.in == 0) {
    const std::span<const float> bias = spec.bias.as<float>();
    for (std::size_t row = 0; row < n_rows; ++row) {
      std::copy(bias.begin(), bias.end(),
                dst.begin() + static_cast<std::ptrdiff_t>(row * spec.out));
    }
    return;
  }
  switch (spec.precision) {
    case Precision::fp32:
      fp32_linear(spec, src, n_rows, dst);
      return;
    case Precision::int8:
      code_rows(spec, src, n_rows, scratch);
      multiply_codes(spec, n_rows, dst, scratch);
      return;
    case Precision::bf16:
      bf16_linear(spec, src, n_rows, dst, scratch);
      return;
  }
}

float code_row(const format::LinearSpec& spec, std::span<const float> src,
               std::span<float> dst) noexcept {
  if (spec.input_scale.empty()) {
    std::copy(src.begin(), src.end(), dst.begin());
  } else {
    canonical::scale_row(src, spec.input_scale.as<float>(), dst);
  }
  const canonical::RowCode code = row_code(spec, dst);
  for (float& value : dst) value = static_cast<float>(canonical::code_difference(value, code));
  return code.scale;
}

void multiply_codes(const format::LinearSpec& spec, std::uint32_t n_rows, std::span<float> dst,
                    LinearScratch& scratch) noexcept {
  const std::uint32_t padded_in = format::round_up(spec.in, format::kPanelDepthMultiple);
  const std::span<const std::int8_t> weight = spec.weight.as<std::int8_t>();
  const std::span<const float> channel_scale = spec.scale.as<float>();
  Tile tile;
  for (std::uint32_t first = 0; first < spec.out; first += kPanelColumns) {
    const std::int8_t* panel = weight.data() + std::size_t{first} * padded_in;
    std::fill_n(scratch.sums.begin(), std::size_t{n_rows} * kPanelColumns, 0);
    for (std::uint32_t depth = 0; depth < padded_in; depth += kTileDepth) {
      unpack_tile(panel + std::size_t{depth} * kPanelColumns, tile);
      for (std::size_t row = 0; row < n_rows; ++row) {
        add_tile(scratch.inputs.data() + row * padded_in + depth, tile,
                 scratch.sums.data() + row * kPanelColumns);
      }
    }
    const std::uint32_t end = std::min(spec.out, first + kPanelColumns);
    for (std::size_t row = 0; row < n_rows; ++row) {
      const std::int32_t* sums = scratch.sums.data() + row * kPanelColumns;
      for (std::uint32_t channel = first; channel < end; ++channel) {
        dst[row * spec.out + channel] =
            canonical::dequantize(sums[channel - first], scratch.scales[row],
                                  channel_scale[channel], bias_of(spec, channel));
      }
    }
  }
}

float element(const format::Tensor& tensor, std::size_t index) noexcept {
  switch (tensor.type) {
    case format::ElementType::f32:
      return tensor.as<float>()[index];
    case format::ElementType::f16:
      return half_to_float(tensor.as<std::uint16_t>()[index]);
    case format::ElementType::s8:
      return static_cast<float>(tensor.as<std::int8_t>()[index]);
    case format::ElementType::bf16:
      return bfloat16_to_float(tensor.as<std::uint16_t>()[index]);
    case format::ElementType::s4:
      break;  // its meaning takes multipliers too
  }
  return 0;
}

void load_row(const format::Tensor& tensor, std::size_t row, std::span<float> dst) noexcept {
  const std::size_t first = row * tensor.cols;
  for (std::size_t col = 0; col < dst.size(); ++col) dst[col] = element(tensor, first + col);
}

float scaled_dot(Precision mode, std::span<const float> x, std::span<const float> y,
                 const Affine& affine) noexcept {
  switch (mode) {
    case Precision::fp32:
    case Precision::bf16:
      return static_cast<float>(dot_in_double(x, y) * double{affine.scale} + double{affine.bias});
    case Precision::int8:
      return std::fma(canonical::dot(x, y), affine.scale, affine.bias);
  }
  return 0;
}

void layer_norm(Precision mode, std::span<float> x, const format::NormSpec& norm,
                float eps) noexcept {
  const std::span<const float> weight = norm.weight.as<float>();
  const std::span<const float> bias = norm.bias.as<float>();
  switch (mode) {
    case Precision::fp32:
    case Precision::bf16:
      layer_norm_in_double(x, weight, bias, eps);
      return;
    case Precision::int8:
      canonical::layer_norm(x, weight, bias, eps);
      return;
  }
}

void gelu(Precision mode, std::span<float> x) noexcept {
  for (float& value : x) {
    switch (mode) {
      case Precision::fp32:
      case Precision::bf16:
        value = static_cast<float>(0.5 * double{value} * std::erfc(-double{value} / M_SQRT2));
        break;
      case Precision::int8:
        value = canonical::gelu(value);
        break;
    }
  }
}

namespace {

void tanh(Precision mode, std::span<float> x) noexcept {
  for (float& value : x) {
    switch (mode) {
      case Precision::fp32:
      case Precision::bf16:
        value = static_cast<float>(std::tanh(double{value}));
        break;
      case Precision::int8:
        value = canonical::tanh(value);
        break;
    }
  }
}

}  // namespace

void activate(Precision mode, format::PoolerActivation activation, std::span<float> x) noexcept {
  switch (activation) {
    case format::PoolerActivation::tanh:
      tanh(mode, x);
      return;
    case format::PoolerActivation::relu:
      for (float& value : x) value = value < 0 ? 0.0F : value;  // lets what is no number through
      return;
  }
}

}  // namespace espalier::runtime::reference
