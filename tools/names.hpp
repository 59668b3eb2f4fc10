// How reports say what runs where. Public API alone.
#pragma once

#include <string>
#include <string_view>

#include "espalier/espalier.hpp"

namespace espalier::tools {

/// The first line that a run says about itself on standard error: version, back end and code path,
/// threads, precision.
[[nodiscard]] std::string first_line(const Model& model, const Session& session);

}  // namespace espalier::tools
