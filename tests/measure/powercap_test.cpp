#include "measure/powercap.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "espalier/error.hpp"
#include "tests/measure/fake_powercap.hpp"

namespace espalier::measure {
namespace {

using espalier::testing::FakePowercap;
using espalier::testing::kRangeUj;
using espalier::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> names_of(const CounterSet& set) {
  std::vector<std::string> names;
  for (const EnergyCounter& counter : set.counters) names.push_back(counter.name);
  return names;
}

/// Nobody's rights for as long as it lives, when the tests run as root, whom no mode keeps out.
class WithoutRootRights {
 public:
  WithoutRootRights() : changed_(::geteuid() == 0 && ::seteuid(kNobody) == 0) {}
  WithoutRootRights(const WithoutRootRights&) = delete;
  WithoutRootRights& operator=(const WithoutRootRights&) = delete;
  ~WithoutRootRights() {
    if (changed_ && ::seteuid(0) != 0) std::abort();  // later tests would fail for no reason
  }

 private:
  static constexpr uid_t kNobody = 65534;
  bool changed_;
};

TEST(Powercap, ReadsTheCounterOfAPackageInMicrojoules) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 12'345);

  const CounterSet set = open_powercap(tree.root());

  ASSERT_THAT(names_of(set), ElementsAre("package-0"));
  EXPECT_EQ(set.counters[0].read(), 12'345U);
  EXPECT_EQ(set.counters[0].range, kRangeUj);
  EXPECT_EQ(set.counters[0].joules_per_count, 1e-6);
  EXPECT_THAT(set.source, HasSubstr("RAPL package-0"));
  EXPECT_THAT(set.reason, IsEmpty());
}

TEST(Powercap, CountsPackagesAndNothingInsideOrAroundThem) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 1);
  tree.add_zone("intel-rapl:0:0", "core", 2);
  tree.add_zone("intel-rapl:0:1", "uncore", 3);
  tree.add_zone("intel-rapl:0:2", "dram", 4);
  tree.add_zone("intel-rapl:0/intel-rapl:0:0", "core", 2);
  tree.add_zone("intel-rapl:0:3", "package-7", 5);
  tree.add_zone("intel-rapl:1", "psys", 6);
  tree.add_zone("intel-rapl:2", "dram", 7);
  tree.add_zone("dtpm:0", "package-8", 8);
  std::filesystem::create_directories(tree.root() / "intel-rapl");

  EXPECT_THAT(names_of(open_powercap(tree.root())), ElementsAre("package-0"));
}

TEST(Powercap, CountsEveryPackageAndDie) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0-die-0", 1);
  tree.add_zone("intel-rapl:1", "package-0-die-1", 2);
  tree.add_zone("intel-rapl:2", "package-1", 3);

  EXPECT_THAT(names_of(open_powercap(tree.root())),
              ElementsAre("package-0-die-0", "package-0-die-1", "package-1"));
}

TEST(Powercap, CountsAPackageOnceThatIsShownTwice) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 111);
  tree.add_zone("intel-rapl-mmio:0", "package-0", 222);

  const CounterSet set = open_powercap(tree.root());

  ASSERT_THAT(names_of(set), ElementsAre("package-0"));
  EXPECT_EQ(set.counters[0].read(), 222U);
}

TEST(Powercap, TakesTheOtherViewOfAPackageWhenOneCannotBeRead) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 111);
  tree.add_zone("intel-rapl-mmio:0", "package-0", 222);
  std::filesystem::remove(tree.energy_file("intel-rapl-mmio:0"));

  const CounterSet set = open_powercap(tree.root());

  ASSERT_THAT(names_of(set), ElementsAre("package-0"));
  EXPECT_EQ(set.counters[0].read(), 111U);
}

TEST(Powercap, GivesNoSumThatLacksAPackage) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 1);
  tree.add_zone("intel-rapl:1", "package-1", 2);
  std::filesystem::remove(tree.energy_file("intel-rapl:1"));

  const CounterSet set = open_powercap(tree.root());

  EXPECT_THAT(set.counters, IsEmpty());
  EXPECT_THAT(set.reason, HasSubstr("intel-rapl:1/energy_uj' cannot be read: it is not there"));
}

TEST(Powercap, NamesTheRemedyWhereOnlyRootMayRead) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 1);
  std::filesystem::permissions(tree.root(), std::filesystem::perms{0755});
  std::filesystem::permissions(tree.energy_file("intel-rapl:0"), std::filesystem::perms::none);

  const WithoutRootRights rights;
  if (::access(tree.energy_file("intel-rapl:0").c_str(), F_OK) != 0) {
    GTEST_SKIP() << "the temporary folder lies where nobody else may look";
  }
  if (::geteuid() == 0) GTEST_SKIP() << "root reads every file and cannot step down here";
  const CounterSet set = open_powercap(tree.root());

  EXPECT_THAT(set.counters, IsEmpty());
  EXPECT_THAT(set.reason, HasSubstr("run as root, or open it to all users"));
  EXPECT_THAT(set.reason,
              HasSubstr("sudo chmod a+r '" + tree.root().string() + "'/intel-rapl*/energy_uj"));
}

TEST(Powercap, SaysWhatIsNeededWhereThereAreNoCounters) {
  const FakePowercap tree;

  const CounterSet none = open_powercap(tree.root());
  const CounterSet missing = open_powercap(tree.root() / "nope");
  tree.add_zone("intel-rapl:0", "psys", 1);
  const CounterSet board_only = open_powercap(tree.root());

  for (const CounterSet& set : {none, missing, board_only}) {
    EXPECT_THAT(set.counters, IsEmpty());
    EXPECT_THAT(set.reason, HasSubstr("intel_rapl_msr"));
  }
  EXPECT_THAT(missing.reason, HasSubstr("nope' cannot be read: it is not there"));
}

TEST(Powercap, RefusesWhatIsNoCount) {
  for (const char* content : {"", "\n", "abc\n", "-5\n", "12 34\n", "0x10\n", "1.5\n",
                              "99999999999999999999999999\n", "12\x1b[31m\n"}) {
    SCOPED_TRACE(content);
    const FakePowercap tree;
    tree.add_zone("intel-rapl:0", "package-0", 1);
    write_file(tree.energy_file("intel-rapl:0"), content);

    const CounterSet set = open_powercap(tree.root());

    EXPECT_THAT(set.counters, IsEmpty());
    EXPECT_THAT(set.reason, HasSubstr("which is no count of microjoules"));
    EXPECT_EQ(set.reason.find('\x1b'), std::string::npos);
  }
}

TEST(Powercap, RefusesACounterWhoseRangeIsNotKnown) {
  for (const char* content : {"0\n", "many\n"}) {
    SCOPED_TRACE(content);
    const FakePowercap tree;
    tree.add_zone("intel-rapl:0", "package-0", 1);
    write_file(tree.root() / "intel-rapl:0" / "max_energy_range_uj", content);

    const CounterSet set = open_powercap(tree.root());

    EXPECT_THAT(set.counters, IsEmpty());
    EXPECT_THAT(set.reason, HasSubstr("max_energy_range_uj"));
  }
}

TEST(Powercap, SaysWhenACounterDisappears) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 1);
  const CounterSet set = open_powercap(tree.root());
  ASSERT_EQ(set.counters.size(), 1U);

  std::filesystem::remove_all(tree.root() / "intel-rapl:0");

  EXPECT_THROW(static_cast<void>(set.counters[0].read()), Error);
}

}  // namespace
}  // namespace espalier::measure
