#include "handoff.hpp"

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <vector>

#include "espalier/error.hpp"

namespace espalier::tools {

bool is_for(const Handoff& handoff, std::string_view verb, std::span<const std::string> arguments) {
  if (handoff.verb != verb) return false;
  if (handoff.option.empty()) return true;
  return std::any_of(arguments.begin(), arguments.end(), [&](std::string_view argument) {
    return argument.substr(0, argument.find('=')) == handoff.option;
  });
}

std::filesystem::path own_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

void hand_off(const Handoff& handoff, std::span<const std::string> arguments) {
  const std::string program = own_program().parent_path() / handoff.program;
  const bool renamed = !handoff.there.empty();
  std::vector<std::string> words = {program, std::string(renamed ? handoff.there : handoff.verb)};
  for (const std::string& argument : arguments) {
    if (!renamed || argument != handoff.option) words.push_back(argument);
  }
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  // LibTorch's threads meet after every operation. The OpenMP library reads only here, at its
  // start, whether those that wait spin or sleep; spinning takes the processor from whatever they
  // wait for on a busy machine.
  ::setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  ::execv(program.c_str(), pointers.data());
  if (errno == ENOENT) {
    throw Error(ErrorCode::unavailable,
                "'" + std::string(handoff.verb) +
                    (handoff.option.empty() ? "" : " " + std::string(handoff.option)) +
                    "' needs LibTorch and is the program " + std::string(handoff.program) +
                    ", which is not beside this one; build it with: cmake --preset release && "
                    "cmake --build --preset release");
  }
  throw Error(ErrorCode::unavailable,
              "'" + program + "' cannot be started: " + std::strerror(errno));
}

}  // namespace espalier::tools
