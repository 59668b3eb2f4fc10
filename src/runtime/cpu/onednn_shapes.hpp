// oneDNN's matmuls for the sizes of a model's linears. Sizes are fixed at load: a matmul with a
// run-time number of rows falls back to slow kernels, so rows are rounded up to one of a few
// buckets. For onednn_linears.cpp only; no other file sees the library's headers.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>

#include "format/spec.hpp"
#include "runtime/cpu/linear.hpp"

namespace espalier::runtime::cpu {

inline constexpr std::array<std::uint32_t, 7> kBuckets = {1, 8, 16, 24, 32, 40, kChunkRows};

/// Index of the smallest bucket that holds n_rows <= kChunkRows.
[[nodiscard]] std::size_t bucket_of(std::uint32_t n_rows);

struct ShapeSize {
  Precision precision = Precision::fp32;
  std::uint32_t in = 0;  // int8: as padded in the file
  std::uint32_t out = 0;

  friend auto operator<=>(const ShapeSize&, const ShapeSize&) = default;
};

[[nodiscard]] ShapeSize size_of(const format::LinearSpec& spec);

/// The primitives of all linears of one precision and size.
struct Shape {
  ShapeSize size;
  std::size_t index = 0;       // in the maker's list
  dnnl::memory::desc weights;  // the layout that all buckets read
  std::array<dnnl::matmul::primitive_desc, kBuckets.size()> descriptions;
  std::array<dnnl::matmul, kBuckets.size()> primitives;

  /// Whether the library has nothing faster than plain loops for some bucket.
  [[nodiscard]] bool is_reference() const;
};

/// Weights (in, out) of this size in a layout, and the layout that the file has them in.
[[nodiscard]] dnnl::memory::desc weights_as(const ShapeSize& size, dnnl::memory::format_tag layout);
[[nodiscard]] dnnl::memory::format_tag layout_in_file(Precision precision);

/// Generates the matmuls. The weights keep the file's own layout where the library is fast with it.
[[nodiscard]] Shape best_shape(const dnnl::engine& engine, const ShapeSize& size);

}  // namespace espalier::runtime::cpu
