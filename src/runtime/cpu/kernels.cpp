#include "runtime/cpu/kernels.hpp"

#include <array>

namespace espalier::runtime::cpu {
namespace {

// Widest first.
constexpr std::array kKernels = {
    Kernels{Isa::avx512_vnni, "avx512 vnni", avx512_rows, make_vnni_linears, make_avx512_attention},
    Kernels{Isa::avx2, "avx2 widening", avx2_rows, make_avx2_linears, make_avx2_attention},
};

}  // namespace

const Kernels* best_kernels(Isa isa) noexcept {
  for (const Kernels& row : kKernels) {
    if (row.isa <= isa) return &row;
  }
  return nullptr;
}

}  // namespace espalier::runtime::cpu
