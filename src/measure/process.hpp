// What this process has used so far.
#pragma once

#include <cstddef>
#include <optional>

namespace espalier::measure {

/// The most physical memory this process has held at once, in bytes: VmHWM of /proc/self/status.
/// Nothing where that cannot be read, never 0. Thread-safe.
[[nodiscard]] std::optional<std::size_t> peak_resident_bytes();

}  // namespace espalier::measure
