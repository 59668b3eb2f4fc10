// One parameter of a model, wherever and however the checkpoint stores it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compress/checkpoint/safetensors.hpp"

namespace espalier::checkpoint {

/// A float tensor whose shape has been checked. Borrows from the Checkpoint; cheap to copy.
/// Const functions are thread-safe: threads may convert different tensors at once.
class TensorRef {
 public:
  /// `view` must be of a float type; it and its file must outlive this.
  explicit TensorRef(const TensorView& view) noexcept : view_(&view) {}

  /// As the file calls it.
  [[nodiscard]] const std::string& name() const noexcept { return view_->name; }
  [[nodiscard]] const std::vector<std::uint64_t>& shape() const noexcept { return view_->shape; }
  [[nodiscard]] ElementType stored_as() const noexcept { return view_->type; }
  [[nodiscard]] std::span<const std::byte> stored_bytes() const noexcept { return view_->bytes; }

  /// Number of values.
  [[nodiscard]] std::uint64_t count() const noexcept;

  /// Converts dst.size() values from value `first` (row-major) on to f32; F64 rounds to nearest
  /// even. first + dst.size() must not exceed count(). Throws Error(bad_input) naming file, tensor
  /// and index when a value is NaN or infinite, or an F64 value too large for f32.
  void read_f32(std::span<float> dst, std::uint64_t first = 0) const;

  /// All values. Throws as above.
  [[nodiscard]] std::vector<float> read_f32() const;

 private:
  const TensorView* view_;
};

}  // namespace espalier::checkpoint
