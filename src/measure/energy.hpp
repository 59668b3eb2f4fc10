// What a stretch of work cost in joules, and how far the figure can be trusted: hardware counters
// where they can be read, else an estimate that says so. Never a constant passed off as a reading,
// and never 0 for "not measured". Not for the idle share, CO2 or prices: those need figures that no
// counter knows.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace espalier::measure {

/// How a figure came about; later is worse.
enum class EnergyTag {
  measured,     ///< the difference of two readings of a hardware counter
  estimated,    ///< computed; right within a factor, good for comparing runs on one machine
  unavailable,  ///< there is no figure
};

[[nodiscard]] std::string_view energy_tag_name(EnergyTag tag) noexcept;

/// One figure with its pedigree.
struct EnergyFigure {
  EnergyTag tag = EnergyTag::unavailable;
  std::optional<double> joules;  ///< nothing exactly where the tag is unavailable
  std::string source;            ///< what was read or computed; empty where unavailable
  std::string reason;  ///< why it is not measured, or what it leaves out, and the remedy; or empty
};

/// What the processors and the GPUs took.
struct Energy {
  EnergyFigure cpu;
  EnergyFigure gpu;

  /// Both together: the sum of what there is, tagged like the worse part that went into it. The
  /// source names the parts, the reason says which is not measured or missing, and why.
  [[nodiscard]] EnergyFigure total() const;
};

/// Watts of one busy processor (hardware thread) when the caller knows nothing better: what
/// CodeCarbon takes for a processor it does not know (DEFAULT_POWER_PER_CORE in its
/// codecarbon/core/cpu.py).
inline constexpr double kDefaultWattsPerCore = 4.0;

/// Where Linux shows the RAPL counters: the folder that ESPALIER_POWERCAP names, as a container may
/// see the machine's elsewhere, or else /sys/class/powercap.
[[nodiscard]] std::filesystem::path powercap_folder();

struct EnergyOptions {
  std::filesystem::path powercap_root = powercap_folder();
  /// NVIDIA's management library, opened at run time. Empty: GPUs stay out, as they should for work
  /// that uses none, because the counters know boards and not programs.
  std::string nvml_library = "libnvidia-ml.so.1";
  /// For the estimate, finite and above 0; without it kDefaultWattsPerCore.
  std::optional<double> watts_per_core = {};
};

/// Measures the energy from start() to stop().
///
/// cpu: the sum of the RAPL counters of all packages: each a whole processor with whatever runs on
/// it. Domains inside a package (core, uncore) are in it already; memory (dram) stays out because
/// few machines count it; the whole board (psys) because it holds the packages. Where a counter
/// cannot be read or fails on the way: the CPU time of this process × watts per core.
/// gpu: the sum of NVML's counters of all GPUs, each a whole board; there is no estimate.
///
/// A RAPL counter wraps within minutes under load; a thread of the meter's own, with all signals
/// blocked, reads it every ten seconds between start() and stop(). Where there is no such counter
/// there is no thread. One thread at a time may use a meter; meters do not disturb each other.
class EnergyMeter {
 public:
  /// Finds out what can be measured here. Counters that are missing are no error: the figures say
  /// why. Throws Error(usage) when watts_per_core is not a finite number above 0.
  [[nodiscard]] static EnergyMeter open(const EnergyOptions& options = {});

  EnergyMeter(EnergyMeter&&) noexcept;
  EnergyMeter& operator=(EnergyMeter&&) noexcept;
  ~EnergyMeter();

  /// Begins anew from zero, even while it runs. Throws Error(resource) when no thread can be made.
  void start();

  /// The energy since start(); the measurement goes on. Throws Error(failed) before start() and
  /// after stop().
  [[nodiscard]] Energy read();

  /// read(), and the end of the measurement.
  Energy stop();

 private:
  struct State;
  explicit EnergyMeter(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

/// `joules` rounded to the two digits that such figures deserve, for JSON.
[[nodiscard]] double two_digits(double joules);

/// `joules` with two digits and a unit that suits: "4.5 J", "320 mJ", "1.2 kJ"; whatever the
/// locale.
[[nodiscard]] std::string joules_text(double joules);

/// "1.2 kJ measured (what was read)" or "unavailable", then "; the reason" where there is one.
[[nodiscard]] std::string energy_text(const EnergyFigure& figure);

}  // namespace espalier::measure
