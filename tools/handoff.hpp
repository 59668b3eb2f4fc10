// Verbs that need LibTorch live in programs of their own beside `espalier`, which itself stays
// lean.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace espalier::tools {

/// A verb and the program that answers it, which gets the verb's name there as its first argument.
struct Handoff {
  std::string_view verb;
  std::string_view program;
  std::string_view option = {};  ///< only calls with this option are handed over; "": every one
  std::string_view there = {};   ///< its name there, which says what the option says; "": the same
};

/// Whether a call of `verb` is for the program.
[[nodiscard]] bool is_for(const Handoff& handoff, std::string_view verb,
                          std::span<const std::string> arguments);

/// The executable of the running program; empty where the system does not tell.
[[nodiscard]] std::filesystem::path own_program();

/// Becomes the program, found in the folder of the running one. Does not return.
/// Throws Error(unavailable), saying how to get it, when it is not there.
[[noreturn]] void hand_off(const Handoff& handoff, std::span<const std::string> arguments);

}  // namespace espalier::tools
