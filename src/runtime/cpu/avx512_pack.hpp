// Lays a head's codes out as the VNNI tiles read them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace espalier::runtime::cpu {

/// A head's s8 codes, row by row.
struct HeadCodes {
  const std::int8_t* codes = nullptr;  // (rows, head_dim)
  std::size_t stride = 0;              // elements
  std::uint32_t n_rows = 0;
  std::uint32_t head_dim = 0;
};

/// dst: [rows/64][depth/4][64][4], depth = head_dim rounded up to 16, where a row is a key: columns
/// up to the next multiple of 16 are written, 0 past the last row and past head_dim.
void pack_keys(HeadCodes keys, std::int8_t* dst) noexcept;

/// dst: for each 64 columns of a row [rows/4][columns][4], the last ones rounded up to 16: what a
/// context tile reads; 0 past head_dim and past the last row up to the next multiple of 16.
void pack_values(HeadCodes values, std::int8_t* dst) noexcept;

/// dst (rows, head_dim rounded up to 16) = codes + 128.
void shift_codes(HeadCodes src, std::uint8_t* dst) noexcept;

}  // namespace espalier::runtime::cpu
