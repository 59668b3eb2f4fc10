#include "measure/powercap.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <system_error>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere =
    "RAPL needs Linux with the module intel_rapl_msr (sudo modprobe intel_rapl_msr) on the machine "
    "itself; virtual machines and containers rarely show it; where a "
    "container has it elsewhere, name the folder in ESPALIER_POWERCAP";

[[noreturn]] void fail_to_read(const fs::path& file, int error) {
  std::string message = printable(file.string(), 200) + " cannot be read";
  if (error == EACCES || error == EPERM) {
    // Closed to users since Linux 5.10, because it tells what other programs do.
    message +=
        ": only root may; run as root, or open it to all users until the next reboot: "
        "sudo chmod a+r " +
        printable(file.parent_path().parent_path().string(), 200) + "/intel-rapl*/energy_uj";
  } else if (error == ENOENT) {
    message += ": it is not there; " + std::string(kWhere);
  } else {
    message += ": " + std::generic_category().message(error);
  }
  throw Error(ErrorCode::unavailable, message);
}

/// The first line of a sysfs file, which is short.
std::string read_line(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_to_read(file, errno);
  char bytes[128];
  const ssize_t n_bytes = ::read(descriptor, bytes, sizeof bytes);
  const int error = errno;
  ::close(descriptor);
  if (n_bytes < 0) fail_to_read(file, error);
  const std::string text(bytes, static_cast<std::size_t>(n_bytes));
  return text.substr(0, text.find('\n'));
}

std::uint64_t read_number(const fs::path& file) {
  const std::string text = read_line(file);
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, number);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
    throw Error(ErrorCode::unavailable, printable(file.string(), 200) + " holds " +
                                            printable(text) + ", which is no count of microjoules");
  }
  return number;
}

/// The folders like intel-rapl:0 and intel-rapl-mmio:0, but not intel-rapl:0:1, which lies within
/// intel-rapl:0. Sorted, which puts the memory-mapped ones first: '-' comes before ':'.
std::vector<fs::path> outer_zones(const fs::path& root) {
  std::error_code error;
  std::vector<fs::path> zones;
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.rfind("intel-rapl", 0) == 0 && std::count(name.begin(), name.end(), ':') == 1) {
      zones.push_back(at->path());
    }
  }
  if (error) fail_to_read(root, error.value());
  std::sort(zones.begin(), zones.end());
  return zones;
}

EnergyCounter open_counter(const fs::path& zone, const std::string& name) {
  const std::uint64_t range = read_number(zone / "max_energy_range_uj");
  if (range == 0) {
    throw Error(ErrorCode::unavailable,
                printable((zone / "max_energy_range_uj").string(), 200) +
                    " is 0: without a range a counter that wraps cannot be followed");
  }
  const fs::path file = zone / "energy_uj";
  static_cast<void>(read_number(file));  // now, so that a closed file is known from the start
  return {.name = name, .joules_per_count = 1e-6, .range = range, .read = [file] {
            return read_number(file);
          }};
}

/// "package-0", on processors of several dies "package-0-die-1".
bool is_package(const std::string& name) {
  return name.rfind("package-", 0) == 0 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

struct Package {
  EnergyCounter counter;  // without read: no zone of the package can be read
  std::string failure;
};

std::map<std::string, Package> open_packages(const fs::path& root) {
  std::map<std::string, Package> packages;
  for (const fs::path& zone : outer_zones(root)) {
    const std::string name = read_line(zone / "name");
    if (!is_package(name)) continue;
    Package& package = packages[name];
    if (package.counter.read) continue;
    try {
      package.counter = open_counter(zone, name);
    } catch (const Error& error) {
      package.failure = error.what();
    }
  }
  return packages;
}

}  // namespace

CounterSet open_powercap(const fs::path& root) {
  CounterSet set;
  try {
    std::string names;
    for (auto& [name, package] : open_packages(root)) {
      if (!package.counter.read) throw Error(ErrorCode::unavailable, package.failure);
      set.counters.push_back(std::move(package.counter));
      names += (names.empty() ? "" : " + ") + name;
    }
    if (set.counters.empty()) {
      throw Error(ErrorCode::unavailable, "no processor package among the power counters of " +
                                              printable(root.string(), 200) + "; " + kWhere);
    }
    set.source = "RAPL " + names + ": whole processors with all that runs on them, without memory";
  } catch (const Error& error) {
    set.counters.clear();
    set.reason = error.what();
  }
  return set;
}

}  // namespace espalier::measure
