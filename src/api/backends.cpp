// The only file of the library that asks which back ends were built.
#include "api/backends.hpp"

#include <array>
#include <cstdlib>
#include <string>

#include "base/printable.hpp"
#include "espalier/error.hpp"
#include "runtime/reference/reference.hpp"
#ifdef ESPALIER_HAS_CPU_BACKEND
#include "runtime/cpu/cpu_backend.hpp"
#endif

namespace espalier::api {
namespace {

std::shared_ptr<const runtime::Backend> make_reference() {
  // Not owned: the one instance has no state and lives as long as the program.
  return {std::shared_ptr<void>(), &runtime::reference_backend()};
}

#ifdef ESPALIER_HAS_CPU_BACKEND
std::shared_ptr<const runtime::Backend> make_cpu() {
  return runtime::cpu::make_cpu_backend();
}
#endif

constexpr std::array kBackends = {
#ifdef ESPALIER_HAS_CPU_BACKEND
    BackendRow{"cpu", make_cpu},
#endif
    BackendRow{"reference", make_reference},
};

std::string known_names() {
  std::string names(kAutoBackend);
  for (const BackendRow& row : kBackends) names.append(", ").append(row.name);
  return names;
}

ChosenBackend first_available() {
  for (const BackendRow& row : kBackends) {
    try {
      return {row.name, row.make()};
    } catch (const Error& error) {
      // The last row runs everywhere; if it does not, its reason is the caller's.
      if (error.code() != ErrorCode::unavailable || &row == &kBackends.back()) throw;
    }
  }
  throw Error(ErrorCode::unavailable, "this build has no back end; rebuild it");
}

}  // namespace

std::span<const BackendRow> backends() noexcept {
  return kBackends;
}

ChosenBackend choose_backend(std::string_view name) {
  std::string_view source = "back end";
  if (name.empty() || name == kAutoBackend) {
    const char* variable = std::getenv("ESPALIER_BACKEND");
    if (variable == nullptr || *variable == '\0' || variable == kAutoBackend) {
      return first_available();
    }
    name = variable;
    source = "ESPALIER_BACKEND: back end";
  }
  for (const BackendRow& row : kBackends) {
    if (row.name == name) return {row.name, row.make()};
  }
  throw Error(ErrorCode::usage, std::string(source) + ' ' + printable(name) +
                                    " is unknown; this build has " + known_names());
}

}  // namespace espalier::api
