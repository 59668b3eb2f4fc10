// The weights of a checkpoint folder, in one file or in shards, looked up by name. The files are
// safetensors or torch's.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "compress/checkpoint/safetensors.hpp"
#include "compress/checkpoint/torch_file.hpp"

namespace espalier::checkpoint {

/// A file of weights of either kind. Immutable; movable, views stay valid.
class WeightFile {
 public:
  explicit WeightFile(SafetensorsFile file) : file_(std::move(file)) {}
  explicit WeightFile(TorchFile file) : file_(std::move(file)) {}

  [[nodiscard]] const std::vector<TensorView>& tensors() const noexcept;
  [[nodiscard]] const TensorView* find(std::string_view name) const noexcept;
  [[nodiscard]] const std::filesystem::path& path() const noexcept;

 private:
  std::variant<SafetensorsFile, TorchFile> file_;
};

/// All tensors of a folder. Immutable; movable, views stay valid.
class WeightFiles {
 public:
  /// Opens the first of these that is there: model.safetensors, the shards that
  /// model.safetensors.index.json lists, pytorch_model.bin, the shards that
  /// pytorch_model.bin.index.json lists. Shards must be files of the same folder, and index and
  /// shards must name the same tensors. Throws Error(bad_input) naming the file and the tensor.
  static WeightFiles open(const std::filesystem::path& folder, FileAccess access = FileAccess::map);

  /// The tensor called `name`, or null.
  [[nodiscard]] const TensorView* find(std::string_view name) const noexcept;

  [[nodiscard]] const std::vector<WeightFile>& files() const noexcept { return files_; }

  /// The file to name when a tensor is missing: the index, or the only file.
  [[nodiscard]] const std::filesystem::path& main_file() const noexcept { return main_file_; }

 private:
  std::vector<WeightFile> files_;
  std::filesystem::path main_file_;
};

}  // namespace espalier::checkpoint
