// What this machine can multiply at most: the rate of the instructions that the back end's kernels
// are made of, on registers alone. Every share of peak that a report states is of these.
//
// The AMX tiles are not measured: that path is the library's, and its shares are of vpdpbusd.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/thread_team.hpp"

namespace espalier::measure {

/// A loop of independent multiply-adds, with enough accumulators to hide their latency.
enum class PeakOp : std::uint8_t {
  int8_widening,  ///< vpmaddwd on pairs of 16-bit codes, vpaddd; ymm
  int8_bytes,     ///< vpmaddubsw, vpmaddwd, vpaddd; ymm. Saturates: no kernel of ours uses it
  int8_vnni_256,  ///< vpdpbusd; ymm
  int8_vnni_512,  ///< vpdpbusd; zmm
  fp32_256,       ///< vfmadd231ps; ymm
  fp32_512,       ///< vfmadd231ps; zmm
};

/// Instructions of a loop, for reports.
[[nodiscard]] std::string_view name_of(PeakOp op) noexcept;

/// The best instruction of the path that runs here (ESPALIER_MAX_ISA lowers it).
/// Throws Error(unavailable) below AVX2 and on processors other than x86-64.
[[nodiscard]] PeakOp int8_op_in_use();
[[nodiscard]] PeakOp fp32_op_in_use();

/// Multiply-adds per second, in 10^9, of all members of `team` together: the best of a few runs of
/// about 2 ms. The processor must have the instructions. Throws Error(unavailable) as above.
[[nodiscard]] double peak_gmac_per_s(PeakOp op, ThreadTeam& team);

}  // namespace espalier::measure
