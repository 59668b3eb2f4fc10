#include "measure/process.hpp"

#include <fstream>
#include <string>

namespace espalier::measure {

std::optional<std::size_t> peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  std::string key;
  while (status >> key) {
    std::size_t kibibytes = 0;
    if (key == "VmHWM:" && status >> kibibytes && kibibytes > 0) return kibibytes * 1024;
    std::getline(status, key);
  }
  return std::nullopt;
}

}  // namespace espalier::measure
