// Walks over the data segment once, part by part: what the header says must follow without gap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "format/container.hpp"
#include "format/refuse.hpp"

namespace espalier::format {

class DataCursor {
 public:
  /// segment: a multiple of 64 bytes.
  explicit DataCursor(std::span<const std::byte> segment) : segment_(segment) {}

  /// The part that begins here, as the header describes it, and steps over its padding.
  /// Throws Error(verification) when `offset` is another place, when `n_bytes` is 0 or more than
  /// is left, or when the padding is not zero.
  std::span<const std::byte> take(std::string_view where, std::uint64_t offset,
                                  std::uint64_t n_bytes) {
    if (offset != position_) {
      refuse(where, "expected offset " + std::to_string(position_) + " got " +
                        std::to_string(offset) + "; parts follow one another without gap");
    }
    const std::size_t left = segment_.size() - position_;
    if (n_bytes == 0 || n_bytes > left) {
      refuse(where, "expected 1 to " + std::to_string(left) + " bytes, which are left, got " +
                        std::to_string(n_bytes));
    }
    const auto size = static_cast<std::size_t>(n_bytes);
    const auto padding = segment_.subspan(position_ + size, padded(size) - size);
    for (const std::byte byte : padding) {
      if (byte != std::byte{0}) refuse(where, "is followed by padding that is not zero");
    }
    const std::span<const std::byte> part = segment_.subspan(position_, size);
    position_ += padded(size);
    return part;
  }

  /// Throws Error(verification) when bytes are left that belong to no part.
  void finish() const {
    if (position_ == segment_.size()) return;
    refuse("data segment",
           std::to_string(segment_.size() - position_) + " bytes at its end belong to no part");
  }

 private:
  std::span<const std::byte> segment_;
  std::size_t position_ = 0;
};

}  // namespace espalier::format
