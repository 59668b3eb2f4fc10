// Elements of a storage in the order that a tensor's strides give them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace espalier::checkpoint {

/// Element (i, j, ...) is number offset + i * strides[0] + j * strides[1] + ... of a storage.
struct StridedShape {
  std::uint64_t offset = 0;
  std::span<const std::uint64_t> shape;
  std::span<const std::uint64_t> strides;  // as many
};

/// Number of elements. Throws Error(bad_input) when it does not fit into 64 bits, or when an
/// element lies past the first `n_elements` of the storage.
[[nodiscard]] std::uint64_t count_within(const StridedShape& tensor, std::uint64_t n_elements);

/// Whether the elements lie one after the other, row-major.
[[nodiscard]] bool is_row_major(const StridedShape& tensor) noexcept;

/// Copies the elements, of `element_bytes` (1, 2, 4 or 8) each, out of `storage` row-major; with
/// `swap`, the bytes of each in reverse. count_within must have passed.
[[nodiscard]] std::vector<std::byte> copy_row_major(const StridedShape& tensor,
                                                    std::span<const std::byte> storage,
                                                    std::size_t element_bytes, bool swap);

}  // namespace espalier::checkpoint
