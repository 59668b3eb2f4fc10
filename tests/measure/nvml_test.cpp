#include "measure/nvml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "espalier/error.hpp"
#include "tests/measure/fake_nvml.hpp"

namespace espalier::measure {
namespace {

using espalier::testing::FakeNvmlLibrary;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kNotSupported = 3;
constexpr int kDriverNotLoaded = 9;
constexpr int kGpuIsLost = 15;

TEST(Nvml, ReadsTheCounterOfEveryGpuInMillijoules) {
  const FakeNvmlLibrary fake(ESPALIER_FAKE_NVML);
  fake->n_gpus = 2;
  fake->gpus[0].millijoules = 4'000;
  fake->gpus[1].millijoules = 1ULL << 40;

  const CounterSet set = open_nvml(ESPALIER_FAKE_NVML);

  ASSERT_THAT(set.counters, SizeIs(2));
  EXPECT_EQ(set.counters[0].read(), 4'000U);
  EXPECT_EQ(set.counters[1].read(), 1ULL << 40);
  EXPECT_EQ(set.counters[0].joules_per_count, 1e-3);
  EXPECT_EQ(set.counters[0].range, 0U);
  EXPECT_THAT(set.source, HasSubstr("NVML GPU 0 + GPU 1"));
  EXPECT_THAT(set.reason, IsEmpty());
}

TEST(Nvml, StaysOpenAsLongAsACounterLivesAndNoLonger) {
  const FakeNvmlLibrary fake(ESPALIER_FAKE_NVML);
  fake->n_gpus = 1;

  CounterSet set = open_nvml(ESPALIER_FAKE_NVML);
  const int n_open_with_counter = fake->n_open;
  set.counters.clear();

  EXPECT_EQ(n_open_with_counter, 1);
  EXPECT_EQ(fake->n_open, 0);
}

TEST(Nvml, LeavesOutAGpuWithoutACounterAndSaysSo) {
  const FakeNvmlLibrary fake(ESPALIER_FAKE_NVML);
  fake->n_gpus = 2;
  fake->gpus[0].energy_result = kNotSupported;

  const CounterSet set = open_nvml(ESPALIER_FAKE_NVML);

  ASSERT_THAT(set.counters, SizeIs(1));
  EXPECT_EQ(set.counters[0].name, "GPU 1");
  EXPECT_THAT(set.source, HasSubstr("NVML GPU 1:"));
  EXPECT_THAT(set.reason, HasSubstr("left out: the energy counter of GPU 0"));
  EXPECT_THAT(set.reason, HasSubstr("before Volta"));
}

TEST(Nvml, SaysWhyNoGpuCanBeRead) {
  const FakeNvmlLibrary fake(ESPALIER_FAKE_NVML);
  const CounterSet no_gpu = open_nvml(ESPALIER_FAKE_NVML);
  fake->n_gpus = 1;
  fake->gpus[0].handle_result = kGpuIsLost;
  const CounterSet lost = open_nvml(ESPALIER_FAKE_NVML);
  fake->count_result = kGpuIsLost;
  const CounterSet uncounted = open_nvml(ESPALIER_FAKE_NVML);
  fake->init_result = kDriverNotLoaded;
  const CounterSet no_driver = open_nvml(ESPALIER_FAKE_NVML);

  for (const CounterSet& set : {no_gpu, lost, uncounted, no_driver}) {
    EXPECT_THAT(set.counters, IsEmpty());
  }
  EXPECT_THAT(no_gpu.reason, HasSubstr("shows no GPU"));
  EXPECT_THAT(lost.reason, HasSubstr("GPU 0 cannot be read: 'GPU is lost' (NVML error 15)"));
  EXPECT_THAT(uncounted.reason, HasSubstr("the NVIDIA driver cannot be read: 'GPU is lost'"));
  EXPECT_THAT(no_driver.reason,
              HasSubstr("'Driver Not Loaded' (NVML error 9); see what nvidia-smi"));
  EXPECT_EQ(fake->n_open, 0);
}

TEST(Nvml, SaysThatTheLibraryIsMissing) {
  const CounterSet set = open_nvml("libno-such-nvml.so.1");

  EXPECT_THAT(set.counters, IsEmpty());
  EXPECT_THAT(set.reason, HasSubstr("no NVIDIA driver: 'libno-such-nvml.so.1"));
  EXPECT_THAT(set.reason, HasSubstr("install its driver"));
}

TEST(Nvml, RefusesALibraryWithoutItsFunctions) {
  const CounterSet set = open_nvml("libm.so.6");

  EXPECT_THAT(set.counters, IsEmpty());
  EXPECT_THAT(set.reason, HasSubstr("has no nvmlInit_v2"));
}

TEST(Nvml, OpensNothingWithoutAName) {
  const CounterSet set = open_nvml("");

  EXPECT_THAT(set.counters, IsEmpty());
  EXPECT_EQ(set.reason, "GPUs were not asked for");
}

TEST(Nvml, SaysWhenAGpuIsLostOnTheWay) {
  const FakeNvmlLibrary fake(ESPALIER_FAKE_NVML);
  fake->n_gpus = 1;
  const CounterSet set = open_nvml(ESPALIER_FAKE_NVML);
  ASSERT_THAT(set.counters, SizeIs(1));

  fake->gpus[0].energy_result = kGpuIsLost;

  EXPECT_THROW(static_cast<void>(set.counters[0].read()), Error);
}

}  // namespace
}  // namespace espalier::measure
