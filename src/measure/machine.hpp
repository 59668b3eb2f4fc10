// What the machine does besides our work, as far as Linux says: the CPU time that a container may
// use, other programs' load, time that a hypervisor took away, a clock that is held down. Where
// something cannot be read there is no figure, never a guess.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace espalier::measure {

/// Where Linux shows itself; tests give folders of their own.
struct MachineRoots {
  std::filesystem::path proc = "/proc";
  std::filesystem::path sys = "/sys";
};

/// Processors' worth of CPU time that the control groups of this process allow: the least of its
/// group and those above, version 2 or 1; nothing where there is no limit. Thread-safe.
[[nodiscard]] std::optional<double> cpu_quota(const MachineRoots& roots = {});

/// Programs and threads that were running or waiting to, the mean of about a minute, those of this
/// process included. Thread-safe.
[[nodiscard]] std::optional<double> load_average(const MachineRoots& roots = {});

/// What chooses the clock of the first processor: "performance", "powersave", "schedutil" ...
/// Nothing where the system does not say, as in most virtual machines. Thread-safe.
[[nodiscard]] std::optional<std::string> clock_governor(const MachineRoots& roots = {});

/// The lowest share of its highest clock that a processor is limited to, 0 to 1: below 1 where a
/// limit was set (scaling_max_freq below cpuinfo_max_freq). Thread-safe.
[[nodiscard]] std::optional<double> clock_limit(const MachineRoots& roots = {});

/// CPU time of the whole machine since it was started, in ticks.
struct MachineTicks {
  std::uint64_t busy = 0;   // stolen time not included
  std::uint64_t idle = 0;   // waiting for disks included
  std::uint64_t steal = 0;  // taken by the hypervisor for other guests
};
[[nodiscard]] std::optional<MachineTicks> machine_ticks(const MachineRoots& roots = {});

/// Of the time that the machine wanted to compute between two readings, the share that was stolen,
/// 0 to 1; 0 where it wanted none.
[[nodiscard]] double steal_share(const MachineTicks& before, const MachineTicks& after) noexcept;

}  // namespace espalier::measure
