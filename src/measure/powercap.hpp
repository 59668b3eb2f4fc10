// The RAPL counters of the processors, as Linux shows them under /sys/class/powercap.
// Kernel documentation: Documentation/power/powercap/powercap.rst.
#pragma once

#include <filesystem>

#include "measure/energy_counter.hpp"

namespace espalier::measure {

/// The counters of all processor packages below `root`, each once: of zones with the same package's
/// name (one through model-specific registers, one memory-mapped) the first that can be read. Core,
/// uncore and dram zones lie inside package zones and are not looked at, nor is psys, which holds
/// the packages. All packages or none: a sum that lacks one would be too small.
/// The set is empty, with reason and remedy, where there is none or one cannot be read.
/// Thread-safe.
[[nodiscard]] CounterSet open_powercap(const std::filesystem::path& root);

}  // namespace espalier::measure
