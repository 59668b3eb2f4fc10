#include "runtime/cpu/onednn_shapes.hpp"

#include <algorithm>
#include <string_view>

namespace espalier::runtime::cpu {
namespace {

using dnnl::memory;
using DataType = memory::data_type;
using Layout = memory::format_tag;

struct Types {
  DataType src, weights, dst;
};

Types types_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return {DataType::f32, DataType::f32, DataType::f32};
    case Precision::int8:
      return {DataType::u8, DataType::s8, DataType::s32};
    case Precision::bf16:
      return {DataType::bf16, DataType::bf16, DataType::f32};
  }
  return {DataType::undef, DataType::undef, DataType::undef};
}

Shape make_shape(const dnnl::engine& engine, const ShapeSize& size, const memory::desc& weights) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const memory::dim in = size.in, out = size.out;
  const bool int8 = size.precision == Precision::int8;
  const Types types = types_of(size.precision);
  const memory::dim src_stride = int8 ? code_stride(size.in) : float_stride(size.in);
  const memory::dim dst_stride = int8 ? code_stride(size.out) : float_stride(size.out);
  Shape shape;
  shape.size = size;
  shape.weights = weights;
  // Largest first: with layout `any` it chooses how all buckets see the weights.
  for (std::size_t bucket = kBuckets.size(); bucket-- > 0;) {
    const memory::dim rows = kBuckets[bucket];
    const memory::desc src({rows, in}, types.src, {src_stride, 1});
    const memory::desc dst({rows, out}, types.dst, {dst_stride, 1});
    shape.descriptions[bucket] = {engine, src, shape.weights, dst, attributes};
    shape.weights = shape.descriptions[bucket].weights_desc();
    shape.primitives[bucket] = dnnl::matmul(shape.descriptions[bucket]);
  }
  return shape;
}

}  // namespace

std::size_t bucket_of(std::uint32_t n_rows) {
  return static_cast<std::size_t>(std::lower_bound(kBuckets.begin(), kBuckets.end(), n_rows) -
                                  kBuckets.begin());
}

ShapeSize size_of(const format::LinearSpec& spec) {
  const bool int8 = spec.precision == Precision::int8;
  return {spec.precision, int8 ? code_stride(spec.in) : spec.in,
          int8 ? code_stride(spec.out) : spec.out};
}

bool Shape::is_reference() const {
  return std::any_of(descriptions.begin(), descriptions.end(), [](const auto& description) {
    return std::string_view(description.impl_info_str()).starts_with("ref");
  });
}

memory::desc weights_as(const ShapeSize& size, Layout layout) {
  return {{size.in, size.out}, types_of(size.precision).weights, layout};
}

Layout layout_in_file(Precision precision) {
  return precision == Precision::int8 ? Layout::BA16a64b4a : Layout::ba;
}

// Int8: the layout that the library asks for only where it has plain loops alone for the file's.
// Floats: the library's choice when that is a packed one; its plain gemm packs by itself on every
// call whatever it gets, and is fastest on the file's rows.
Shape best_shape(const dnnl::engine& engine, const ShapeSize& size) {
  const Layout in_file = layout_in_file(size.precision);
  if (size.precision == Precision::int8) {
    Shape shape = make_shape(engine, size, weights_as(size, in_file));
    return shape.is_reference() ? make_shape(engine, size, weights_as(size, Layout::any)) : shape;
  }
  Shape shape = make_shape(engine, size, weights_as(size, Layout::any));
  const std::string_view chosen = shape.descriptions.back().impl_info_str();
  return chosen.starts_with("gemm") ? make_shape(engine, size, weights_as(size, in_file)) : shape;
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

bool onednn_has_bf16() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_fp16:
    case dnnl::cpu_isa::avx512_core_amx:
    case dnnl::cpu_isa::avx512_core_amx_fp16:
      break;
    default:
      return false;
  }
  // A build of the library may still have plain loops alone for the type, at whatever size.
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return !best_shape(engine, {Precision::bf16, 64, 64}).is_reference();
}

}  // namespace espalier::runtime::cpu
