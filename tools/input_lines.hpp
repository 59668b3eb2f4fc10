// Lines of a file or of standard input as they come: a program in a pipe answers what it has got
// instead of waiting for more.
#pragma once

#include <cstddef>
#include <string>

namespace espalier::tools {

/// Reads lines from front to back in bounded memory.
class InputLines {
 public:
  /// A longer line is a mistake (a binary file), not a text.
  static constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

  /// path: a file, or "-" for standard input. Throws Error(bad_input) when it cannot be read.
  explicit InputLines(const std::string& path);
  InputLines(const InputLines&) = delete;
  InputLines& operator=(const InputLines&) = delete;
  ~InputLines();

  /// Puts the next line, without its LF or CRLF, into `line`; false at the end.
  /// Throws Error(bad_input), Error(resource) for a line over kMaxLineBytes, Error(interrupted).
  [[nodiscard]] bool next(std::string& line);

  /// Whether next() can answer without waiting for more input.
  [[nodiscard]] bool has_line_at_hand() const;

 private:
  [[nodiscard]] bool fill();

  std::string name_;
  int descriptor_;
  std::string buffer_;
  std::size_t begin_ = 0;  // unread bytes of the buffer start here
  bool at_end_ = false;
};

}  // namespace espalier::tools
