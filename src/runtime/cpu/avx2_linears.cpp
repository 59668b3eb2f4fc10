#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <vector>

#include "runtime/cpu/avx2_bf16.hpp"
#include "runtime/cpu/linear.hpp"
#include "runtime/unpacked_linear.hpp"

namespace espalier::runtime::cpu {

RowCoding row_coding(const format::LinearSpec& spec) noexcept {
  RowCoding coding = {.codes = spec.activations};
  if (!spec.input_scale.empty()) coding.input_scale = spec.input_scale.as<float>().data();
  if (spec.activations == format::ActivationCodes::per_tensor_asymmetric) {
    coding.fixed = canonical::asymmetric_row(spec.activation_scale,
                                             static_cast<std::int32_t>(spec.activation_zero));
  }
  return coding;
}

std::optional<std::int32_t> shared_zero(const RowCoding& coding) noexcept {
  switch (coding.codes) {
    case format::ActivationCodes::per_token_symmetric:
    case format::ActivationCodes::per_tensor_asymmetric:
      return coding.fixed.zero;
    case format::ActivationCodes::per_token_asymmetric:
      break;
  }
  return std::nullopt;
}

LineVector<float> padded_copy(const format::Tensor& tensor, std::uint32_t size) {
  LineVector<float> padded(format::round_up(size, 64));
  const std::span<const float> values = tensor.as<float>();
  std::copy(values.begin(), values.end(), padded.begin());
  return padded;
}

namespace {

// Repacks the file's panels [N/64][K/4][64][4] as [N/16][K/2][16][2].
LineVector<std::int8_t> narrow_panels(const format::LinearSpec& spec) {
  LineVector<std::int8_t> narrow(code_panel_bytes(spec.out, spec.in));
  if (spec.in == 0) return narrow;
  const std::int8_t* file = spec.weight.as<std::int8_t>().data();
  const std::size_t depth2 = (spec.in + 1) / 2;
  const std::size_t depth4 = code_stride(spec.in) / 4;
  for (std::uint32_t n = 0; n < spec.out; n += kTileColumns) {
    const std::int8_t* src = file + (n / format::kPanelColumns) * depth4 * 256 +
                             (n % format::kPanelColumns) * std::size_t{4};
    std::int8_t* dst = narrow.data() + (n / kTileColumns) * depth2 * 32;
    for (std::size_t pair = 0; pair < depth2; ++pair) {
      const std::int8_t* quads = src + (pair / 2) * 256 + (pair % 2) * 2;
      for (std::size_t column = 0; column < kTileColumns; ++column) {
        std::memcpy(dst + pair * 32 + column * 2, quads + column * 4, 2);
      }
    }
  }
  return narrow;
}

class WideningLinear final : public Linear {
 public:
  explicit WideningLinear(const format::LinearSpec& spec)
      : in_(spec.in),
        out_(spec.out),
        panels_(narrow_panels(UnpackedLinear(spec).spec())),
        scale_(padded_copy(spec.scale, spec.out)),
        bias_(padded_copy(spec.bias, spec.out)) {}

  void run(LinearScratch&, const LinearInput& src, Output output, float* dst) const override {
    linear_codes({static_cast<const std::int16_t*>(src.codes), code_stride(in_), src.n_rows},
                 {panels_.data(), (in_ + 1) / 2, out_},
                 {src.token_scale, scale_.data(), bias_.data(), output}, {dst, float_stride(out_)});
  }

 private:
  std::uint32_t in_;
  std::uint32_t out_;
  LineVector<std::int8_t> panels_;
  LineVector<float> scale_;
  LineVector<float> bias_;
};

struct Widest {
  std::uint32_t out = 0;      // of the float linears, bf16 among them
  std::uint32_t bf16_in = 0;  // of the bf16 linears
};

class FloatScratch final : public LinearScratch {
 public:
  explicit FloatScratch(const Widest& widest)
      : products(std::size_t{kChunkRows} * float_stride(widest.out)),
        rounded(std::size_t{kChunkRows} * float_stride(widest.bf16_in)) {
    ones.fill(1.0F);
  }
  LineVector<float> products;
  LineVector<float> rounded;  // input rows of a bf16 linear
  std::array<float, kChunkRows> ones{};
};

// Where column n of 16 lies in a step of a panel.
std::size_t place_of(std::size_t n, const float*) {
  return n;
}
std::size_t place_of(std::size_t n, const std::uint16_t*) {
  return n % 8 * 2 + n / 8;
}

// Weights of floats, or of bfloat16: such a linear rounds what it reads.
template <typename Weight, typename Panels>
class FloatLinear final : public Linear {
 public:
  explicit FloatLinear(const format::LinearSpec& spec)
      : in_(spec.in),
        out_(spec.out),
        panels_(std::size_t{float_stride(spec.out)} * spec.in),
        bias_(padded_copy(spec.bias, spec.out)) {
    const std::span<const Weight> weight = spec.weight.as<Weight>();
    for (std::size_t n = 0; in_ > 0 && n < out_; ++n) {
      Weight* panel = panels_.data() + n / kTileColumns * kTileColumns * in_ +
                      place_of(n % kTileColumns, weight.data());
      for (std::size_t k = 0; k < in_; ++k) panel[k * kTileColumns] = weight[n * in_ + k];
    }
  }

  void run(LinearScratch& scratch, const LinearInput& src, Output output,
           float* dst) const override {
    auto& own = static_cast<FloatScratch&>(scratch);
    const std::size_t stride = float_stride(out_);
    // The kernel reads its left operand through the type that it also writes with.
    FloatMatrix x{const_cast<float*>(src.x), float_stride(in_)};
    if constexpr (std::is_same_v<Weight, std::uint16_t>) {
      for (std::size_t row = 0; row < src.n_rows; ++row) {
        round_row(src.x + row * x.stride, in_, own.rounded.data() + row * x.stride);
      }
      x.rows = own.rounded.data();
    }
    scaled_floats(x, src.n_rows, Panels{panels_.data(), in_, out_}, own.ones.data(),
                  {own.products.data(), stride});
    for (std::size_t row = 0; row < src.n_rows; ++row) {
      avx2_rows().finish_floats(own.products.data() + row * stride, bias_.data(), out_, output,
                                dst + row * stride);
    }
  }

 private:
  std::uint32_t in_;
  std::uint32_t out_;
  LineVector<Weight> panels_;
  LineVector<float> bias_;
};

class Avx2Linears final : public LinearMaker {
 public:
  std::unique_ptr<Linear> make(const format::LinearSpec& spec) override {
    switch (spec.precision) {
      case Precision::int8:
        return std::make_unique<WideningLinear>(spec);
      case Precision::bf16:
        widest_.out = std::max(widest_.out, spec.out);
        widest_.bf16_in = std::max(widest_.bf16_in, spec.in);
        return std::make_unique<FloatLinear<std::uint16_t, Bf16Panels>>(spec);
      case Precision::fp32:
        break;
    }
    widest_.out = std::max(widest_.out, spec.out);
    return std::make_unique<FloatLinear<float, FloatPanels>>(spec);
  }
  std::unique_ptr<LinearScratch> new_scratch() const override {
    return std::make_unique<FloatScratch>(widest_);
  }
  CodeLayout code_layout() const noexcept override { return CodeLayout::s16; }

 private:
  Widest widest_;
};

}  // namespace

std::unique_ptr<LinearMaker> make_avx2_linears() {
  return std::make_unique<Avx2Linears>();
}

}  // namespace espalier::runtime::cpu
