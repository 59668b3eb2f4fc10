// A program of several verbs that need LibTorch: what espalier-train and its kin share.
#pragma once

#include <span>
#include <string_view>

#include "cli.hpp"

namespace espalier::tools {

/// Runs the verb that the first argument names; --help, --version and `help --markdown` as in the
/// front door. Errors name "espalier VERB", as which users call it. Returns the exit code.
[[nodiscard]] int run_program(std::string_view program, std::string_view summary,
                              std::span<Command (*const)()> verbs, int argc, char** argv);

}  // namespace espalier::tools
