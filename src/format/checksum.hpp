// XXH3-64 of a file's bytes: guards against damage, not against an attacker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace espalier::format {

/// XXH3-64, seed 0, of `bytes`. Source: xxhash.com, XXH3_64bits.
[[nodiscard]] std::uint64_t checksum_of(std::span<const std::byte> bytes) noexcept;

/// The same over bytes that come in pieces.
class Checksum {
 public:
  /// Throws Error(resource) when memory runs out.
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;

  void add(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace espalier::format
