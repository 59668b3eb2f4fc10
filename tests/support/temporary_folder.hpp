// A folder that lives as long as a test, and the two file helpers nearly every test needs.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace espalier::testing {

/// Makes an empty folder of its own under the system's temporary folder and removes it, with all
/// that is in it, when it goes out of scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// Writes `bytes` as the whole content of `path`; makes its folder when it is missing.
/// Throws std::runtime_error when it cannot.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// The whole content of `path`. Throws std::runtime_error when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace espalier::testing
