// The one verb of espalier-distill.
#pragma once

#include "cli.hpp"

namespace espalier::tools {

[[nodiscard]] Command distill_command();

}  // namespace espalier::tools
