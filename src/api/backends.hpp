// The back ends of this build, fastest first, and how a session's choice finds one.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "espalier/session.hpp"
#include "runtime/backend.hpp"

namespace espalier::api {

/// Name that stands for the first back end that runs here.
inline constexpr std::string_view kAutoBackend = "auto";

/// One row a back end. To add one: its header, a row in backends.cpp, its target in CMakeLists.txt.
struct BackendRow {
  std::string_view name;
  /// Makes it. Throws Error(unavailable) saying what this machine lacks.
  std::shared_ptr<const runtime::Backend> (*make)();
};

[[nodiscard]] std::span<const BackendRow> backends() noexcept;

/// A row's back end, made.
struct ChosenBackend {
  std::string_view name;
  std::shared_ptr<const runtime::Backend> backend;
};

/// The back end called `name`. "auto", or an empty name, asks for ESPALIER_BACKEND where the
/// environment has it, else for the first that runs here. Throws Error(usage) for an unknown name,
/// Error(unavailable) when the one asked for cannot run here. Tells `log`, if there is one, what
/// was chosen and why, and what was passed over.
[[nodiscard]] ChosenBackend choose_backend(std::string_view name, const LogFunction& log = nullptr);

}  // namespace espalier::api
