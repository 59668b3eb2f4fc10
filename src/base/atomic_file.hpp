// Writes a file whole or not at all: temporary file beside it, fsync, rename, fsync of the folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace espalier {

/// What to do when the destination exists.
enum class Overwrite { refuse, replace };

/// Receives bytes into a temporary file and puts it in place on commit(). Without commit() the
/// destructor removes the temporary file and the destination stays as it was.
class AtomicFile {
 public:
  /// Throws Error(output) when `path` exists and `overwrite` is refuse (remedy: --force), or when
  /// the folder cannot be written.
  AtomicFile(std::filesystem::path path, Overwrite overwrite);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Throws Error(output) when the disk is full or fails.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) {
    write(std::as_bytes(std::span<const char>(text.data(), text.size())));
  }

  /// Makes the file durable and visible under its name. Throws Error(output).
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_;
  std::string temporary_;
  int descriptor_ = -1;
  Overwrite overwrite_;
};

}  // namespace espalier
