// The checksum of zip archives: CRC-32 of ISO 3309, polynomial 0xEDB88320, bits reflected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace espalier::checkpoint {

/// Over 1 GB/s on one core, so that a checkpoint is checked in the time it takes to be read.
[[nodiscard]] std::uint32_t crc32(std::span<const std::byte> bytes) noexcept;

}  // namespace espalier::checkpoint
