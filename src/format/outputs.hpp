// Some of a linear's outputs as a linear of its own, views of the same bytes. For back ends that
// compute them apart.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "format/panels.hpp"
#include "format/spec.hpp"

namespace espalier::format {

/// Outputs [begin, end) of `linear`. begin and end: multiples of kPanelColumns, or the number of
/// outputs.
[[nodiscard]] inline LinearSpec outputs_of(const LinearSpec& linear, std::uint32_t begin,
                                           std::uint32_t end) noexcept {
  assert(begin <= end && end <= linear.out);
  assert(begin % kPanelColumns == 0 && (end % kPanelColumns == 0 || end == linear.out));
  LinearSpec part = linear;
  part.out = end - begin;
  const auto take = [&](Tensor& tensor, std::size_t first_byte, std::size_t n_bytes) {
    if (!tensor.empty()) tensor.bytes = tensor.bytes.subspan(first_byte, n_bytes);
  };
  const auto take_rows = [&](Tensor& tensor) {
    const std::size_t row = row_bytes(tensor.type, tensor.cols);
    tensor.rows = part.out;
    take(tensor, begin * row, part.out * row);
  };
  const auto take_columns = [&](Tensor& tensor) {
    tensor.cols = part.out;
    take(tensor, begin * sizeof(float), part.out * sizeof(float));
  };
  if (linear.weight.type == ElementType::s8) {
    part.weight.rows = part.out;
    take(part.weight, panel_bytes(begin, linear.in), panel_bytes(part.out, linear.in));
  } else {
    take_rows(part.weight);
  }
  take_rows(part.multiplier);
  take_columns(part.scale);
  take_columns(part.bias);
  return part;
}

}  // namespace espalier::format
