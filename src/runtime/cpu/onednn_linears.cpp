// Linears on oneDNN's matmul: fp32 anywhere; u8 x s8 -> s32 where the library has VNNI or AMX, with
// the code of 0, the scales and the rest of the meaning in our own epilogue; bf16 x bf16 -> f32
// where the processor has bf16 instructions, which add exact products in fp32 (and take subnormals
// for zeros).
//
// Scratchpads are ours (the library's own is shared by all threads). The packaged library runs on
// OpenMP; here it runs on the calling thread only.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "base/file_bytes.hpp"
#include "espalier/error.hpp"
#include "runtime/cpu/avx2_bf16.hpp"
#include "runtime/cpu/linear.hpp"
#include "runtime/cpu/onednn_shapes.hpp"
#include "runtime/unpacked_linear.hpp"

// Of the OpenMP runtime that oneDNN is linked to. Declared here because <omp.h> is the compiler's,
// and a compiler may bring another runtime.
extern "C" int omp_get_max_threads();
extern "C" void omp_set_num_threads(int count);

namespace espalier::runtime::cpu {
namespace {

using dnnl::memory;
using Layout = memory::format_tag;

// OpenMP's thread count is a property of the calling thread: one for the library, the caller's
// after.
class OneOpenMpThread {
 public:
  OneOpenMpThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;
  ~OneOpenMpThread() { omp_set_num_threads(before_); }

 private:
  int before_;
};

// Handles with exchangeable pointers, made once: creating one allocates.
struct Call {
  memory src, weights, dst, scratchpad;
};

class OneDnnScratch final : public LinearScratch {
 public:
  OneDnnScratch(const dnnl::engine& engine, const std::vector<const Shape*>& shapes)
      : stream(engine), calls(shapes.size()) {
    std::size_t scratchpad_bytes = 0, result_bytes = 0;
    std::uint32_t bf16_in = 0;
    for (const Shape* shape : shapes) {
      if (shape->size.precision == Precision::bf16) bf16_in = std::max(bf16_in, shape->size.in);
      for (const auto& description : shape->descriptions) {
        scratchpad_bytes = std::max(scratchpad_bytes, description.scratchpad_desc().get_size());
        result_bytes = std::max(result_bytes, description.dst_desc().get_size());
      }
    }
    scratchpad_.resize(scratchpad_bytes / sizeof(Line) + 1);
    result_.resize(result_bytes / sizeof(Line) + 1);
    narrow_.resize(std::size_t{kChunkRows} * float_stride(bf16_in));
    for (const Shape* shape : shapes) {
      for (std::size_t bucket = 0; bucket < kBuckets.size(); ++bucket) {
        const auto& description = shape->descriptions[bucket];
        calls[shape->index][bucket] = {
            memory(description.src_desc(), engine, nullptr),
            memory(description.weights_desc(), engine, nullptr),
            memory(description.dst_desc(), engine, result()),
            memory(description.scratchpad_desc(), engine, scratchpad_.data())};
      }
    }
  }

  [[nodiscard]] void* result() noexcept { return result_.data(); }

  /// Rows of a bf16 linear's input, stride float_stride(in).
  [[nodiscard]] const std::uint16_t* narrow(const LinearInput& src, std::uint32_t in) noexcept {
    const std::size_t stride = float_stride(in);
    for (std::size_t row = 0; row < src.n_rows; ++row) {
      narrow_row(src.x + row * stride, in, narrow_.data() + row * stride);
    }
    return narrow_.data();
  }

  dnnl::stream stream;
  std::vector<std::array<Call, kBuckets.size()>> calls;  // (shapes)

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> scratchpad_;
  std::vector<Line> result_;
  LineVector<std::uint16_t> narrow_;
};

class OneDnnLinear final : public Linear {
 public:
  OneDnnLinear(const RowKernels& rows, const dnnl::engine& engine,
               std::shared_ptr<const Shape> shape, const format::LinearSpec& spec)
      : rows_(rows),
        shape_(std::move(shape)),
        int8_(spec.precision == Precision::int8),
        out_(spec.out),
        bias_(padded_copy(spec.bias, spec.out)) {
    UnpackedLinear unpacked(spec);
    if (int8_) {
      scale_ = padded_copy(spec.scale, spec.out);
      weight_sums_ = weight_sums(unpacked.spec());
      zero_ = shared_zero(row_coding(spec));
    }
    if (shape_->weights != weights_as(shape_->size, layout_in_file(spec.precision))) {
      repack(engine, unpacked.spec());
      return;
    }
    // The file's bytes serve as they lie when the library reads that layout.
    weights_ = unpacked.spec().weight.bytes.data();
    unpacked_ = std::move(unpacked);
  }

  void run(LinearScratch& scratch, const LinearInput& src, Output output,
           float* dst) const override {
    auto& own = static_cast<OneDnnScratch&>(scratch);
    multiply(own, operand(own, src), src.n_rows);
    const std::size_t stride = float_stride(out_);
    for (std::size_t row = 0; row < src.n_rows; ++row) {
      if (int8_) {
        const auto* sums = static_cast<const std::int32_t*>(own.result()) + row * code_stride(out_);
        rows_.finish_sums(sums,
                          {.weight_sums = weight_sums_.data(),
                           .row = {src.token_scale[row], zero_ ? *zero_ : src.token_zero[row]},
                           .channel_scale = scale_.data(),
                           .bias = bias_.data(),
                           .output = output},
                          out_, dst + row * stride);
      } else {
        rows_.finish_floats(static_cast<const float*>(own.result()) + row * stride, bias_.data(),
                            out_, output, dst + row * stride);
      }
    }
  }

