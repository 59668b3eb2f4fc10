#include "compress/checkpoint/strided.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

[[noreturn]] void fail_size() {
  throw Error(ErrorCode::bad_input, "has a shape or strides whose product overflows 64 bits");
}

std::uint64_t times(std::uint64_t left, std::uint64_t right) {
  if (right != 0 && left > kMax / right) fail_size();
  return left * right;
}

std::uint64_t plus(std::uint64_t left, std::uint64_t right) {
  if (left > kMax - right) fail_size();
  return left + right;
}

struct Axis {
  std::uint64_t size;
  std::uint64_t stride;
  std::uint64_t index = 0;
};

// Copies a row of the last axis at a time; `kBytes` is the size of an element.
template <std::size_t kBytes>
void copy_rows(std::vector<Axis>& axes, const std::byte* src, std::span<std::byte> dst, bool swap) {
  const Axis row = axes.back();
  std::uint64_t place = 0;
  for (std::size_t begin = 0; begin < dst.size(); begin += row.size * kBytes) {
    for (std::uint64_t element = 0; element < row.size; ++element) {
      std::byte* to = dst.data() + begin + element * kBytes;
      std::memcpy(to, src + (place + element * row.stride) * kBytes, kBytes);
      if (swap) std::reverse(to, to + kBytes);
    }
    // The last but one axis turns fastest; one at its end goes back to 0 and turns the one before.
    for (auto axis = axes.rbegin() + 1; axis != axes.rend(); ++axis) {
      place += axis->stride;
      if (++axis->index < axis->size) break;
      place -= axis->stride * axis->size;
      axis->index = 0;
    }
  }
}

}  // namespace

std::uint64_t count_within(const StridedShape& tensor, std::uint64_t n_elements) {
  // Multiplied with no shortcut for a zero, so that a product that wraps cannot pass for empty.
  std::uint64_t count = 1;
  for (const std::uint64_t size : tensor.shape) count = times(count, size);
  std::uint64_t end = tensor.offset;
  if (count != 0) {
    for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
      end = plus(end, times(tensor.shape[axis] - 1, tensor.strides[axis]));
    }
    end = plus(end, 1);
  }
  if (end > n_elements) {
    throw Error(ErrorCode::bad_input, "reaches to element " + std::to_string(end) +
                                          " of its storage, which has " +
                                          std::to_string(n_elements));
  }
  return count;
}

bool is_row_major(const StridedShape& tensor) noexcept {
  std::uint64_t expected = 1;  // cannot overflow once count_within has passed, unless it is empty
  for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] == 0) return true;
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != expected) return false;
    expected *= tensor.shape[axis];
  }
  return true;
}

std::vector<std::byte> copy_row_major(const StridedShape& tensor,
                                      std::span<const std::byte> storage, std::size_t element_bytes,
                                      bool swap) {
  std::vector<Axis> axes = {{.size = 1, .stride = 0}};  // so that a scalar is a row, too
  std::uint64_t count = 1;
  for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    count *= tensor.shape[axis];
    // Without axes of one element a row ends in one step, or two on average.
    if (tensor.shape[axis] != 1) axes.push_back({tensor.shape[axis], tensor.strides[axis]});
  }
  std::vector<std::byte> copy(count * element_bytes);
  if (copy.empty()) return copy;
  const std::byte* src = storage.data() + tensor.offset * element_bytes;
  switch (element_bytes) {
    case 1:
      copy_rows<1>(axes, src, copy, swap);
      break;
    case 2:
      copy_rows<2>(axes, src, copy, swap);
      break;
    case 4:
      copy_rows<4>(axes, src, copy, swap);
      break;
    case 8:
      copy_rows<8>(axes, src, copy, swap);
      break;
    default:
      throw Error(ErrorCode::failed, "elements of " + std::to_string(element_bytes) + " bytes");
  }
  return copy;
}

}  // namespace espalier::checkpoint
