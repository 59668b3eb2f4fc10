// Safetensors files that a reader must refuse, and odd ones that it must accept. Each stands for a
// mistake that some reader of this format has made.
#pragma once

#include <string>
#include <vector>

namespace espalier::testing {

struct HostileFile {
  std::string name;
  std::string bytes;
  bool accepted = false;
  std::string reason;  // words of the message when it is refused
};

[[nodiscard]] std::vector<HostileFile> hostile_safetensors();

}  // namespace espalier::testing
