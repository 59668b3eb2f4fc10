// The instruction set is lowered by its variable and never raised; processors are those allowed.
#include "base/cpu_info.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "espalier/error.hpp"

namespace espalier {
namespace {

using ::testing::HasSubstr;

constexpr const char* kVariable = "ESPALIER_MAX_ISA";
constexpr Isa kAll[] = {Isa::baseline, Isa::avx2, Isa::avx2_vnni, Isa::avx512_vnni, Isa::amx};

class CpuInfo : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv(kVariable)) before_ = value;
  }
  void TearDown() override {
    if (before_) {
      ::setenv(kVariable, before_->c_str(), 1);
    } else {
      ::unsetenv(kVariable);
    }
  }

  static Isa usable_with(std::string_view value) {
    ::setenv(kVariable, std::string(value).c_str(), 1);
    return usable_isa();
  }

 private:
  std::optional<std::string> before_;
};

TEST_F(CpuInfo, GivesEveryInstructionSetANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Isa isa : kAll) names.insert(isa_name(isa));

  EXPECT_EQ(names.size(), std::size(kAll));
  EXPECT_EQ(names.count("unknown"), 0U);
}

TEST_F(CpuInfo, LowersTheInstructionSetAndNeverRaisesIt) {
  for (const Isa isa : kAll) {
    EXPECT_EQ(usable_with(isa_name(isa)), std::min(isa, detected_isa())) << isa_name(isa);
  }
}

TEST_F(CpuInfo, UsesWhatIsThereWithoutALimit) {
  EXPECT_EQ(usable_with(""), detected_isa());
  ::unsetenv(kVariable);
  EXPECT_EQ(usable_isa(), detected_isa());
}

TEST_F(CpuInfo, RefusesAnUnknownLimitAndListsTheKnownOnes) {
  for (const std::string_view value : {"sse9", "AVX2", "avx2 ", "avx", "\x1b[2J"}) {
    try {
      (void)usable_with(value);
      ADD_FAILURE() << value;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      EXPECT_THAT(error.what(), HasSubstr("baseline, avx2, avx2_vnni, avx512_vnni, amx"));
      EXPECT_EQ(std::string_view(error.what()).find('\x1b'), std::string_view::npos);
    }
  }
}

TEST_F(CpuInfo, NamesTheProcessor) {
  EXPECT_NE(cpu_name(), "");
}

TEST_F(CpuInfo, CountsTheProcessorsThatAffinityLeaves) {
  cpu_set_t before;
  if (::sched_getaffinity(0, sizeof before, &before) != 0) {
    GTEST_SKIP() << "needs a machine of at most 1024 processors";
  }
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  unsigned n_wanted = 0;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    CPU_SET(cpu, &wanted);
    ++n_wanted;
    ASSERT_EQ(::sched_setaffinity(0, sizeof wanted, &wanted), 0);
    EXPECT_EQ(usable_cpus(), n_wanted);
  }

  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(usable_cpus(), 1U);
}

}  // namespace
}  // namespace espalier
