// The folder that a program writes a checkpoint into: nothing is overwritten unasked.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace espalier::tools {

/// Throws Error(usage) when `folder` is one of `inputs`.
void check_not_an_input(const std::filesystem::path& folder,
                        const std::vector<std::string>& inputs);

/// Throws Error(output) when `folder` is a file, or holds anything and `force` is not given;
/// Error(usage) when it is one of `inputs`.
void check_output_folder(const std::filesystem::path& folder,
                         const std::vector<std::string>& inputs, bool force);

/// Makes a folder, with those above it. Throws Error(output).
void make_folder(const std::filesystem::path& folder);

}  // namespace espalier::tools
