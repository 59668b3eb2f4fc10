// The one verb of espalier-prune.
#pragma once

#include "cli.hpp"

namespace espalier::tools {

[[nodiscard]] Command prune_command();

}  // namespace espalier::tools
