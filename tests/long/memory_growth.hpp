// Whether a process that repeats the same work grows: a line through its resident memory, which
// forgives the steps in which a heap settles, and not the slope that a leak has.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <numeric>
#include <string_view>
#include <vector>

namespace espalier::testing {

/// Bytes of this process that are in memory now.
inline double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// Resident memory over a count that only grows: seconds, calls or loads.
class MemoryGrowth {
 public:
  /// unit: what `at` counts, for the line that judge() prints.
  explicit MemoryGrowth(std::string_view unit) : unit_(unit) {}

  void add(double at, double bytes) {
    at_.push_back(at);
    bytes_.push_back(bytes);
  }
  void sample(double at) { add(at, resident_bytes()); }

  /// Prints the slope after warm-up. Whether the line rose by no more than kMostGrowth.
  [[nodiscard]] bool judge() const {
    const std::size_t first = at_.size() / 3;  // buffers and arenas reach their size before
    if (at_.size() - first < kFewestSamples) {
      std::cout << "memory: " << at_.size() << " samples are too few to judge; run for longer\n";
      return false;
    }
    const auto mean = [first](const std::vector<double>& values) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
      return std::accumulate(begin, values.end(), 0.0) / static_cast<double>(values.end() - begin);
    };
    const double mean_at = mean(at_);
    const double mean_bytes = mean(bytes_);
    double above = 0;
    double below = 0;
    for (std::size_t sample = first; sample < at_.size(); ++sample) {
      above += (at_[sample] - mean_at) * (bytes_[sample] - mean_bytes);
      below += (at_[sample] - mean_at) * (at_[sample] - mean_at);
    }
    const double slope = above / below;
    const double growth = slope * (at_.back() - at_[first]) / mean_bytes;
    char line[256];
    std::snprintf(
        line, sizeof line,
        "memory: %.2f MB resident, slope %+.3f bytes a %.*s, %+.3f %% over %.0f of them\n",
        mean_bytes / 1e6, slope, static_cast<int>(unit_.size()), unit_.data(), 100 * growth,
        at_.back() - at_[first]);
    std::cout << line;
    return growth <= kMostGrowth;
  }

  /// A hundredth: pages come and go with the scheduling of threads; a leak of 1 byte a call is five
  /// times that over a million calls of a process of 20 MB.
  static constexpr double kMostGrowth = 0.01;
  static constexpr std::size_t kFewestSamples = 30;

 private:
  std::string_view unit_;
  std::vector<double> at_;
  std::vector<double> bytes_;
};

}  // namespace espalier::testing
