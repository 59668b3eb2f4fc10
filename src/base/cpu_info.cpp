#include "base/cpu_info.hpp"

#include <sched.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/printable.hpp"
#include "espalier/error.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace espalier {
namespace {

constexpr std::array<std::pair<Isa, std::string_view>, 5> kNames = {{
    {Isa::baseline, "baseline"},
    {Isa::avx2, "avx2"},
    {Isa::avx2_vnni, "avx2_vnni"},
    {Isa::avx512_vnni, "avx512_vnni"},
    {Isa::amx, "amx"},
}};

#if defined(__x86_64__)
struct Cpuid {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  Cpuid(unsigned leaf, unsigned subleaf) {
    __get_cpuid_count(leaf, subleaf, &eax, &ebx, &ecx, &edx);
  }
};

constexpr bool bit(unsigned word, unsigned index) {
  return ((word >> index) & 1U) != 0;
}

// Register files the operating system saves (XCR0): 2+4 ymm, 5..7 zmm, 17+18 tiles.
std::uint64_t saved_state() {
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}
#endif

Isa detect() noexcept {
#if defined(__x86_64__)
  const Cpuid base(1, 0);
  if (!bit(base.ecx, 27)) return Isa::baseline;  // OSXSAVE
  const std::uint64_t state = saved_state();
  const Cpuid extended(7, 0);
  const Cpuid extended1(7, 1);
  const bool fma = bit(base.ecx, 12), f16c = bit(base.ecx, 29), avx2 = bit(extended.ebx, 5);
  if ((state & 0x6) != 0x6 || !fma || !f16c || !avx2) return Isa::baseline;
  const bool avx512 = bit(extended.ebx, 16) && bit(extended.ebx, 17) && bit(extended.ebx, 30) &&
                      bit(extended.ebx, 31) && (state & 0xe6) == 0xe6;  // F, DQ, BW, VL
  const bool vnni512 = avx512 && bit(extended.ecx, 11);
  const bool amx = vnni512 && bit(extended.edx, 24) && bit(extended.edx, 25) &&  // TILE, INT8
                   (state & 0x60000) == 0x60000;
  if (amx) return Isa::amx;
  if (vnni512) return Isa::avx512_vnni;
  if (bit(extended1.eax, 4)) return Isa::avx2_vnni;
  return Isa::avx2;
#else
  return Isa::baseline;
#endif
}

}  // namespace

std::string_view isa_name(Isa isa) noexcept {
  for (const auto& [value, name] : kNames) {
    if (value == isa) return name;
  }
  return "unknown";
}

Isa detected_isa() noexcept {
  static const Isa isa = detect();
  return isa;
}

Isa usable_isa() {
  const char* wanted = std::getenv("ESPALIER_MAX_ISA");
  if (wanted == nullptr || *wanted == '\0') return detected_isa();
  std::string known;
  for (const auto& [value, name] : kNames) {
    if (name == wanted) return value < detected_isa() ? value : detected_isa();
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw Error(ErrorCode::usage,
              "ESPALIER_MAX_ISA is " + printable(wanted) + "; it may be one of " + known);
}

bool multiplies_bf16() noexcept {
#if defined(__x86_64__)
  return detected_isa() >= Isa::avx512_vnni && bit(Cpuid(7, 1).eax, 5);
#else
  return false;
#endif
}

std::string cpu_name() {
  std::string name = "unknown";
  if (std::FILE* file = std::fopen("/proc/cpuinfo", "re")) {
    char line[256];
    char value[200];
    while (std::fgets(line, sizeof line, file) != nullptr) {
      if (std::sscanf(line, "model name : %199[^\n]", value) == 1) {
        name = value;
        break;
      }
    }
    std::fclose(file);
  }
  return name;
}

unsigned usable_cpus() noexcept {
  // A plain cpu_set_t ends at 1024 processors, and the kernel refuses a set smaller than its own.
  constexpr std::size_t kMostCpus = 65536;
  std::array<cpu_set_t, kMostCpus / CPU_SETSIZE> sets{};
  if (::sched_getaffinity(0, sizeof sets, sets.data()) != 0) return 1;
  const int count = CPU_COUNT_S(sizeof sets, sets.data());
  return count > 0 ? static_cast<unsigned>(count) : 1;
}

}  // namespace espalier
