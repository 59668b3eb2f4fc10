// The loops are assembly because a compiler is free to lift a product of unchanging registers out
// of a loop of intrinsics.
#include "measure/peak.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "base/cpu_info.hpp"
#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

constexpr double kRunSeconds = 2e-3;
constexpr int kRuns = 5;

// Operands that are neither zero nor subnormal: as 8-bit or 16-bit codes, and as floats near 0.5.
constexpr std::uint32_t kPattern = 0x3F013F02;

#define ESPALIER_CLOBBERS_16                                                               \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc"

// In pairs: multiplies and adds want the same pipes, and this order lost least of the ones tried.
#define ESPALIER_WIDENING_PAIR(first, second)                                                      \
  "vpmaddwd %%ymm12, %%ymm13, %%ymm14\n vpmaddwd %%ymm12, %%ymm13, %%ymm15\n"                      \
  "vpaddd %%ymm14, %%ymm" first ", %%ymm" first "\n vpaddd %%ymm15, %%ymm" second ", %%ymm" second \
  "\n"

[[gnu::target("avx2")]] void widening(std::uint64_t n_loops) {
  asm volatile(
      "vpbroadcastd %1, %%ymm12\n vpbroadcastd %1, %%ymm13\n"
      ".p2align 5\n 1:\n" ESPALIER_WIDENING_PAIR("0", "1") ESPALIER_WIDENING_PAIR("2", "3")
          ESPALIER_WIDENING_PAIR("4", "5") ESPALIER_WIDENING_PAIR("6", "7") ESPALIER_WIDENING_PAIR(
              "8", "9") ESPALIER_WIDENING_PAIR("10", "11") "dec %0\n jnz 1b\n vzeroupper\n"
      : "+r"(n_loops)
      : "m"(kPattern)
      : ESPALIER_CLOBBERS_16);
}

#undef ESPALIER_WIDENING_PAIR

[[gnu::target("avx2")]] void bytes(std::uint64_t n_loops) {
  asm volatile(
      "vpbroadcastd %1, %%ymm12\n vpbroadcastd %1, %%ymm13\n"
      ".p2align 5\n 1:\n"
      ".irp sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
      "vpmaddubsw %%ymm12, %%ymm13, %%ymm14\n vpmaddwd %%ymm12, %%ymm14, %%ymm15\n"
      "vpaddd %%ymm15, %%ymm\\sum, %%ymm\\sum\n"
      ".endr\n"
      "dec %0\n jnz 1b\n vzeroupper\n"
      : "+r"(n_loops)
      : "m"(kPattern)
      : ESPALIER_CLOBBERS_16);
}

[[gnu::target("avx2")]] void vnni_256(std::uint64_t n_loops) {
  asm volatile(
      "vpbroadcastd %1, %%ymm12\n vpbroadcastd %1, %%ymm13\n"
      ".p2align 5\n 1:\n"
      ".irp sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
      "%{vex%} vpdpbusd %%ymm12, %%ymm13, %%ymm\\sum\n"
      ".endr\n"
      "dec %0\n jnz 1b\n vzeroupper\n"
      : "+r"(n_loops)
      : "m"(kPattern)
      : ESPALIER_CLOBBERS_16);
}

[[gnu::target("avx2,fma")]] void fma_256(std::uint64_t n_loops) {
  asm volatile(
      "vpbroadcastd %1, %%ymm12\n vpbroadcastd %1, %%ymm13\n"
      ".irp sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
      "vxorps %%ymm\\sum, %%ymm\\sum, %%ymm\\sum\n"
      ".endr\n"
      ".p2align 5\n 1:\n"
      ".irp sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
      "vfmadd231ps %%ymm12, %%ymm13, %%ymm\\sum\n"
      ".endr\n"
      "dec %0\n jnz 1b\n vzeroupper\n"
      : "+r"(n_loops)
      : "m"(kPattern)
      : ESPALIER_CLOBBERS_16);
}

#define ESPALIER_CLOBBERS_32                                                                    \
  ESPALIER_CLOBBERS_16, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", \
      "xmm24", "xmm25"

