#include "compress/checkpoint/paths.hpp"

#include <algorithm>
#include <system_error>

namespace espalier::checkpoint {

bool is_plain_name(std::string_view name) noexcept {
  if (name.empty() || name == "." || name == ".." || name.size() > 255) return false;
  return std::all_of(name.begin(), name.end(), [](char byte) {
    return byte != '/' && byte != '\\' && static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f;
  });
}

bool is_there(const std::filesystem::path& path) noexcept {
  std::error_code failed;
  return std::filesystem::exists(path, failed);
}

}  // namespace espalier::checkpoint
