#include "compress/checkpoint/zip_archive.hpp"

#include <algorithm>
#include <string>

#include "base/printable.hpp"
#include "compress/checkpoint/crc32.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kDescriptorSignature = 0x08074b50;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kShortDescriptorBytes = 16;  // sizes of 32 bits
constexpr std::size_t kLongDescriptorBytes = 24;   // sizes of 64 bits

[[noreturn]] void fail(const ZipEntry& entry, const std::string& what) {
  throw Error(ErrorCode::bad_input, "member " + printable(entry.name) + " at byte " +
                                        std::to_string(entry.offset) + " " + what);
}

void check_method(const ZipEntry& entry) {
  if ((entry.flags & kZipEncrypted) != 0) fail(entry, "is encrypted");
  if ((entry.flags & ~(kZipUtf8 | kZipDescriptor)) != 0) {
    fail(entry, "has flags " + std::to_string(entry.flags) + ", which torch.save never sets");
  }
  if (entry.method != 0 || entry.n_stored_bytes != entry.n_bytes) {
    fail(entry,
         "is compressed; torch.save stores its members plainly. Load and save it with "
         "torch again");
  }
}

// The descriptor that follows the bytes of a member whose header was written before them.
void check_descriptor(const ZipEntry& entry, ZipBytes descriptor) {
  bool right = false;
  if (descriptor.size() == kShortDescriptorBytes) {
    right = descriptor.u32(8) == entry.n_bytes && descriptor.u32(12) == entry.n_bytes;
  } else if (descriptor.size() == kLongDescriptorBytes) {
    right = descriptor.u64(8) == entry.n_bytes && descriptor.u64(16) == entry.n_bytes;
  }
  if (!right || descriptor.u32(0) != kDescriptorSignature || descriptor.u32(4) != entry.crc) {
    fail(entry, "is not followed by the descriptor that its flags announce");
  }
}

// The 32-bit sizes of a local header must say what the directory says, in their own way.
void check_local_sizes(const ZipEntry& entry, ZipBytes local, ZipBytes extra) {
  const std::uint32_t crc = local.u32(14);
  std::uint64_t sizes[2] = {local.u32(22),
                            local.u32(18)};  // plain, stored: as the extension has it
  if ((entry.flags & kZipDescriptor) != 0 && crc == 0 && sizes[0] == 0 && sizes[1] == 0) return;
  if (!read_zip64(extra, sizes) || crc != entry.crc || sizes[0] != entry.n_bytes ||
      sizes[1] != entry.n_bytes) {
    fail(entry, "has another size or checksum in its own header than in the directory");
  }
}

// The bytes of `entry`, which with its headers must fill the file up to `end` exactly.
std::span<const std::byte> read_entry(ZipBytes file, const ZipEntry& entry, std::uint64_t end) {
  const std::uint64_t room = end - entry.offset;
  if (room < kLocalBytes) fail(entry, "overlaps what follows it");
  const ZipBytes local = file.part(entry.offset, kLocalBytes);
  if (local.u32(0) != kLocalSignature) fail(entry, "has no header there");
  const std::uint64_t name_bytes = local.u16(26);
  const std::uint64_t extra_bytes = local.u16(28);
  const std::uint64_t header_bytes = kLocalBytes + name_bytes + extra_bytes;
  if (header_bytes > room || entry.n_bytes > room - header_bytes) {
    fail(entry, "overlaps what follows it");
  }
  if (file.part(entry.offset + kLocalBytes, name_bytes).text() != entry.name) {
    fail(entry, "has another name in its own header than in the directory");
  }
  if (local.u16(6) != entry.flags || local.u16(8) != entry.method) {
    fail(entry, "has other flags in its own header than in the directory");
  }
  check_local_sizes(entry, local, file.part(entry.offset + kLocalBytes + name_bytes, extra_bytes));
  const std::uint64_t data = entry.offset + header_bytes;
  const ZipBytes rest = file.part(data + entry.n_bytes, end - data - entry.n_bytes);
  if ((entry.flags & kZipDescriptor) != 0) {
    check_descriptor(entry, rest);
  } else if (rest.size() != 0) {
    fail(entry, "is followed by " + std::to_string(rest.size()) + " bytes that belong to nothing");
  }
  const std::span<const std::byte> bytes = file.part(data, entry.n_bytes).bytes();
  if (crc32(bytes) != entry.crc) fail(entry, "does not have its checksum; the file is damaged");
  return bytes;
}

void check_unique(const std::vector<ZipMember>& members) {
  const auto twice =
      std::adjacent_find(members.begin(), members.end(),
                         [](const ZipMember& a, const ZipMember& b) { return a.name == b.name; });
  if (twice == members.end()) return;
  throw Error(ErrorCode::bad_input, "archive has the member " + printable(twice->name) + " twice");
}

}  // namespace

ZipArchive ZipArchive::read(std::span<const std::byte> bytes, const ZipDirectory& directory) {
  const ZipBytes file(bytes);
  ZipArchive archive;
  archive.members_.reserve(directory.entries.size());
  if (directory.offset != 0 &&
      (directory.entries.empty() || directory.entries.front().offset != 0)) {
    throw Error(ErrorCode::bad_input, "archive does not begin with a member");
  }
  for (std::size_t entry = 0; entry < directory.entries.size(); ++entry) {
    const bool is_last = entry + 1 == directory.entries.size();
    const ZipEntry& here = directory.entries[entry];
    check_method(here);
    const std::uint64_t end = is_last ? directory.offset : directory.entries[entry + 1].offset;
    archive.members_.push_back({here.name, read_entry(file, here, end)});
  }
  std::sort(archive.members_.begin(), archive.members_.end(),
            [](const ZipMember& a, const ZipMember& b) { return a.name < b.name; });
  check_unique(archive.members_);
  return archive;
}

const ZipMember* ZipArchive::find(std::string_view name) const noexcept {
  const auto place = std::lower_bound(
      members_.begin(), members_.end(), name,
      [](const ZipMember& member, std::string_view wanted) { return member.name < wanted; });
  return place == members_.end() || place->name != name ? nullptr : &*place;
}

}  // namespace espalier::checkpoint
