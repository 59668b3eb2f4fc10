#include "measure/process.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <vector>

namespace espalier::measure {
namespace {

TEST(PeakMemory, GrowsByWhatIsTouched) {
  if (!std::filesystem::exists("/proc/self/status")) GTEST_SKIP() << "needs /proc";
  constexpr std::size_t kBytes = std::size_t{96} << 20;
  const std::size_t before = peak_resident_bytes().value();

  std::vector<char> memory(kBytes);
  std::memset(memory.data(), 1, memory.size());

  EXPECT_EQ(memory[kBytes / 2], 1);
  EXPECT_GT(before, std::size_t{1} << 20);
  // The peak before may lie above what was held just then, by what start-up freed again.
  EXPECT_GE(peak_resident_bytes().value(), before + kBytes / 2);
}

}  // namespace
}  // namespace espalier::measure
