// Reads one safetensors file: which tensors it holds and where their bytes are. Format:
// [u64 N][N bytes of JSON][data], as in the safetensors format notes. Every byte of the data must
// belong to exactly one tensor, so nothing can hide in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_bytes.hpp"
#include "compress/checkpoint/tensor_view.hpp"

namespace espalier::checkpoint {

/// Limits that the reader adds to those of the reference implementation, which would accept more,
/// beside kMaxTensors (also for keys of __metadata__) and kMaxDimensions.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr int kMaxJsonDepth = 16;

/// A file whose header has been checked completely. Immutable, so safe to share between threads.
class SafetensorsFile {
 public:
  /// Maps or reads `path` and checks it. Accepts what the safetensors package 0.8 accepts, except
  /// for duplicate keys, JSON nested deeper than kMaxJsonDepth, a tensor described by an array, a
  /// dtype by an object, a number of more than 100 digits, and the limits above. Throws
  /// Error(bad_input) naming file and tensor, Error(resource) past kMaxTensors or kMaxDimensions. A
  /// hostile header costs at most three times its size in memory.
  static SafetensorsFile open(const std::filesystem::path& path,
                              FileAccess access = FileAccess::map);

  /// The same for bytes already in memory; `path` is only for messages.
  static SafetensorsFile parse(FileBytes bytes, const std::filesystem::path& path);

  /// All tensors, by their place in the file.
  [[nodiscard]] const std::vector<TensorView>& tensors() const noexcept { return tensors_.all(); }

  /// The tensor called `name`, or null.
  [[nodiscard]] const TensorView* find(std::string_view name) const noexcept {
    return tensors_.find(name);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return *path_; }

 private:
  SafetensorsFile(FileBytes bytes, const std::filesystem::path& path);

  FileBytes bytes_;
  std::unique_ptr<const std::filesystem::path> path_;  // apart, so that views outlive a move
  TensorList tensors_;
};

}  // namespace espalier::checkpoint
