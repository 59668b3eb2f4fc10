#include "measure/energy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <filesystem>
#include <limits>

#include "espalier/error.hpp"
#include "tests/measure/fake_nvml.hpp"
#include "tests/measure/fake_powercap.hpp"

namespace espalier::measure {
namespace {

using espalier::testing::FakeNvmlLibrary;
using espalier::testing::FakePowercap;
using espalier::testing::kRangeUj;
using espalier::testing::write_file;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A meter on a tree, without GPUs.
EnergyMeter meter_on(const FakePowercap& tree) {
  return EnergyMeter::open({.powercap_root = tree.root(), .nvml_library = ""});
}

/// A meter without any counter.
EnergyMeter estimating_meter(std::optional<double> watts_per_core) {
  return EnergyMeter::open(
      {.powercap_root = "/nonexistent", .nvml_library = "", .watts_per_core = watts_per_core});
}

double cpu_time_s() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

TEST(EnergyMeter, MeasuresThePackagesAndNotWhatLiesInsideThem) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 5'000'000);
  tree.add_zone("intel-rapl:0:0", "core", 3'000'000);
  tree.add_zone("intel-rapl:0:1", "dram", 1'000'000);
  tree.add_zone("intel-rapl:1", "package-1", 0);
  tree.add_zone("intel-rapl:2", "psys", 9'000'000);
  EnergyMeter meter = meter_on(tree);

  meter.start();
  tree.set_energy("intel-rapl:0", 7'000'000);
  tree.set_energy("intel-rapl:0:0", 4'500'000);
  tree.set_energy("intel-rapl:0:1", 1'500'000);
  tree.set_energy("intel-rapl:1", 500'000);
  tree.set_energy("intel-rapl:2", 19'000'000);
  const Energy energy = meter.stop();

  EXPECT_EQ(energy.cpu.tag, EnergyTag::measured);
  EXPECT_NEAR(energy.cpu.joules.value(), 2.0 + 0.5, 1e-9);
  EXPECT_THAT(energy.cpu.source, HasSubstr("RAPL package-0 + package-1"));
  EXPECT_THAT(energy.cpu.reason, IsEmpty());
}

TEST(EnergyMeter, MeasuresThroughAWrap) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", kRangeUj - 1'000'000);
  EnergyMeter meter = meter_on(tree);

  meter.start();
  tree.set_energy("intel-rapl:0", 2'000'000);

  EXPECT_NEAR(meter.stop().cpu.joules.value(), 3.0, 1e-9);
}

TEST(EnergyMeter, ShowsTheEnergySoFarAndGoesOn) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 0);
  EnergyMeter meter = meter_on(tree);

  meter.start();
  tree.set_energy("intel-rapl:0", 1'000'000);
  const Energy so_far = meter.read();
  tree.set_energy("intel-rapl:0", 4'000'000);
  const Energy whole = meter.stop();

  EXPECT_NEAR(so_far.cpu.joules.value(), 1.0, 1e-9);
  EXPECT_NEAR(whole.cpu.joules.value(), 4.0, 1e-9);
}

TEST(EnergyMeter, BeginsAnewAtEachStart) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 0);
  EnergyMeter meter = meter_on(tree);

  meter.start();
  tree.set_energy("intel-rapl:0", 50'000'000);
  meter.start();
  tree.set_energy("intel-rapl:0", 51'000'000);

  EXPECT_NEAR(meter.stop().cpu.joules.value(), 1.0, 1e-9);
}

TEST(EnergyMeter, EstimatesFromCpuTimeAndSaysWhy) {
  EnergyMeter meter = estimating_meter(15.0);

  const double before_s = cpu_time_s();
  meter.start();
  const double begun_s = cpu_time_s();
  while (cpu_time_s() < begun_s + 0.01) {
  }
  const double done_s = cpu_time_s();
  const EnergyFigure cpu = meter.stop().cpu;
  const double after_s = cpu_time_s();

  EXPECT_EQ(cpu.tag, EnergyTag::estimated);
  EXPECT_GE(cpu.joules.value(), 15.0 * (done_s - begun_s) * (1 - 1e-9));
  EXPECT_LE(cpu.joules.value(), 15.0 * (after_s - before_s) * (1 + 1e-9));
  EXPECT_THAT(cpu.source, HasSubstr("x 15 W a core, as given"));
  EXPECT_THAT(cpu.reason, AllOf(HasSubstr("'/nonexistent'"), HasSubstr("intel_rapl_msr")));
}

