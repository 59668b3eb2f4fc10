#include "measure/machine.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>

namespace espalier::measure {
namespace {

std::optional<std::string> first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line) || line.empty()) return std::nullopt;
  return line;
}

std::optional<double> number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  double number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

/// "200000 100000" or "max 100000": microseconds of CPU time a period.
std::optional<double> quota_v2(const std::filesystem::path& folder) {
  std::ifstream file(folder / "cpu.max");
  double quota_us = 0;
  double period_us = 0;
  if (!(file >> quota_us >> period_us) || quota_us <= 0 || period_us <= 0) return std::nullopt;
  return quota_us / period_us;
}

/// -1: no limit.
std::optional<double> quota_v1(const std::filesystem::path& folder) {
  const std::optional<double> quota_us = number_in(folder / "cpu.cfs_quota_us");
  const std::optional<double> period_us = number_in(folder / "cpu.cfs_period_us");
  if (!quota_us || !period_us || *quota_us <= 0 || *period_us <= 0) return std::nullopt;
  return *quota_us / *period_us;
}

using Quota = std::optional<double> (*)(const std::filesystem::path&);

/// The least limit from the group `name` ("/a/b") up to the root of its hierarchy. In a container
/// the group's own path may not be there, but the root then is the container's group.
std::optional<double> least_quota(const std::filesystem::path& root, std::string_view name,
                                  Quota quota_of) {
  std::optional<double> least;
  std::filesystem::path group = std::filesystem::path(name).relative_path();
  for (;;) {
    const std::optional<double> quota = quota_of(root / group);
    if (quota) least = std::min(least.value_or(*quota), *quota);
    if (group.empty()) return least;
    group = group.parent_path();
  }
}

/// Whether "cpu" is among "cpu,cpuacct".
bool names_cpu(std::string_view controllers) {
  const std::string list = "," + std::string(controllers) + ",";
  return list.find(",cpu,") != std::string::npos;
}

std::optional<double> smaller(std::optional<double> first, std::optional<double> second) {
  if (!first || !second) return first ? first : second;
  return std::min(*first, *second);
}

}  // namespace

std::optional<double> cpu_quota(const MachineRoots& roots) {
  std::ifstream file(roots.proc / "self" / "cgroup");
  std::optional<double> least;
  std::string line;  // "0::/a/b" of version 2, "4:cpu,cpuacct:/a/b" of version 1
  while (std::getline(file, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    const std::filesystem::path root = roots.sys / "fs" / "cgroup";
    if (controllers.empty()) {
      least = smaller(least, least_quota(root, group, quota_v2));
    } else if (names_cpu(controllers)) {
      least = smaller(least, least_quota(root / "cpu", group, quota_v1));
    }
  }
  return least;
}

std::optional<double> load_average(const MachineRoots& roots) {
  return number_in(roots.proc / "loadavg");
}

std::optional<std::string> clock_governor(const MachineRoots& roots) {
  return first_line(roots.sys / "devices/system/cpu/cpu0/cpufreq/scaling_governor");
}

std::optional<double> clock_limit(const MachineRoots& roots) {
  std::optional<double> least;
  for (unsigned cpu = 0;; ++cpu) {
    const std::filesystem::path folder =
        roots.sys / "devices/system/cpu" / ("cpu" + std::to_string(cpu)) / "cpufreq";
    const std::optional<double> highest_khz = number_in(folder / "cpuinfo_max_freq");
    const std::optional<double> limit_khz = number_in(folder / "scaling_max_freq");
    if (!highest_khz || !limit_khz || *highest_khz <= 0) return least;
    least = smaller(least, std::min(1.0, *limit_khz / *highest_khz));
  }
}

std::optional<MachineTicks> machine_ticks(const MachineRoots& roots) {
  const std::optional<std::string> line = first_line(roots.proc / "stat");
  if (!line) return std::nullopt;
  std::istringstream fields(*line);
  std::string name;
  std::uint64_t user = 0;
  std::uint64_t nice = 0;
  std::uint64_t system = 0;
  std::uint64_t idle = 0;
  std::uint64_t io_wait = 0;
  std::uint64_t interrupts = 0;
  std::uint64_t soft_interrupts = 0;
  std::uint64_t steal = 0;
  fields >> name >> user >> nice >> system >> idle >> io_wait >> interrupts >> soft_interrupts >>
      steal;
  if (!fields || name != "cpu") return std::nullopt;
  return MachineTicks{.busy = user + nice + system + interrupts + soft_interrupts,
                      .idle = idle + io_wait,
                      .steal = steal};
}

double steal_share(const MachineTicks& before, const MachineTicks& after) noexcept {
  // Counters of a virtual machine may go back when it moves to another host.
  if (after.steal <= before.steal || after.busy < before.busy) return 0;
  const auto stolen = static_cast<double>(after.steal - before.steal);
  return stolen / (stolen + static_cast<double>(after.busy - before.busy));
}

}  // namespace espalier::measure
