// Int8 linears on generated VNNI tiles, which read the file's panels where they lie; four-bit
// weights become such panels first. Others run on the AVX2 kernels.
#include <vector>

#include "runtime/cpu/linear.hpp"
#include "runtime/cpu/vnni_matmul.hpp"
#include "runtime/unpacked_linear.hpp"

namespace espalier::runtime::cpu {
namespace {

TileEnd end_of(Output output) {
  switch (output) {
    case Output::store:
      return TileEnd::store;
    case Output::gelu:
      return TileEnd::gelu;
    case Output::add:
      return TileEnd::add;
  }
  return TileEnd::store;
}

class VnniLinear final : public Linear {
 public:
  VnniLinear(const VnniKernels& kernels, const format::LinearSpec& spec)
      : kernels_(kernels),
        depth_(code_stride(spec.in)),
        columns_(spec.out),
        unpacked_(spec),
        panels_(unpacked_.spec().weight.as<std::int8_t>().data()),
        start_(code_stride(spec.out)),
        scale_(padded_copy(spec.scale, spec.out)),
        bias_(padded_copy(spec.bias, spec.out)) {
    const std::optional<std::int32_t> zero = shared_zero(row_coding(spec));
    own_zeros_ = !zero.has_value();
    start_sums(panels_, depth_, columns_, static_cast<std::uint8_t>(zero.value_or(1)),
               start_.data());
  }

  void run(LinearScratch&, const LinearInput& src, Output output, float* dst) const override {
    multiply(kernels_, end_of(output),
             {.codes = static_cast<const std::uint8_t*>(src.codes),
              .code_stride = depth_,
              .n_rows = src.n_rows,
              .depth = depth_,
              .columns = columns_,
              .panels = panels_,
              .start = start_.data(),
              .row_zero = own_zeros_ ? src.token_zero : nullptr,
              .row_scale = src.token_scale,
              .column_scale = scale_.data(),
              .bias = bias_.data(),
              .dst = dst,
              .dst_stride = float_stride(columns_)});
  }

 private:
  const VnniKernels& kernels_;
  std::uint32_t depth_;
  std::uint32_t columns_;
  UnpackedLinear unpacked_;
  const std::int8_t* panels_;       // the file's, or those of four-bit weights
  bool own_zeros_ = false;          // whether each row has its own code of 0
  LineVector<std::int32_t> start_;  // -Σ weights of each column, times the code of 0 of all rows
  LineVector<float> scale_;
  LineVector<float> bias_;
};

class VnniLinears final : public LinearMaker {
 public:
  VnniLinears() : kernels_(vnni_kernels()), floats_(make_avx2_linears()) {}

  std::unique_ptr<Linear> make(const format::LinearSpec& spec) override {
    if (spec.precision == Precision::int8) return std::make_unique<VnniLinear>(kernels_, spec);
    return floats_->make(spec);
  }
  std::unique_ptr<LinearScratch> new_scratch() const override { return floats_->new_scratch(); }
  CodeLayout code_layout() const noexcept override { return CodeLayout::u8; }

 private:
  const VnniKernels& kernels_;
  std::unique_ptr<LinearMaker> floats_;
};

}  // namespace

std::unique_ptr<LinearMaker> make_vnni_linears() {
  return std::make_unique<VnniLinears>();
}

}  // namespace espalier::runtime::cpu
