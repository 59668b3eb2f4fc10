// Vectors that begin on a cache line, for 64 bytes that straddle two cost a load or a store twice;
// those of a workspace side by side in the huge pages of its arena.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <vector>

#include "base/huge_pages.hpp"

namespace espalier::runtime::cpu {

inline constexpr std::size_t kLineBytes = 64;

/// Memory that is given back all at once. One thread at a time; outlives its vectors.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// From the start of a cache line on. Throws Error(resource) when memory runs out.
  [[nodiscard]] void* allocate(std::size_t n_bytes);

 private:
  std::vector<MappedBytes> chunks_;
  std::byte* next_ = nullptr;
  std::size_t n_left_ = 0;
};

/// Allocates in an arena, or without one on the heap.
template <typename T>
class LineAllocator {
 public:
  using value_type = T;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  LineAllocator() = default;
  explicit(false) LineAllocator(Arena& arena) noexcept : arena_(&arena) {}
  template <typename U>
  explicit(false) LineAllocator(const LineAllocator<U>& other) noexcept : arena_(other.arena()) {}

  [[nodiscard]] Arena* arena() const noexcept { return arena_; }

  [[nodiscard]] T* allocate(std::size_t n) {
    return static_cast<T*>(arena_ != nullptr
                               ? arena_->allocate(n * sizeof(T))
                               : ::operator new (n * sizeof(T), std::align_val_t{kLineBytes}));
  }
  void deallocate(T* memory, std::size_t) noexcept {
    if (arena_ == nullptr) {
      ::operator delete (memory, std::align_val_t{kLineBytes});
    }
  }
  friend bool operator==(const LineAllocator& a, const LineAllocator& b) noexcept {
    return a.arena_ == b.arena_;
  }

 private:
  Arena* arena_ = nullptr;
};

template <typename T>
using LineVector = std::vector<T, LineAllocator<T>>;

}  // namespace espalier::runtime::cpu
