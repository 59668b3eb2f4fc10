#include "tests/conformance/backends.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "base/cpu_info.hpp"
#include "runtime/reference/reference.hpp"
#ifdef ESPALIER_HAS_CPU_BACKEND
#include "runtime/cpu/cpu_backend.hpp"
#include "runtime/cpu/linear.hpp"
#endif

namespace espalier::testing {

#ifdef ESPALIER_HAS_CPU_BACKEND
namespace {

using runtime::cpu::Int8Matmuls;

/// The back end of a processor that has `isa` and no more, chosen as a user chooses it.
std::unique_ptr<runtime::Backend> make_as_on(Isa isa, Int8Matmuls int8) {
  constexpr const char* kVariable = "ESPALIER_MAX_ISA";
  const char* const set = std::getenv(kVariable);
  const std::optional<std::string> before = set != nullptr ? std::optional(set) : std::nullopt;
  ::setenv(kVariable, std::string(isa_name(std::min(isa, usable_isa()))).c_str(), 1);
  auto backend = runtime::cpu::make_cpu_backend(int8);
  if (before) {
    ::setenv(kVariable, before->c_str(), 1);
  } else {
    ::unsetenv(kVariable);
  }
  return backend;
}

}  // namespace
#endif

std::vector<const runtime::Backend*> all_backends() {
  std::vector<const runtime::Backend*> backends = {&runtime::reference_backend()};
#ifdef ESPALIER_HAS_CPU_BACKEND
  // Names tell tests apart, so each of these has one of its own.
  if (usable_isa() >= Isa::avx2) {  // the widest kernels of ours
    static const auto widest = make_as_on(Isa::avx512_vnni, Int8Matmuls::best);
    backends.push_back(widest.get());
  }
  if (usable_isa() > Isa::avx2) {
    static const auto avx2 = make_as_on(Isa::avx2, Int8Matmuls::own);
    backends.push_back(avx2.get());
  }
  if (usable_isa() > Isa::avx512_vnni && runtime::cpu::onednn_int8_is_exact()) {
    static const auto library = make_as_on(usable_isa(), Int8Matmuls::onednn);
    backends.push_back(library.get());
  }
#endif
  return backends;
}

std::string test_name(const runtime::Backend& backend) {
  std::string name(backend.name());
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return name;
}

}  // namespace espalier::testing
