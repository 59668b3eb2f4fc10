// Verbs that need LibTorch live in programs of their own beside `espalier`, which itself stays
// lean.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace espalier::tools {

/// A verb and the program that answers it. With `passes_verb` the program has several verbs and
/// gets this one as its first argument.
struct Handoff {
  std::string_view verb;
  std::string_view program;
  bool passes_verb;
};

/// Becomes the program, found in the folder of the running one. Does not return.
/// Throws Error(unavailable), saying how to get it, when it is not there.
[[noreturn]] void hand_off(const Handoff& handoff, std::span<const std::string> arguments);

}  // namespace espalier::tools
