// Replaces operator new and delete in the whole program, on every thread, by ones that count and
// fail when told to. Included by one file of a program (a replacement cannot be inline); not under
// sanitizers, which replace them too.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace espalier::testing {

inline std::atomic<std::size_t> n_allocations{0};    // ever made
inline std::atomic<long> n_live{0};                  // not yet freed
inline std::atomic<std::int64_t> held{0};            // their bytes, as malloc rounds them
inline std::atomic<std::int64_t> most_held{0};       // set it to `held` to begin anew
inline std::atomic<long> allocations_until_bad{-1};  // then one throws; below 0: none does

inline void* allocate_counted(std::size_t n_bytes, std::size_t alignment) {
  if (allocations_until_bad >= 0 && allocations_until_bad-- == 0) throw std::bad_alloc();
  const std::size_t rounded = (n_bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  ++n_allocations;
  ++n_live;
  const auto size = static_cast<std::int64_t>(malloc_usable_size(memory));
  const std::int64_t now = held.fetch_add(size) + size;
  std::int64_t most = most_held;
  while (most < now && !most_held.compare_exchange_weak(most, now)) {
  }
  return memory;
}

inline void free_counted(void* memory) noexcept {
  if (memory == nullptr) return;
  --n_live;
  held -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace espalier::testing

// The array and nothrow forms call these. Not inlined: GCC would see free() beside a `new` and warn
// of a mismatch.
[[gnu::noinline]] void* operator new(std::size_t n_bytes) {
  return espalier::testing::allocate_counted(n_bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t n_bytes, std::align_val_t alignment) {
  return espalier::testing::allocate_counted(n_bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  espalier::testing::free_counted(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  espalier::testing::free_counted(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  espalier::testing::free_counted(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  espalier::testing::free_counted(memory);
}
