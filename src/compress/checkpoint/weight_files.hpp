// The weights of a checkpoint folder, in one safetensors file or in shards, looked up by name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "compress/checkpoint/safetensors.hpp"

namespace espalier::checkpoint {

/// All tensors of a folder. Immutable; movable, views stay valid.
class WeightFiles {
 public:
  /// Opens model.safetensors, or the shards that model.safetensors.index.json lists. Shards must be
  /// files of the same folder, and index and shards must name the same tensors. Throws
  /// Error(bad_input) naming the file and the tensor.
  static WeightFiles open(const std::filesystem::path& folder, FileAccess access = FileAccess::map);

  /// The tensor called `name`, or null.
  [[nodiscard]] const TensorView* find(std::string_view name) const noexcept;

  [[nodiscard]] const std::vector<SafetensorsFile>& files() const noexcept { return files_; }

  /// The file to name when a tensor is missing: the index, or the only file.
  [[nodiscard]] const std::filesystem::path& main_file() const noexcept { return main_file_; }

 private:
  std::vector<SafetensorsFile> files_;
  std::filesystem::path main_file_;
};

}  // namespace espalier::checkpoint
