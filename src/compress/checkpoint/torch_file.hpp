// Reads one torch file (pytorch_model.bin): which tensors it holds and their bytes. The file's
// pickle is read as data and never run; LibTorch has no part in it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "base/file_bytes.hpp"
#include "compress/checkpoint/tensor_view.hpp"

namespace espalier::checkpoint {

/// What tensors that are not row-major in the file may take in memory, beside the file's own size.
constexpr std::size_t kMaxRearrangedBytes = 64 * 1024 * 1024;

/// A file that has been checked completely. Immutable, so safe to share between threads.
class TorchFile {
 public:
  /// Maps or reads `path`, a file that torch.save wrote in its layout as a zip archive (since torch
  /// 1.6) or the one before it, and checks it, also the checksums that zip archives have. Tensors
  /// may be in dicts and lists (see find_tensors); what is no tensor is passed over. Views of a
  /// shared storage cost nothing; a tensor that is not row-major, or of a big-endian machine, is
  /// copied into order.
  ///
  /// Throws Error(bad_input) naming the file, and the tensor or the byte: also for everything that
  /// a pickle asks for beyond tensors, and for the other formats that people meet (TorchScript,
  /// torch's old tar archives, ONNX, a Git LFS pointer, a web page). Error(resource) past a limit.
  /// Memory is bounded by a constant and the size of the file, whatever is in it.
  static TorchFile open(const std::filesystem::path& path, FileAccess access = FileAccess::map);

  /// The same for bytes already in memory; `path` is only for messages.
  static TorchFile parse(FileBytes bytes, const std::filesystem::path& path);

  /// All tensors, in the order of the pickle.
  [[nodiscard]] const std::vector<TensorView>& tensors() const noexcept { return tensors_.all(); }

  /// The tensor called `name`, or null.
  [[nodiscard]] const TensorView* find(std::string_view name) const noexcept {
    return tensors_.find(name);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return *path_; }

 private:
  TorchFile(FileBytes bytes, const std::filesystem::path& path);

  FileBytes bytes_;
  std::unique_ptr<const std::filesystem::path> path_;  // apart, so that views outlive a move
  std::vector<std::vector<std::byte>> rearranged_;     // tensors that are not as the file has them
  TensorList tensors_;
};

}  // namespace espalier::checkpoint
