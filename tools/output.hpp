// Standard output for data and standard error for everything said about it. Every write is checked:
// a full disk is exit 4, a reader that went away (| head) ends the program quietly.
#pragma once

#include <string>
#include <string_view>

namespace espalier::tools {

/// Thrown when nobody reads standard output any more. Not an error: the reader had enough.
struct ReaderGone {};

/// Adds to standard output. Buffered. Throws Error(output) or ReaderGone.
void write_out(std::string_view data);

/// Hands everything written so far to the operating system. Throws as write_out() does.
void flush_out();

/// Prints one line on standard error, unless notes were silenced.
void note(const std::string& line);

/// Turns note() off (--quiet).
void silence_notes();
[[nodiscard]] bool notes_are_silenced();

/// Whether notes are read by a person at a terminal that can redraw a line.
[[nodiscard]] bool notes_go_to_a_terminal();

/// A progress bar on standard error: only on a terminal, and only for work that lasts a second.
class Progress {
 public:
  /// unit: what is counted, as in "rows". total 0: not known.
  Progress(std::string_view unit, std::size_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void show(std::size_t done);

 private:
  std::string unit_;
  std::size_t total_;
  double start_s_;
  double last_s_ = 0;
  bool wanted_;
  bool shown_ = false;
};

}  // namespace espalier::tools
