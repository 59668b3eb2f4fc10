// The directory at the end of a zip archive: which members there are and where. What it says is
// checked against the members' own headers in zip_archive.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace espalier::checkpoint {

/// Little-endian numbers at any alignment in a part of the archive. Reading past its end is a
/// mistake of the caller's, except for part(), which throws Error(bad_input).
class ZipBytes {
 public:
  explicit ZipBytes(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] std::uint16_t u16(std::size_t at) const noexcept {
    return static_cast<std::uint16_t>(number(at, 2));
  }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const noexcept {
    return static_cast<std::uint32_t>(number(at, 4));
  }
  [[nodiscard]] std::uint64_t u64(std::size_t at) const noexcept { return number(at, 8); }

  [[nodiscard]] ZipBytes part(std::uint64_t begin, std::uint64_t n_bytes) const;
  [[nodiscard]] std::string_view text() const noexcept;
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

 private:
  [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t n_bytes) const noexcept;

  std::span<const std::byte> bytes_;
};

/// Flags of a member.
constexpr unsigned kZipEncrypted = 1;
constexpr unsigned kZipDescriptor = 1 << 3;  // sizes and checksum follow the bytes
constexpr unsigned kZipUtf8 = 1 << 11;

/// A member as the directory describes it.
struct ZipEntry {
  std::string_view name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t n_stored_bytes = 0;
  std::uint64_t n_bytes = 0;
  std::uint64_t offset = 0;  // of its own header
};

struct ZipDirectory {
  std::vector<ZipEntry> entries;  // offsets ascending, each before the directory
  std::uint64_t offset = 0;       // of the directory
};

/// A storage for each of kMaxTensors, and a few records beside them.
constexpr std::size_t kMaxZipMembers = 100'100;

/// Reads the directory, which must end the file without a comment. Throws Error(bad_input), or
/// Error(resource) for more than kMaxZipMembers. Memory: 64 bytes a member.
[[nodiscard]] ZipDirectory read_zip_directory(ZipBytes file);

/// Replaces those of `values` that are 2^32 - 1 by the 64-bit ones of the extension in `extra`.
/// Returns whether that holds them.
[[nodiscard]] bool read_zip64(ZipBytes extra, std::span<std::uint64_t> values);

}  // namespace espalier::checkpoint
