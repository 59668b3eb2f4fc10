#include "measure/machine.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/support/temporary_folder.hpp"

namespace espalier::measure {
namespace {

/// /proc and /sys of a machine that a test makes up.
class Machine : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) {
    const std::filesystem::path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }

  [[nodiscard]] MachineRoots roots() const {
    return {folder_.path() / "proc", folder_.path() / "sys"};
  }

 private:
  espalier::testing::TemporaryFolder folder_;
};

TEST_F(Machine, HasNoFiguresWhereNothingCanBeRead) {
  EXPECT_FALSE(cpu_quota(roots()));
  EXPECT_FALSE(load_average(roots()));
  EXPECT_FALSE(clock_governor(roots()));
  EXPECT_FALSE(clock_limit(roots()));
  EXPECT_FALSE(machine_ticks(roots()));
}

TEST_F(Machine, AllowsTheLeastOfAllGroupsAbove) {
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  write("sys/fs/cgroup/cpu.max", "400000 100000\n");

  EXPECT_EQ(cpu_quota(roots()), 1.5);
}

TEST_F(Machine, FindsTheLimitOfAContainerThatSeesItsGroupAsTheRoot) {
  write("proc/self/cgroup", "0::/outside/name\n");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");

  EXPECT_EQ(cpu_quota(roots()), 0.5);
}

TEST_F(Machine, ReadsGroupsOfVersionOne) {
  write("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/job\n");
  write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "300000\n");
  write("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");

  EXPECT_EQ(cpu_quota(roots()), 3.0);
}

TEST_F(Machine, HasNoQuotaWithoutALimit) {
  write("proc/self/cgroup", "0::/\n3:cpuset:/\n");
  write("sys/fs/cgroup/cpu.max", "max 100000\n");

  EXPECT_FALSE(cpu_quota(roots()));
}

TEST_F(Machine, SaysItsLoadAndWhatHoldsItsClock) {
  write("proc/loadavg", "3.25 1.00 0.50 1/200 4711\n");
  write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  for (const char* cpu : {"cpu0", "cpu1"}) {
    const std::string folder = std::string("sys/devices/system/cpu/") + cpu + "/cpufreq/";
    write(folder + "cpuinfo_max_freq", "4000000\n");
    write(folder + "scaling_max_freq", cpu == std::string("cpu1") ? "1000000\n" : "4000000\n");
  }

  EXPECT_EQ(load_average(roots()), 3.25);
  EXPECT_EQ(clock_governor(roots()), "powersave");
  EXPECT_EQ(clock_limit(roots()), 0.25);
}

TEST_F(Machine, CountsTicksOfAllProcessorsTogether) {
  write("proc/stat", "cpu  10 1 5 100 7 2 3 40 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n");

  const MachineTicks ticks = machine_ticks(roots()).value();

  EXPECT_EQ(ticks.busy, 10U + 1 + 5 + 2 + 3);
  EXPECT_EQ(ticks.idle, 107U);
  EXPECT_EQ(ticks.steal, 40U);
}

TEST_F(Machine, RefusesTicksThatAreCutOff) {
  write("proc/stat", "cpu  10 1 5\n");

  EXPECT_FALSE(machine_ticks(roots()));
}

TEST(StealShare, IsOfTheTimeThatWasWanted) {
  EXPECT_EQ(steal_share({.busy = 100, .idle = 5, .steal = 10}, {130, 500, 20}), 0.25);
  EXPECT_EQ(steal_share({.busy = 100, .idle = 5, .steal = 10}, {130, 500, 10}), 0);
  EXPECT_EQ(steal_share({.busy = 100, .idle = 5, .steal = 10}, {90, 500, 20}), 0);
}

}  // namespace
}  // namespace espalier::measure
