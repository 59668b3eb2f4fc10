// Reads the plain kind of zip archive that torch.save writes: members stored one after the other,
// then the directory. What other readers could read differently is refused: compression,
// encryption, two members of one name, headers that disagree, bytes that belong to no member.
// Format: PKWARE's APPNOTE 6.3, with its 64-bit extension.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "compress/checkpoint/zip_directory.hpp"

namespace espalier::checkpoint {

/// A member of an archive, borrowed from the archive's bytes. Names are never used as paths.
struct ZipMember {
  std::string_view name;
  std::span<const std::byte> bytes;
};

/// Members with their names ascending.
class ZipArchive {
 public:
  /// Checks all headers and checksums of `file`, whose directory was read by read_zip_directory.
  /// Throws Error(bad_input) naming member and byte. Memory: 32 bytes a member.
  static ZipArchive read(std::span<const std::byte> file, const ZipDirectory& directory);

  [[nodiscard]] const std::vector<ZipMember>& members() const noexcept { return members_; }

  /// The member called `name`, or null.
  [[nodiscard]] const ZipMember* find(std::string_view name) const noexcept;

 private:
  std::vector<ZipMember> members_;
};

}  // namespace espalier::checkpoint
