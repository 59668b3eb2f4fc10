// What the processor can do, lowered by ESPALIER_MAX_ISA so that every path is tested on one
// machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace espalier {

/// Instruction sets that choose a code path, each including the ones before it.
enum class Isa : std::uint8_t { baseline, avx2, avx2_vnni, avx512_vnni, amx };

[[nodiscard]] std::string_view isa_name(Isa isa) noexcept;

/// The best instruction set that processor and operating system offer.
[[nodiscard]] Isa detected_isa() noexcept;

/// detected_isa(), lowered to the environment's ESPALIER_MAX_ISA (a name of isa_name()) when set.
/// An empty value counts as unset. Throws Error(usage) when it names no instruction set.
[[nodiscard]] Isa usable_isa();

/// Whether the processor multiplies bfloat16 numbers by itself (AVX512-BF16, which every processor
/// with AMX-BF16 has too). Not lowered by ESPALIER_MAX_ISA: training does not ask for that.
[[nodiscard]] bool multiplies_bf16() noexcept;

/// Name of the processor as the operating system gives it; "unknown" where it does not.
[[nodiscard]] std::string cpu_name();

/// Number of processors the calling thread may run on (cpuset and affinity respected, CPU time
/// quotas not), at least 1.
[[nodiscard]] unsigned usable_cpus() noexcept;

}  // namespace espalier
