// The verbs of espalier-quantize.
#pragma once

#include "cli.hpp"

namespace espalier::tools {

[[nodiscard]] Command calibrated_quantize_command();
[[nodiscard]] Command qat_command();

}  // namespace espalier::tools
