// Ctrl-C and SIGTERM as a flag that long work asks between its steps: nothing is cut in the middle,
// so no partial file is left. The second signal ends the program at once.
#pragma once

namespace espalier::tools {

/// Catches SIGINT and SIGTERM, and ignores SIGPIPE: a closed pipe is an error of the write instead.
void catch_signals();

/// Whether a signal has come, for work that has something to save before it ends.
[[nodiscard]] bool interrupt_requested();

/// The signal that has come, SIGINT or SIGTERM, or 0.
[[nodiscard]] int pending_signal();

/// Throws Error(interrupted) or Error(terminated) once a signal has come.
void throw_if_interrupted();

}  // namespace espalier::tools
