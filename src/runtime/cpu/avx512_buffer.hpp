// Scratch memory that begins on a cache line: a vector of 64 bytes that straddles two costs twice.
#pragma once

#include <cstddef>
#include <vector>

namespace espalier::runtime::cpu {

/// A fixed number of zeroed elements of a trivial type, 64-byte aligned.
template <typename T>
class LineBuffer {
 public:
  LineBuffer() = default;
  explicit LineBuffer(std::size_t size) : lines_((size * sizeof(T) + 63) / 64) {}

  [[nodiscard]] T* data() noexcept { return reinterpret_cast<T*>(lines_.data()); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> lines_;
};

}  // namespace espalier::runtime::cpu
