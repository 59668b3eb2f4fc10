// What the CPU back end runs on each instruction set: rows of one table, chosen at run time.
#pragma once

#include <memory>
#include <string_view>

#include "base/cpu_info.hpp"
#include "runtime/cpu/attention.hpp"
#include "runtime/cpu/linear.hpp"
#include "runtime/cpu/rows.hpp"

namespace espalier::runtime::cpu {

/// The kernels for processors from `isa` on. Linears of precisions that `make_linears` has no
/// kernel of its own for run on narrower instructions.
struct Kernels {
  Isa isa;
  std::string_view int8_path;  ///< for reports
  const RowKernels& (*rows)() noexcept;
  std::unique_ptr<LinearMaker> (*make_linears)();
  std::unique_ptr<Attention> (*make_attention)(const AttentionSizes& sizes, Arena& arena);
};

/// The widest kernels that a processor with `isa` runs; null below AVX2.
[[nodiscard]] const Kernels* best_kernels(Isa isa) noexcept;

}  // namespace espalier::runtime::cpu
