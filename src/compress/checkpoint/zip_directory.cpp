#include "compress/checkpoint/zip_directory.hpp"

#include <algorithm>
#include <cassert>
#include <string>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocatorSignature = 0x07064b50;
constexpr std::uint32_t kEntrySignature = 0x02014b50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kEntryBytes = 46;
constexpr std::uint64_t kIn64 = 0xffffffff;   // the 64-bit extension has the number
constexpr std::uint64_t kCountIn64 = 0xffff;  // the same for the number of members
constexpr std::uint16_t kExtension64 = 1;     // its identifier among the extra fields

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::bad_input, "zip archive " + what);
}

// Where the directory lies, and how many entries it has.
struct Extent {
  std::uint64_t n_entries = 0;
  std::uint64_t n_bytes = 0;
  std::uint64_t offset = 0;
  std::uint64_t end = 0;  // of the directory: where the records about it begin
};

// Takes the numbers of the 64-bit records, which must not contradict the 32-bit ones in `extent`.
Extent read_extent64(ZipBytes file, const Extent& extent, std::size_t locator_place) {
  const ZipBytes locator = file.part(locator_place, kLocatorBytes);
  const std::uint64_t place = locator.u64(8);
  if (locator_place < kEnd64Bytes || place != locator_place - kEnd64Bytes || locator.u32(4) != 0 ||
      locator.u32(16) != 1) {
    fail("has its 64-bit end record elsewhere than at its end");
  }
  const ZipBytes end = file.part(place, kEnd64Bytes);
  if (end.u32(0) != kEnd64Signature || end.u64(4) != kEnd64Bytes - 12 || end.u32(16) != 0 ||
      end.u32(20) != 0 || end.u64(24) != end.u64(32)) {
    fail("has a malformed 64-bit end record at byte " + std::to_string(place));
  }
  const Extent wide = {
      .n_entries = end.u64(32), .n_bytes = end.u64(40), .offset = end.u64(48), .end = place};
  const auto agree = [](std::uint64_t narrow, std::uint64_t number, std::uint64_t marker) {
    return narrow == number || narrow == marker;
  };
  if (!agree(extent.n_entries, wide.n_entries, kCountIn64) ||
      !agree(extent.n_bytes, wide.n_bytes, kIn64) || !agree(extent.offset, wide.offset, kIn64)) {
    fail("has two end records that contradict each other");
  }
  return wide;
}

Extent read_extent(ZipBytes file) {
  if (file.size() < kEndBytes) fail("is cut short; download or copy it again");
  const std::size_t place = file.size() - kEndBytes;
  const ZipBytes end = file.part(place, kEndBytes);
  if (end.u32(0) != kEndSignature || end.u16(20) != 0) {
    fail("does not end with its end record; it is truncated or has bytes added");
  }
  Extent extent = {
      .n_entries = end.u16(10), .n_bytes = end.u32(12), .offset = end.u32(16), .end = place};
  if (end.u16(4) != 0 || end.u16(6) != 0 || end.u16(8) != extent.n_entries) {
    fail("has more than one volume");
  }
  const bool has_64 =
      place >= kLocatorBytes && file.part(place - kLocatorBytes, 4).u32(0) == kLocatorSignature;
  if (has_64) extent = read_extent64(file, extent, place - kLocatorBytes);
  if (extent.offset > extent.end || extent.n_bytes != extent.end - extent.offset) {
    fail("has a directory that does not reach its end record");
  }
  return extent;
}

// The entry at the beginning of `rest`, which is shortened by it.
ZipEntry read_entry(ZipBytes& rest, std::uint64_t directory_offset) {
  const ZipBytes fixed = rest.part(0, kEntryBytes);
  if (fixed.u32(0) != kEntrySignature) fail("has a directory with a malformed entry");
  const std::size_t name_bytes = fixed.u16(28);
  const std::size_t extra_bytes = fixed.u16(30);
  const std::size_t all_bytes = kEntryBytes + name_bytes + extra_bytes + fixed.u16(32);
  ZipEntry entry = {.name = rest.part(kEntryBytes, name_bytes).text(),
                    .flags = fixed.u16(8),
                    .method = fixed.u16(10),
                    .crc = fixed.u32(16)};
  std::uint64_t numbers[3] = {fixed.u32(24), fixed.u32(20), fixed.u32(42)};
  const ZipBytes extra = rest.part(kEntryBytes + name_bytes, extra_bytes);
  if (fixed.u16(34) != 0 || !read_zip64(extra, numbers) || numbers[2] >= directory_offset) {
    fail("has a directory with a malformed entry for " + printable(entry.name));
  }
  entry.n_bytes = numbers[0];
  entry.n_stored_bytes = numbers[1];
  entry.offset = numbers[2];
  rest = rest.part(all_bytes, rest.size() - std::min(all_bytes, rest.size()));
  return entry;
}

}  // namespace

ZipBytes ZipBytes::part(std::uint64_t begin, std::uint64_t n_bytes) const {
  if (begin > bytes_.size() || n_bytes > bytes_.size() - begin) {
    fail("has a header that runs past its place");
  }
  return ZipBytes(bytes_.subspan(begin, n_bytes));
}

std::string_view ZipBytes::text() const noexcept {
  return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
}

std::uint64_t ZipBytes::number(std::size_t at, std::size_t n_bytes) const noexcept {
  assert(at <= bytes_.size() && n_bytes <= bytes_.size() - at);
  std::uint64_t value = 0;
  for (std::size_t byte = 0; byte < n_bytes; ++byte) {
    value |= std::to_integer<std::uint64_t>(bytes_[at + byte]) << (8 * byte);
  }
  return value;
}

bool read_zip64(ZipBytes extra, std::span<std::uint64_t> values) {
  const auto wanted = std::count(values.begin(), values.end(), kIn64);
  if (wanted == 0) return true;
  while (extra.size() >= 4) {
    const std::size_t n_bytes = extra.u16(2);
    if (n_bytes > extra.size() - 4) return false;
    if (extra.u16(0) == kExtension64) {
      if (n_bytes < 8 * static_cast<std::size_t>(wanted)) return false;
      std::size_t place = 4;
      for (std::uint64_t& value : values) {
        if (value != kIn64) continue;
        value = extra.u64(place);
        place += 8;
      }
      return true;
    }
    extra = extra.part(4 + n_bytes, extra.size() - 4 - n_bytes);
  }
  return false;
}

ZipDirectory read_zip_directory(ZipBytes file) {
  const Extent extent = read_extent(file);
  if (extent.n_entries > extent.n_bytes / kEntryBytes) {
    fail("has too short a directory for " + std::to_string(extent.n_entries) + " members");
  }
  if (extent.n_entries > kMaxZipMembers) {
    throw Error(ErrorCode::resource, "zip archive has " + std::to_string(extent.n_entries) +
                                         " members, more than " + std::to_string(kMaxZipMembers));
  }
  ZipDirectory directory = {.entries = {}, .offset = extent.offset};
  directory.entries.reserve(extent.n_entries);
  ZipBytes rest = file.part(extent.offset, extent.n_bytes);
  for (std::uint64_t entry = 0; entry < extent.n_entries; ++entry) {
    directory.entries.push_back(read_entry(rest, extent.offset));
  }
  if (rest.size() != 0) fail("has a directory with bytes after its last entry");
  std::sort(directory.entries.begin(), directory.entries.end(),
            [](const ZipEntry& a, const ZipEntry& b) { return a.offset < b.offset; });
  return directory;
}

}  // namespace espalier::checkpoint
