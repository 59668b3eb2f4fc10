// Opens an .espl file and hands it out as a ModelSpec once everything in it is known to be sound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "base/file_bytes.hpp"
#include "format/spec.hpp"

namespace espalier::format {

/// A verified model file: its bytes and the spec whose views point into them. Movable; the views
/// stay good. Immutable, so any number of threads may read it.
class ModelFile {
 public:
  /// Reads and verifies `path`: checksum, then structure, then meaning.
  /// Throws Error(bad_input) when it cannot be read or is no .espl file at all, Error(verification)
  /// when it is one and does not hold, Error(resource) when memory runs out.
  [[nodiscard]] static ModelFile open(const std::filesystem::path& path,
                                      FileAccess access = FileAccess::read);

  /// The same for bytes that are at hand.
  [[nodiscard]] static ModelFile parse(FileBytes bytes);

  /// Tensors are 64-byte aligned and live as long as this file.
  [[nodiscard]] const ModelSpec& spec() const noexcept { return spec_; }

  /// XXH3-64 of every byte before the trailer, which the trailer repeats.
  [[nodiscard]] std::uint64_t checksum() const noexcept { return checksum_; }
  [[nodiscard]] std::string checksum_hex() const;  ///< 16 digits

  [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_.bytes().size(); }
  [[nodiscard]] std::uint32_t version() const noexcept;

 private:
  ModelFile(FileBytes bytes, ModelSpec spec, std::uint64_t checksum)
      : bytes_(std::move(bytes)), spec_(std::move(spec)), checksum_(checksum) {}

  FileBytes bytes_;
  ModelSpec spec_;
  std::uint64_t checksum_ = 0;
};

}  // namespace espalier::format
