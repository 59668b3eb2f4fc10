#include "format/checksum.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <new>

#include "espalier/error.hpp"

namespace espalier::format {

struct Checksum::State {
  XXH3_state_t value;
};

std::uint64_t checksum_of(std::span<const std::byte> bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

Checksum::Checksum() : state_(new (std::nothrow) State) {
  if (state_ == nullptr) throw Error(ErrorCode::resource, "out of memory for a checksum");
  XXH3_64bits_reset(&state_->value);
}

Checksum::~Checksum() = default;

void Checksum::add(std::span<const std::byte> bytes) noexcept {
  XXH3_64bits_update(&state_->value, bytes.data(), bytes.size());
}

std::uint64_t Checksum::value() const noexcept {
  return XXH3_64bits_digest(&state_->value);
}

}  // namespace espalier::format
