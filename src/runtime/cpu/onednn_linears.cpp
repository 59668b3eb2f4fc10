// Linears on oneDNN's matmul: fp32 anywhere; u8 x s8 -> s32 where the library has VNNI or AMX, with
// the shift of +128, the scales and the rest of the meaning in our own epilogue.
//
// Shapes are fixed at load: a matmul with a run-time number of rows falls back to slow kernels, so
// rows are rounded up to one of a few buckets. Scratchpads are ours (the library's own is shared by
// all threads). The packaged library runs on OpenMP; here it runs on the calling thread only.
#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <map>
#include <string_view>
#include <vector>

#include "base/file_bytes.hpp"
#include "espalier/error.hpp"
#include "runtime/cpu/linear.hpp"

// Of the OpenMP runtime that oneDNN is linked to. Declared here because <omp.h> is the compiler's,
// and a compiler may bring another runtime.
extern "C" int omp_get_max_threads();
extern "C" void omp_set_num_threads(int count);

namespace espalier::runtime::cpu {
namespace {

using dnnl::memory;
using DataType = memory::data_type;
using Layout = memory::format_tag;

constexpr std::array<std::uint32_t, 7> kBuckets = {1, 8, 16, 24, 32, 40, kChunkRows};

std::size_t bucket_of(std::uint32_t n_rows) {
  return static_cast<std::size_t>(std::lower_bound(kBuckets.begin(), kBuckets.end(), n_rows) -
                                  kBuckets.begin());
}

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

// The primitives of all linears of one type and size.
struct Shape {
  std::size_t index = 0;  // in the maker's list
  memory::desc weights;
  std::array<dnnl::matmul::primitive_desc, kBuckets.size()> descriptions;
  std::array<dnnl::matmul, kBuckets.size()> primitives;

  [[nodiscard]] bool is_reference() const {
    return std::any_of(descriptions.begin(), descriptions.end(), [](const auto& description) {
      return std::string_view(description.impl_info_str()).starts_with("ref");
    });
  }
};

struct ShapeSize {
  bool int8 = false;
  std::uint32_t in = 0;
  std::uint32_t out = 0;

  friend auto operator<=>(const ShapeSize&, const ShapeSize&) = default;
};

Shape make_shape(const dnnl::engine& engine, const ShapeSize& size, const memory::desc& weights) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const memory::dim in = size.in, out = size.out;
  const memory::dim src_stride = size.int8 ? code_stride(size.in) : float_stride(size.in);
  const memory::dim dst_stride = size.int8 ? code_stride(size.out) : float_stride(size.out);
  Shape shape;
  shape.weights = weights;
  // Largest first: with layout `any` it chooses how all buckets see the weights.
  for (std::size_t bucket = kBuckets.size(); bucket-- > 0;) {
    const memory::dim rows = kBuckets[bucket];
    const memory::desc src({rows, in}, size.int8 ? DataType::u8 : DataType::f32, {src_stride, 1});
    const memory::desc dst({rows, out}, size.int8 ? DataType::s32 : DataType::f32, {dst_stride, 1});
    shape.descriptions[bucket] = {engine, src, shape.weights, dst, attributes};
    shape.weights = shape.descriptions[bucket].weights_desc();
    shape.primitives[bucket] = dnnl::matmul(shape.descriptions[bucket]);
  }
  return shape;
}

memory::desc weights_as(const ShapeSize& size, Layout layout) {
  return {{size.in, size.out}, size.int8 ? DataType::s8 : DataType::f32, layout};
}

// The file's own layout where the library is fast with it, else the layout that the library asks
// for. fp32: the library's choice when that is a packed one; its plain gemm packs by itself on
// every call whatever it gets, and is fastest on the file's rows.
Shape best_shape(const dnnl::engine& engine, const ShapeSize& size) {
  const Layout in_file = size.int8 ? Layout::BA16a64b4a : Layout::ba;
  if (size.int8) {
    Shape shape = make_shape(engine, size, weights_as(size, in_file));
    return shape.is_reference() ? make_shape(engine, size, weights_as(size, Layout::any)) : shape;
  }
  Shape shape = make_shape(engine, size, weights_as(size, Layout::any));
  const std::string_view chosen = shape.descriptions.back().impl_info_str();
  return chosen.starts_with("gemm") ? make_shape(engine, size, weights_as(size, in_file)) : shape;
}

// Handles with exchangeable pointers, made once: creating one allocates.
struct Call {
  memory src, weights, dst, scratchpad;
};

class OneDnnScratch final : public LinearScratch {
 public:
  OneDnnScratch(const dnnl::engine& engine, const std::vector<const Shape*>& shapes)
      : stream(engine), calls(shapes.size()) {
    std::size_t scratchpad_bytes = 0, result_bytes = 0;
    for (const Shape* shape : shapes) {
      for (const auto& description : shape->descriptions) {
        scratchpad_bytes = std::max(scratchpad_bytes, description.scratchpad_desc().get_size());
        result_bytes = std::max(result_bytes, description.dst_desc().get_size());
      }
    }
    scratchpad_.resize(scratchpad_bytes / sizeof(Line) + 1);
    result_.resize(result_bytes / sizeof(Line) + 1);
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

  dnnl::stream stream;
  std::vector<std::array<Call, kBuckets.size()>> calls;  // (shapes)

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> scratchpad_;
  std::vector<Line> result_;
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
    const ShapeSize size = {int8_, int8_ ? code_stride(spec.in) : spec.in,
                            int8_ ? code_stride(spec.out) : spec.out};
    // The file's bytes serve as they lie when the library reads that layout.
    weights_ = spec.weight.bytes.data();
    if (shape_->weights != weights_as(size, int8_ ? Layout::BA16a64b4a : Layout::ba)) {
      repack(engine, size, spec);
    }
    if (int8_) {
      scale_ = padded_copy(spec.scale, spec.out);
      correction_ = corrections(spec);
    }
  }

