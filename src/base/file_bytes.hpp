// Bytes of a file, read into owned and aligned memory, or mapped when the caller accepts its risk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace espalier {

/// Whether a file's bytes are copied into memory of ours or mapped from the page cache.
/// A mapped file that another process truncates kills this process with SIGBUS.
enum class FileAccess { read, map };

/// Owns the bytes of one file. Movable: the bytes keep their address, what was moved from is empty.
class FileBytes {
 public:
  static constexpr std::size_t kAlignment = 64;

  /// Reads or maps the whole of `path`. The bytes start at a multiple of kAlignment.
  /// Throws Error(bad_input) when it is missing, not a regular file, unreadable, or changes its
  /// length while it is read, and Error(resource) when it is larger than `max_bytes`, or memory or
  /// file descriptors run out. Thread-safe.
  static FileBytes open(const std::filesystem::path& path, FileAccess access = FileAccess::read,
                        std::size_t max_bytes = SIZE_MAX);

  /// Copies `bytes` into memory aligned alike. Throws Error(resource) when memory runs out.
  static FileBytes copy(std::span<const std::byte> bytes);

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {data_.get(), data_ ? size_ : 0};
  }

 private:
  struct Release {
    std::size_t mapped_bytes = 0;  // 0: from aligned_alloc
    void operator()(std::byte* data) const noexcept;
  };

  FileBytes(std::byte* data, std::size_t size, Release release)
      : data_(data, release), size_(size) {}
  static FileBytes allocate(std::size_t size);

  std::unique_ptr<std::byte, Release> data_;
  std::size_t size_ = 0;
};

}  // namespace espalier
