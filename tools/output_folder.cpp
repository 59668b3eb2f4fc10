#include "output_folder.hpp"

#include <system_error>

#include "espalier/error.hpp"

namespace espalier::tools {

namespace fs = std::filesystem;

void check_not_an_input(const fs::path& folder, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::error_code error;
    if (!input.empty() && fs::equivalent(folder, input, error)) {
      throw Error(ErrorCode::usage,
                  "the output '" + folder.string() + "' is also an input; name another folder");
    }
  }
}

void check_output_folder(const fs::path& folder, const std::vector<std::string>& inputs,
                         bool force) {
  check_not_an_input(folder, inputs);
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) {
    throw Error(ErrorCode::output,
                "'" + folder.string() + "' is not a folder; name another with --output");
  }
  if (!fs::is_empty(folder) && !force) {
    throw Error(ErrorCode::output, "'" + folder.string() +
                                       "' is not empty; --force replaces what is in it, or name "
                                       "another folder");
  }
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorCode::output,
                "the folder '" + folder.string() + "' cannot be made: " + error.message());
  }
}

}  // namespace espalier::tools