  void run(LinearScratch& scratch, const LinearInput& src, Output output,
           float* dst) const override {
    auto& own = static_cast<OneDnnScratch&>(scratch);
    multiply(own, int8_ ? src.codes : src.x, src.n_rows);
    const std::size_t stride = float_stride(out_);
    for (std::size_t row = 0; row < src.n_rows; ++row) {
      if (int8_) {
        const auto* sums = static_cast<const std::int32_t*>(own.result()) + row * code_stride(out_);
        rows_.finish_sums(sums, correction_.data(), src.token_scale[row], scale_.data(),
                          bias_.data(), out_, output, dst + row * stride);
      } else {
        rows_.finish_floats(static_cast<const float*>(own.result()) + row * stride, bias_.data(),
                            out_, output, dst + row * stride);
      }
    }
  }

 private:
  // 128 * (sum of a channel's weights): what the +128 of the codes adds to its sum.
  static std::vector<std::int32_t> corrections(const format::LinearSpec& spec) {
    std::vector<std::int32_t> sums(code_stride(spec.out));
    const std::span<const std::int8_t> weight = spec.weight.as<std::int8_t>();
    for (std::uint32_t n = 0; n < spec.out; ++n) {
      for (std::uint32_t k = 0; k < spec.in; ++k) {
        sums[n] += 128 * weight[format::panel_index(n, k, spec.in)];
      }
    }
    return sums;
  }

  void repack(const dnnl::engine& engine, const ShapeSize& size, const format::LinearSpec& spec) {
    owned_ = std::make_unique<FileBytes>(
        FileBytes::copy(std::vector<std::byte>(shape_->weights.get_size())));
    auto* packed = const_cast<std::byte*>(owned_->bytes().data());
    std::vector<std::int8_t> plain;
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
  std::vector<float> bias_;
  std::vector<float> scale_;
  std::vector<std::int32_t> correction_;
};

class OneDnnLinears final : public LinearMaker {
 public:
  explicit OneDnnLinears(const RowKernels& rows)
      : rows_(rows), engine_(dnnl::engine::kind::cpu, 0) {}

  std::unique_ptr<Linear> make(const format::LinearSpec& spec) override {
    const OneOpenMpThread one;  // part of what the library compiles for
    const bool int8 = spec.precision == Precision::int8;
    const ShapeSize size = {int8, int8 ? code_stride(spec.in) : spec.in,
                            int8 ? code_stride(spec.out) : spec.out};
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

  CodeLayout code_layout() const noexcept override { return CodeLayout::u8_plus128; }

 private:
  const RowKernels& rows_;
  dnnl::engine engine_;
  std::map<ShapeSize, std::shared_ptr<Shape>> shapes_;
};

}  // namespace

std::unique_ptr<LinearMaker> make_onednn_linears(const RowKernels& rows) {
  return std::make_unique<OneDnnLinears>(rows);
}

bool onednn_int8_is_exact() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx2_vnni:
    case dnnl::cpu_isa::avx2_vnni_2:
    case dnnl::cpu_isa::avx512_core_vnni:
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_fp16:
    case dnnl::cpu_isa::avx512_core_amx:
    case dnnl::cpu_isa::avx512_core_amx_fp16:
      return true;
    default:
      return false;
  }
}

std::string onednn_version() {
  const dnnl::version_t* version = dnnl::version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace espalier::runtime::cpu
