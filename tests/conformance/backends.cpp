#include "tests/conformance/backends.hpp"

#include <memory>

#include "base/cpu_info.hpp"
#include "runtime/reference/reference.hpp"
#ifdef ESPALIER_HAS_CPU_BACKEND
#include "runtime/cpu/cpu_backend.hpp"
#endif

namespace espalier::testing {

std::vector<const runtime::Backend*> all_backends() {
  std::vector<const runtime::Backend*> backends = {&runtime::reference_backend()};
#ifdef ESPALIER_HAS_CPU_BACKEND
  using runtime::cpu::make_cpu_backend;
  if (usable_isa() >= Isa::avx2) {
    static const std::unique_ptr<runtime::Backend> best = make_cpu_backend();
    backends.push_back(best.get());
  }
  if (usable_isa() >= Isa::avx2_vnni) {  // where `best` leaves int8 to oneDNN
    static const auto own = make_cpu_backend(runtime::cpu::Int8Matmuls::own);
    backends.push_back(own.get());
  }
#endif
  return backends;
}

}  // namespace espalier::testing
