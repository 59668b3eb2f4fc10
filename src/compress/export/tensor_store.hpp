// Owns the tensors of a ModelSpec while it is built and written; the spec only views them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "format/spec.hpp"

namespace espalier::compress {

/// Hands out tensors whose bytes keep their address for the life of the store, also when it moves.
class TensorStore {
 public:
  /// A tensor of zeros together with the bytes to fill it through.
  struct Fresh {
    format::Tensor tensor;
    std::span<std::byte> bytes;

    /// The elements, when the tensor's type is the one T stands for.
    template <typename T>
    [[nodiscard]] std::span<T> as() const noexcept {
      return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
    }
  };

  /// rows * cols elements of `type`, 64-byte aligned. Throws Error(resource) when memory runs out.
  [[nodiscard]] Fresh tensor(format::ElementType type, std::uint32_t rows, std::uint32_t cols);

  /// The same with `n_bytes` bytes for a (rows, cols) tensor that lies padded, as int8 panels do.
  [[nodiscard]] Fresh padded(format::ElementType type, std::uint32_t rows, std::uint32_t cols,
                             std::size_t n_bytes);

  /// Frees the memory of a tensor of this store, which nothing may view any more; `tensor` becomes
  /// empty.
  void release(format::Tensor& tensor) noexcept;

 private:
  struct Free {
    void operator()(std::byte* bytes) const noexcept;
  };
  std::vector<std::unique_ptr<std::byte, Free>> blocks_;
};

}  // namespace espalier::compress
