// Counts calls of operator new: a job is handed to the members without one.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

#include "base/thread_team.hpp"

namespace {

std::atomic<int> n_allocations{0};

}  // namespace

// Not inlined: GCC would see free() beside a `new` and warn of a mismatch.
[[gnu::noinline]] void* operator new(std::size_t n_bytes) {
  n_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* data = std::malloc(n_bytes)) return data;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* data) noexcept {
  std::free(data);
}
[[gnu::noinline]] void operator delete(void* data, std::size_t) noexcept {
  std::free(data);
}

namespace espalier {
namespace {

TEST(ThreadTeamAllocation, IsCountedOnEveryThread) {
  ThreadTeam team(3);
  const std::function<void(unsigned)> job = [](unsigned) { ::operator delete(::operator new(8)); };
  const int before = n_allocations.load();

  team.run(job);

  EXPECT_EQ(n_allocations.load(), before + 3);
}

TEST(ThreadTeamAllocation, IsNotNeededToRun) {
  for (unsigned size = 1; size <= 3; ++size) {
    ThreadTeam team(size);
    const std::function<void(unsigned)> job = [&](unsigned) { team.meet(); };
    const int before = n_allocations.load();

    for (int round = 0; round < 100; ++round) team.run(job);

    EXPECT_EQ(n_allocations.load(), before);
  }
}

}  // namespace
}  // namespace espalier