 private:
  const void* operand(OneDnnScratch& own, const LinearInput& src) const {
    switch (shape_->size.precision) {
      case Precision::fp32:
        return src.x;
      case Precision::int8:
        return src.codes;
      case Precision::bf16:
        return own.narrow(src, shape_->size.in);
    }
    return nullptr;
  }

  // Of each channel: what a row's sum has too much for every step that its code of 0 is above 0.
  static LineVector<std::int32_t> weight_sums(const format::LinearSpec& spec) {
    LineVector<std::int32_t> sums(code_stride(spec.out));
    const std::span<const std::int8_t> weight = spec.weight.as<std::int8_t>();
    for (std::uint32_t n = 0; n < spec.out; ++n) {
      for (std::uint32_t k = 0; k < spec.in; ++k) {
        sums[n] += weight[format::panel_index(n, k, spec.in)];
      }
    }
    return sums;
  }

  void repack(const dnnl::engine& engine, const format::LinearSpec& spec) {
    const ShapeSize& size = shape_->size;
    owned_ = std::make_unique<FileBytes>(
        FileBytes::copy(std::vector<std::byte>(shape_->weights.get_size())));
    auto* packed = const_cast<std::byte*>(owned_->bytes().data());
    LineVector<std::int8_t> plain;
    memory source;
    if (int8_) {
      plain.resize(std::size_t{size.in} * size.out);
      const std::span<const std::int8_t> panels = spec.weight.as<std::int8_t>();
      for (std::uint32_t n = 0; n < spec.out; ++n) {
        for (std::uint32_t k = 0; k < spec.in; ++k) {
          plain[std::size_t{k} * size.out + n] = panels[format::panel_index(n, k, spec.in)];
        }
      }
      source = memory(weights_as(size, Layout::ab), engine, plain.data());
    } else {
      source = memory(weights_as(size, Layout::ba), engine,
                      const_cast<std::byte*>(spec.weight.bytes.data()));
    }
    memory target(shape_->weights, engine, packed);
    dnnl::stream stream(engine);
    dnnl::reorder(source, target).execute(stream, source, target);
    stream.wait();
    weights_ = packed;
  }

  void multiply(OneDnnScratch& own, const void* src, std::uint32_t n_rows) const {
    const std::size_t bucket = bucket_of(n_rows);
    Call& call = own.calls[shape_->index][bucket];
    // The library reads through handles to non-const memory.
    call.src.set_data_handle(const_cast<void*>(src));
    call.weights.set_data_handle(const_cast<std::byte*>(weights_));
    const std::array<dnnl_exec_arg_t, 4> arguments = {
        {{DNNL_ARG_SRC, call.src.get()},
         {DNNL_ARG_WEIGHTS, call.weights.get()},
         {DNNL_ARG_DST, call.dst.get()},
         {DNNL_ARG_SCRATCHPAD, call.scratchpad.get()}}};
    const OneOpenMpThread one;
    // The C call: the C++ one builds a map of its arguments.
    const dnnl_status_t status =
        dnnl_primitive_execute(shape_->primitives[bucket].get(), own.stream.get(),
                               static_cast<int>(arguments.size()), arguments.data());
    if (status != dnnl_success) throw Error(ErrorCode::failed, "oneDNN could not run a matmul");
  }

  const RowKernels& rows_;
  std::shared_ptr<const Shape> shape_;
  bool int8_;
  std::uint32_t out_;
  const std::byte* weights_ = nullptr;
  std::unique_ptr<FileBytes> owned_;
  std::optional<UnpackedLinear> unpacked_;  // what weights_ may view
  LineVector<float> bias_;
  LineVector<float> scale_;
  LineVector<std::int32_t> weight_sums_;
  std::optional<std::int32_t> zero_;  // code of 0 of all rows; none where they have their own
};

class OneDnnLinears final : public LinearMaker {
 public:
  explicit OneDnnLinears(const RowKernels& rows)
      : rows_(rows), engine_(dnnl::engine::kind::cpu, 0) {}

  std::unique_ptr<Linear> make(const format::LinearSpec& spec) override {
    const OneOpenMpThread one;  // part of what the library compiles for
    const ShapeSize size = size_of(spec);
    std::shared_ptr<Shape>& shape = shapes_[size];
    if (shape == nullptr) {
      shape = std::make_shared<Shape>(best_shape(engine_, size));
      shape->index = shapes_.size() - 1;
    }
    return std::make_unique<OneDnnLinear>(rows_, engine_, shape, spec);
  }

  std::unique_ptr<LinearScratch> new_scratch() const override {
    std::vector<const Shape*> shapes;
    for (const auto& [size, shape] : shapes_) shapes.push_back(shape.get());
    return std::make_unique<OneDnnScratch>(engine_, shapes);
  }

  CodeLayout code_layout() const noexcept override { return CodeLayout::u8; }

 private:
  const RowKernels& rows_;
  dnnl::engine engine_;
  std::map<ShapeSize, std::shared_ptr<Shape>> shapes_;
};

}  // namespace

std::unique_ptr<LinearMaker> make_onednn_linears(const RowKernels& rows) {
  return std::make_unique<OneDnnLinears>(rows);
}

std::string onednn_version() {
  const dnnl::version_t* version = dnnl::version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace espalier::runtime::cpu
