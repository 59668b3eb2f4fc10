#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "runtime/cpu/linear.hpp"

namespace espalier::runtime::cpu {

std::vector<float> padded_copy(const format::Tensor& tensor, std::uint32_t size) {
  std::vector<float> padded(format::round_up(size, 64));
  const std::span<const float> values = tensor.as<float>();
  std::copy(values.begin(), values.end(), padded.begin());
  return padded;
}

namespace {

// Repacks the file's panels [N/64][K/4][64][4] as [N/16][K/2][16][2].
std::vector<std::int8_t> narrow_panels(const format::LinearSpec& spec) {
  std::vector<std::int8_t> narrow(code_panel_bytes(spec.out, spec.in));
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
        panels_(narrow_panels(spec)),
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
  std::vector<std::int8_t> panels_;
  std::vector<float> scale_;
  std::vector<float> bias_;
};

class FloatScratch final : public LinearScratch {
 public:
  explicit FloatScratch(std::uint32_t out) : products(std::size_t{kChunkRows} * float_stride(out)) {
    ones.fill(1.0F);
  }
  std::vector<float> products;
  std::array<float, kChunkRows> ones{};
};

class FloatLinear final : public Linear {
 public:
  explicit FloatLinear(const format::LinearSpec& spec)
      : in_(spec.in),
        out_(spec.out),
        panels_(std::size_t{float_stride(spec.out)} * spec.in),
        bias_(padded_copy(spec.bias, spec.out)) {
    const std::span<const float> weight = spec.weight.as<float>();
    for (std::size_t n = 0; in_ > 0 && n < out_; ++n) {
      float* panel = panels_.data() + n / kTileColumns * kTileColumns * in_ + n % kTileColumns;
      for (std::size_t k = 0; k < in_; ++k) panel[k * kTileColumns] = weight[n * in_ + k];
    }
  }

  void run(LinearScratch& scratch, const LinearInput& src, Output output,
           float* dst) const override {
    auto& own = static_cast<FloatScratch&>(scratch);
    const std::size_t stride = float_stride(out_);
    // The kernel reads its left operand through the type that it also writes with.
    const FloatMatrix x{const_cast<float*>(src.x), float_stride(in_)};
    scaled_floats(x, src.n_rows, {panels_.data(), in_, out_}, own.ones.data(),
                  {own.products.data(), stride});
    for (std::size_t row = 0; row < src.n_rows; ++row) {
      avx2_rows().finish_floats(own.products.data() + row * stride, bias_.data(), out_, output,
                                dst + row * stride);
    }
  }

 private:
  std::uint32_t in_;
  std::uint32_t out_;
  std::vector<float> panels_;
  std::vector<float> bias_;
};

class Avx2Linears final : public LinearMaker {
 public:
  std::unique_ptr<Linear> make(const format::LinearSpec& spec) override {
    if (spec.precision == Precision::int8) return std::make_unique<WideningLinear>(spec);
    widest_ = std::max(widest_, spec.out);
    return std::make_unique<FloatLinear>(spec);
  }
  std::unique_ptr<LinearScratch> new_scratch() const override {
    return std::make_unique<FloatScratch>(widest_);
  }
  CodeLayout code_layout() const noexcept override { return CodeLayout::s16; }

 private:
  std::uint32_t widest_ = 0;
};

}  // namespace

std::unique_ptr<LinearMaker> make_avx2_linears() {
  return std::make_unique<Avx2Linears>();
}

}  // namespace espalier::runtime::cpu
