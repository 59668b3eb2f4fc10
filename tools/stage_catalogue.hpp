// The commands that can be stages of a recipe, with their options as the commands themselves state
// them: one visit() for the command line, --help, the README and recipes.
#pragma once

#include "compress/recipe/catalogue.hpp"

namespace espalier::tools {

/// distill, finetune, prune and quantize.
[[nodiscard]] recipe::Catalogue stage_catalogue();

}  // namespace espalier::tools
