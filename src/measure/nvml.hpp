// The energy counters of NVIDIA GPUs, through the management library that comes with their driver.
// Opened at run time and declared here, so that neither build nor program needs it.
// NVML API reference: nvmlDeviceGetTotalEnergyConsumption.
#pragma once

#include <string>

#include "measure/energy_counter.hpp"

namespace espalier::measure {

/// The counters of all GPUs that the library shows, in millijoules since the driver was loaded.
/// library: as for dlopen(); empty: none is opened. GPUs without a counter (before Volta) are left
/// out and named in the reason. The set is empty, with reason and remedy, where the library is
/// missing or fails, or no GPU has a counter. The library stays open as long as a counter lives.
/// Thread-safe.
[[nodiscard]] CounterSet open_nvml(const std::string& library);

}  // namespace espalier::measure
