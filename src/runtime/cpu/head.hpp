// The heads' matmuls on the CPU: pooler, classifier, masked-LM decoder, in fp32.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/cpu/prepared.hpp"

namespace espalier::runtime::cpu {

/// As Backend::head().
void run_head(CpuWorkspace& ws, std::span<const std::uint32_t> rows, std::span<float> dst);

}  // namespace espalier::runtime::cpu
