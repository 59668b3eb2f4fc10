// Streams the lines of a plain or gzip-compressed file. Knows nothing of formats: it drops the byte
// order mark, counts lines, and keeps memory bounded whatever the file holds.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/place.hpp"

struct gzFile_s;  // zlib's handle; its header stays out of ours

namespace espalier::data {

/// Hands out one line at a time. One thread at a time.
class LineSource {
 public:
  /// A longer line is a mistake (a binary file, an open quote), not a sentence.
  static constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

  /// Opens `path` and reads its first bytes. gzip is recognised by content.
  /// Throws Error(bad_input) if it cannot be read, is a folder or UTF-16 text, or is named .gz
  /// without being gzip data.
  explicit LineSource(const std::filesystem::path& path);

  /// The first lines, whole ones as far as there are any, for guessing a format. Only before the
  /// first next().
  [[nodiscard]] std::string_view head() const;

  /// Puts the next line, without its LF, into `line`; a CR before the LF is kept. Returns false at
  /// the end. The view holds until the following call.
  /// Throws Error(resource) for a line over kMaxLineBytes, Error(bad_input) for damaged gzip data.
  [[nodiscard]] bool next(std::string_view& line);

  /// The line that next() read last, or another line of this file.
  [[nodiscard]] Place place() const { return {name_, n_lines_}; }
  [[nodiscard]] Place place(std::size_t line) const { return {name_, line}; }

 private:
  struct Close {
    void operator()(gzFile_s* file) const noexcept;
  };

  [[nodiscard]] bool fill();
  void check_start();

  std::string name_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // unread bytes of the buffer: [begin_, end_)
  std::size_t end_ = 0;
  std::string carry_;  // a line that crosses the end of the buffer
  std::size_t n_lines_ = 0;
};

/// `line` without one CR at its end.
[[nodiscard]] std::string_view without_cr(std::string_view line);

/// Whether `line` holds nothing but blanks, TABs and CRs.
[[nodiscard]] bool is_blank(std::string_view line);

}  // namespace espalier::data
