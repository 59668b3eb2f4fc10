#include "compress/checkpoint/crc32.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace espalier::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "crc32 loads words of little-endian");

constexpr std::uint32_t kPolynomial = 0xEDB88320;
constexpr std::size_t kStride = 16;  // bytes a step: their table look-ups do not wait on each other

// kTables[k][b] is the checksum of byte b with k zero bytes after it.
using Tables = std::array<std::array<std::uint32_t, 256>, kStride>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ ((rest & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = rest;
  }
  for (std::size_t zeros = 1; zeros < kStride; ++zeros) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t shorter = tables[zeros - 1][byte];
      tables[zeros][byte] = shorter >> 8 ^ tables[0][shorter & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

// The share of eight bytes that have `zeros` bytes after them in a step.
std::uint32_t share(std::uint64_t word, std::size_t zeros) noexcept {
  std::uint32_t sum = 0;
  for (std::size_t byte = 0; byte < 8; ++byte) {
    sum ^= kTables[zeros + 7 - byte][word >> (8 * byte) & 0xff];
  }
  return sum;
}

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  std::uint32_t rest = 0xffffffff;
  while (bytes.size() >= kStride) {
    std::uint64_t words[2];
    std::memcpy(words, bytes.data(), sizeof words);
    rest = share(words[0] ^ rest, 8) ^ share(words[1], 0);
    bytes = bytes.subspan(kStride);
  }
  for (const std::byte byte : bytes) {
    rest = rest >> 8 ^ kTables[0][(rest ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
  }
  return ~rest;
}

}  // namespace espalier::checkpoint
