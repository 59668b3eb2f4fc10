// The first lines of benchmarks that print shares of the measured peak.
#pragma once

namespace espalier::benchmarks {

/// Prints the peaks of one thread and of `n_threads` at once, and what their ratio means for
/// scaling: virtual processors may be two threads of one core.
void print_peaks(unsigned n_threads);

}  // namespace espalier::benchmarks