TEST(EnergyMeter, NamesWhereItsOwnWattsComeFrom) {
  EnergyMeter meter = estimating_meter(std::nullopt);

  meter.start();

  EXPECT_THAT(meter.stop().cpu.source, HasSubstr("x 4 W a core, CodeCarbon's default"));
}

TEST(EnergyMeter, RefusesWattsThatAreNone) {
  for (const double watts : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_THROW(static_cast<void>(estimating_meter(watts)), Error) << watts;
  }
}

TEST(EnergyMeter, EstimatesWhenACounterDisappearsOnTheWay) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 0);
  EnergyMeter meter = meter_on(tree);

  meter.start();
  std::filesystem::remove_all(tree.root() / "intel-rapl:0");
  const EnergyFigure cpu = meter.stop().cpu;

  EXPECT_EQ(cpu.tag, EnergyTag::estimated);
  EXPECT_GT(cpu.joules.value(), 0);
  EXPECT_THAT(cpu.reason, HasSubstr("intel-rapl:0/energy_uj' cannot be read: it is not there"));
}

TEST(EnergyMeter, EstimatesWhenACounterTurnsToGarbage) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 0);
  EnergyMeter meter = meter_on(tree);

  meter.start();
  write_file(tree.energy_file("intel-rapl:0"), "???\n");
  const EnergyFigure cpu = meter.stop().cpu;

  EXPECT_EQ(cpu.tag, EnergyTag::estimated);
  EXPECT_THAT(cpu.reason, HasSubstr("no count of microjoules"));
}

TEST(EnergyMeter, DoesNotTakeACounterThatStandsStillForZeroJoules) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 5);
  EnergyMeter meter = meter_on(tree);

  meter.start();
  const EnergyFigure cpu = meter.stop().cpu;

  EXPECT_EQ(cpu.tag, EnergyTag::estimated);
  EXPECT_GT(cpu.joules.value(), 0);
  EXPECT_THAT(cpu.reason, HasSubstr("did not move"));
}

TEST(EnergyMeter, MeasuresGpus) {
  const FakeNvmlLibrary fake(ESPALIER_FAKE_NVML);
  fake->n_gpus = 2;
  fake->gpus[0].millijoules = 1'000'000;
  EnergyMeter meter =
      EnergyMeter::open({.powercap_root = "/nonexistent", .nvml_library = ESPALIER_FAKE_NVML});

  meter.start();
  fake->gpus[0].millijoules += 2'500;
  fake->gpus[1].millijoules += 1'000;
  const EnergyFigure gpu = meter.stop().gpu;

  EXPECT_EQ(gpu.tag, EnergyTag::measured);
  EXPECT_NEAR(gpu.joules.value(), 3.5, 1e-9);
}

TEST(EnergyMeter, HasNoFigureForALostGpu) {
  const FakeNvmlLibrary fake(ESPALIER_FAKE_NVML);
  fake->n_gpus = 1;
  EnergyMeter meter =
      EnergyMeter::open({.powercap_root = "/nonexistent", .nvml_library = ESPALIER_FAKE_NVML});

  meter.start();
  fake->gpus[0].energy_result = 15;
  const EnergyFigure gpu = meter.stop().gpu;

  EXPECT_EQ(gpu.tag, EnergyTag::unavailable);
  EXPECT_FALSE(gpu.joules.has_value());
  EXPECT_THAT(gpu.reason, HasSubstr("GPU is lost"));
}