[[gnu::target("avx512f")]] void vnni_512(std::uint64_t n_loops) {
  asm volatile(
      "vpbroadcastd %1, %%zmm24\n vpbroadcastd %1, %%zmm25\n"
      ".p2align 6\n 1:\n"
      ".irp sum, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\n"
      "vpdpbusd %%zmm24, %%zmm25, %%zmm\\sum\n"
      ".endr\n"
      "dec %0\n jnz 1b\n vzeroupper\n"
      : "+r"(n_loops)
      : "m"(kPattern)
      : ESPALIER_CLOBBERS_32);
}

[[gnu::target("avx512f")]] void fma_512(std::uint64_t n_loops) {
  asm volatile(
      "vpbroadcastd %1, %%zmm24\n vpbroadcastd %1, %%zmm25\n"
      ".irp sum, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\n"
      "vpxord %%zmm\\sum, %%zmm\\sum, %%zmm\\sum\n"
      ".endr\n"
      ".p2align 6\n 1:\n"
      ".irp sum, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\n"
      "vfmadd231ps %%zmm24, %%zmm25, %%zmm\\sum\n"
      ".endr\n"
      "dec %0\n jnz 1b\n vzeroupper\n"
      : "+r"(n_loops)
      : "m"(kPattern)
      : ESPALIER_CLOBBERS_32);
}

#undef ESPALIER_CLOBBERS_32
#undef ESPALIER_CLOBBERS_16

struct PeakLoop {
  std::string_view name;
  void (*run)(std::uint64_t n_loops);
  double n_macs;  // multiply-adds of one turn: accumulators * those of one instruction
};

// In the order of PeakOp.
constexpr std::array<PeakLoop, 6> kLoops = {{
    {"vpmaddwd + vpaddd, ymm", widening, 12 * 16},
    {"vpmaddubsw + vpmaddwd + vpaddd, ymm", bytes, 12 * 32},
    {"vpdpbusd, ymm", vnni_256, 12 * 32},
    {"vpdpbusd, zmm", vnni_512, 24 * 64},
    {"vfmadd231ps, ymm", fma_256, 12 * 8},
    {"vfmadd231ps, zmm", fma_512, 24 * 16},
}};

const PeakLoop& loop_of(PeakOp op) noexcept {
  return kLoops[static_cast<std::size_t>(op)];
}

// Seconds until the slowest member of the team has done its loops, all started together.
double run_seconds(const PeakLoop& loop, std::uint64_t n_loops, ThreadTeam& team) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds(team.size());
  team.run([&](unsigned member) {
    team.meet();
    const Clock::time_point start = Clock::now();
    loop.run(n_loops);
    seconds[member] = std::chrono::duration<double>(Clock::now() - start).count();
  });
  return *std::max_element(seconds.begin(), seconds.end());
}

Isa isa_in_use() {
  const Isa isa = usable_isa();
  if (isa < Isa::avx2) {
    throw Error(ErrorCode::unavailable, "the kernels need AVX2, this processor has " +
                                            std::string(isa_name(isa)) +
                                            "; there is no peak to compare with");
  }
  return isa;
}

}  // namespace

std::string_view name_of(PeakOp op) noexcept {
  return loop_of(op).name;
}

PeakOp int8_op_in_use() {
  const Isa isa = isa_in_use();
  if (isa >= Isa::avx512_vnni) return PeakOp::int8_vnni_512;
  return isa == Isa::avx2_vnni ? PeakOp::int8_vnni_256 : PeakOp::int8_widening;
}

PeakOp fp32_op_in_use() {
  return isa_in_use() >= Isa::avx512_vnni ? PeakOp::fp32_512 : PeakOp::fp32_256;
}

double peak_gmac_per_s(PeakOp op, ThreadTeam& team) {
  const PeakLoop& loop = loop_of(op);
  constexpr std::uint64_t kTrial = 20'000;
  const double trial_seconds = run_seconds(loop, kTrial, team);
  const auto n_loops = static_cast<std::uint64_t>(kTrial * (kRunSeconds / trial_seconds)) + 1;
  double seconds = run_seconds(loop, n_loops, team);
  for (int turn = 1; turn < kRuns; ++turn) {
    seconds = std::min(seconds, run_seconds(loop, n_loops, team));
  }
  return loop.n_macs * static_cast<double>(n_loops) * team.size() / seconds / 1e9;
}

}  // namespace espalier::measure
