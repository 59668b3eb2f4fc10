// How reports spell a task, a precision, and what runs where. Public API alone.
#pragma once

#include <string>
#include <string_view>

#include "espalier/espalier.hpp"

namespace espalier::tools {

[[nodiscard]] std::string_view name_of(Task task) noexcept;
[[nodiscard]] std::string_view name_of(Precision precision) noexcept;

/// The first line that a run says about itself on standard error: version, back end and code path,
/// threads, precision.
[[nodiscard]] std::string first_line(const Model& model, const Session& session);

}  // namespace espalier::tools
