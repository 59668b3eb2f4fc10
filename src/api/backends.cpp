// The only file of the library that asks which back ends were built.
#include "api/backends.hpp"

#include <array>
#include <cstdlib>
#include <string>

#include "base/cpu_info.hpp"
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

/// The last row runs everywhere and uses nothing that only some processors have.
bool runs_everywhere(const BackendRow& row) {
  return &row == &kBackends.back();
}

void tell_of_lowered_isa(const LogFunction& log) {
  if (!log || usable_isa() == detected_isa()) return;
  log(LogLevel::warning, "ESPALIER_MAX_ISA lowers the instruction set from " +
                             std::string(isa_name(detected_isa())) + " to " +
                             std::string(isa_name(usable_isa())));
}

ChosenBackend make(const BackendRow& row, std::string_view why, const LogFunction& log) {
  ChosenBackend chosen{row.name, row.make()};
  if (!runs_everywhere(row)) tell_of_lowered_isa(log);
  if (log) log(LogLevel::info, "back end " + std::string(row.name) + ": " + std::string(why));
  return chosen;
}

ChosenBackend first_available(const LogFunction& log) {
  for (const BackendRow& row : kBackends) {
    try {
      return make(row, "the fastest that runs here", log);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unavailable || runs_everywhere(row)) throw;
      tell_of_lowered_isa(log);
      if (log) {
        log(LogLevel::warning, "back end " + std::string(row.name) +
                                   " does not run here, a slower one will: " + error.what());
      }
    }
  }
  throw Error(ErrorCode::unavailable, "this build has no back end; rebuild it");
}

}  // namespace

std::span<const BackendRow> backends() noexcept {
  return kBackends;
}

ChosenBackend choose_backend(std::string_view name, const LogFunction& log) {
  std::string_view source = "back end";
  std::string_view why = "asked for";
  if (name.empty() || name == kAutoBackend) {
    const char* variable = std::getenv("ESPALIER_BACKEND");
    if (variable == nullptr || *variable == '\0' || variable == kAutoBackend) {
      return first_available(log);
    }
    name = variable;
    source = "ESPALIER_BACKEND: back end";
    why = "ESPALIER_BACKEND says so";
  }
  for (const BackendRow& row : kBackends) {
    if (row.name == name) return make(row, why, log);
  }
  throw Error(ErrorCode::usage, std::string(source) + ' ' + printable(name) +
                                    " is unknown; this build has " + known_names());
}

}  // namespace espalier::api
