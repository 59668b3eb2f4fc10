// Hardware counters that count up while energy is used, and the sum of what several of them
// counted. For the .cpp files of this room and their tests only; the way in is energy.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace espalier::measure {

/// One counter, from an unknown start value on.
struct EnergyCounter {
  std::string name;  // in messages: "package-0"
  double joules_per_count = 0;
  std::uint64_t range = 0;  // the highest value, after which it starts at 0 again; 0: never
  /// The value now. Throws Error(unavailable) with the remedy when it cannot be read.
  std::function<std::uint64_t()> read;
};

/// The counters that make up one figure.
struct CounterSet {
  std::vector<EnergyCounter> counters;  // none: `reason` says why and what to do about it
  std::string source;                   // what their sum is
  std::string reason;                   // with counters: what the sum leaves out, or empty
};

/// The time between two samples of a counter that wraps. The smallest range in use, 2^32 counts of
/// 15.3 µJ = 65.7 kJ, lasts three times as long even at kMaxPackageWatts.
inline constexpr double kSampleSeconds = 10.0;

/// No processor draws more: the largest are sold for 500 W and peak below 1 kW.
inline constexpr double kMaxPackageWatts = 2000.0;

/// Adds up what the counters of a set counted since start(). Time is given in seconds by the
/// caller, on a clock that goes on while the machine sleeps. One thread at a time.
class CounterWindow {
 public:
  explicit CounterWindow(CounterSet set) : set_(std::move(set)) {}

  [[nodiscard]] const CounterSet& set() const { return set_; }
  /// Whether samples must come at least every kSampleSeconds.
  [[nodiscard]] bool wraps() const;

  void start(double now_s);
  void sample(double now_s);

  /// Up to the last sample; means something only while problem() is empty.
  [[nodiscard]] double joules() const;

  /// Why joules() cannot be trusted, from the first such event since start() on: a counter that
  /// could not be read, was reset, may have wrapped unseen, or never moved. Empty: it can.
  [[nodiscard]] std::string problem() const;

 private:
  struct Count {
    std::uint64_t last = 0;
    double joules = 0;
  };
  static void add(const EnergyCounter& counter, double elapsed_s, Count& count);

  CounterSet set_;
  std::vector<Count> counts_;  // (counters)
  double last_s_ = 0;
  std::string failure_;
};

}  // namespace espalier::measure
