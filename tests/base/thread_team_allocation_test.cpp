// Counts calls of operator new: a job is handed to the members without one.
#include <gtest/gtest.h>

#include <functional>

#include "base/thread_team.hpp"
#include "tests/support/counted_new.hpp"

namespace espalier {
namespace {

using testing::n_allocations;

TEST(ThreadTeamAllocation, IsCountedOnEveryThread) {
  ThreadTeam team(3);
  const std::function<void(unsigned)> job = [](unsigned) { ::operator delete(::operator new(8)); };
  const std::size_t before = n_allocations;

  team.run(job);

  EXPECT_EQ(n_allocations, before + 3);
}

TEST(ThreadTeamAllocation, IsNotNeededToRun) {
  for (unsigned size = 1; size <= 3; ++size) {
    ThreadTeam team(size);
    const std::function<void(unsigned)> job = [&](unsigned) { team.meet(); };
    const std::size_t before = n_allocations;

    for (int round = 0; round < 100; ++round) team.run(job);

    EXPECT_EQ(n_allocations, before);
  }
}

}  // namespace
}  // namespace espalier
