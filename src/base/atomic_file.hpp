// Writes a file whole or not at all: temporary file beside it, fsync, rename, fsync of the folder.
// Not for devices, pipes and standard output, which cannot be replaced in one step.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace espalier {

/// What to do when the destination exists.
enum class Overwrite { refuse, replace };

/// Receives bytes into a temporary file (".NAME.espalier-XXXXXX" beside the destination) and puts
/// it in place on commit(). Without commit() the destructor removes the temporary file and the
/// destination stays as it was.
/// A new file gets the mode that the umask gives; a replaced one keeps its mode and, where the
/// system allows it, its owner and group. A destination that is a symbolic link stays one: the file
/// that it leads to is replaced. One thread at a time.
class AtomicFile {
 public:
  /// Also removes temporary files of the same destination that a killed writer left behind; those
  /// of living writers are locked (flock) and stay.
  /// Throws Error(output) when `path` exists and `overwrite` is refuse (remedy: --force); when it
  /// is a folder, device, pipe, socket or a symbolic link to nothing, with either; and when its
  /// folder is missing or cannot be written.
  AtomicFile(std::filesystem::path path, Overwrite overwrite);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Throws Error(output) when the disk is full or fails.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) {
    write(std::as_bytes(std::span<const char>(text.data(), text.size())));
  }

  /// Takes the old file away: from here to commit() a reader finds none. For the one file without
  /// which a folder of several is refused, so that new ones are never read together with old ones.
  /// With Overwrite::refuse there is none. Throws Error(output).
  void remove_old();

  /// Makes the file durable and visible under its name; the last call. Throws Error(output), also
  /// when `overwrite` is refuse and a file has got that name since. The destination is then as it
  /// was, but for one case: when only the folder cannot be synced, the new file is in place.
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;
  void create_temporary();
  void keep_owner_and_mode();

  std::filesystem::path path_;         // as the caller names it
  std::filesystem::path destination_;  // without a link at its end
  std::string temporary_;              // empty once there is none
  int descriptor_ = -1;                // of the temporary file, locked
  Overwrite overwrite_;
};

}  // namespace espalier