TEST(EnergyMeter, RefusesToBeReadWhenItDoesNotRun) {
  EnergyMeter meter = estimating_meter(std::nullopt);

  EXPECT_THROW(static_cast<void>(meter.read()), Error);
  meter.start();
  meter.stop();
  EXPECT_THROW(meter.stop(), Error);
}

TEST(EnergyMeter, CanBeMovedWhileItRuns) {
  const FakePowercap tree;
  tree.add_zone("intel-rapl:0", "package-0", 0);
  EnergyMeter first = meter_on(tree);

  first.start();
  EnergyMeter second = std::move(first);
  tree.set_energy("intel-rapl:0", 1'000'000);

  EXPECT_NEAR(second.stop().cpu.joules.value(), 1.0, 1e-9);
}

TEST(TotalEnergy, IsTaggedLikeItsWorsePart) {
  const Energy energy{.cpu = {EnergyTag::estimated, 2.0, "CPU time", "no counter"},
                      .gpu = {EnergyTag::measured, 30.0, "NVML GPU 0", ""}};

  const EnergyFigure total = energy.total();

  EXPECT_EQ(total.tag, EnergyTag::estimated);
  EXPECT_EQ(total.joules, 32.0);
  EXPECT_EQ(total.source, "cpu: CPU time; gpu: NVML GPU 0");
  EXPECT_EQ(total.reason, "cpu: no counter");
}

TEST(TotalEnergy, SaysWhatItLacks) {
  const Energy energy{.cpu = {EnergyTag::measured, 2.0, "RAPL", ""},
                      .gpu = {EnergyTag::unavailable, std::nullopt, "", "no driver"}};

  const EnergyFigure total = energy.total();

  EXPECT_EQ(total.tag, EnergyTag::measured);
  EXPECT_EQ(total.joules, 2.0);
  EXPECT_EQ(total.source, "cpu: RAPL");
  EXPECT_EQ(total.reason, "gpu: no driver");
}

TEST(TotalEnergy, OfNothingIsUnavailableAndNotZero) {
  const EnergyFigure total = Energy{}.total();

  EXPECT_EQ(total.tag, EnergyTag::unavailable);
  EXPECT_FALSE(total.joules.has_value());
}

TEST(EnergyText, HasTwoDigitsAndAUnitThatSuits) {
  EXPECT_EQ(joules_text(0), "0.0 J");
  EXPECT_EQ(joules_text(0.0000314), "31 µJ");
  EXPECT_EQ(joules_text(0.0321), "32 mJ");
  EXPECT_EQ(joules_text(0.3149), "310 mJ");
  EXPECT_EQ(joules_text(4.449), "4.4 J");
  EXPECT_EQ(joules_text(99.6), "100 J");
  EXPECT_EQ(joules_text(999.6), "1.0 kJ");
  EXPECT_EQ(joules_text(72'000), "72 kJ");
  EXPECT_EQ(joules_text(3.6e6), "3.6 MJ");
  EXPECT_EQ(joules_text(2.5e11), "250 GJ");
  EXPECT_EQ(joules_text(1e-9), "1.0e-09 J");
  EXPECT_EQ(joules_text(std::nan("")), "nan J");
}

TEST(EnergyText, RoundsForJsonToTheSameTwoDigits) {
  EXPECT_EQ(two_digits(0), 0.0);
  EXPECT_EQ(two_digits(123.4), 120.0);
  EXPECT_EQ(two_digits(0.03149), 0.031);
  EXPECT_EQ(two_digits(999.6), 1000.0);
}

TEST(EnergyText, CarriesTagSourceAndReason) {
  EXPECT_EQ(energy_text({EnergyTag::measured, 1234.0, "RAPL package-0", ""}),
            "1.2 kJ measured (RAPL package-0)");
  EXPECT_EQ(energy_text({EnergyTag::estimated, 8.0, "CPU time", "no counter"}),
            "8.0 J estimated (CPU time); no counter");
  EXPECT_EQ(energy_text({EnergyTag::unavailable, std::nullopt, "", "no driver"}),
            "unavailable; no driver");
}

}  // namespace
}  // namespace espalier::measure
