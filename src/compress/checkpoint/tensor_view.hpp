// A tensor as a file of weights holds it, and the list of them that every reader hands out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compress/checkpoint/element_type.hpp"

namespace espalier::checkpoint {

/// A tensor. Borrows from the file it is in, which may be moved.
struct TensorView {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::uint64_t> shape;  // row-major; empty for a scalar
  std::span<const std::byte> bytes;  // little-endian, at no particular alignment
  const std::filesystem::path* file = nullptr;
};

/// The most tensors that one file may hold, and axes of all of them together: they bound memory by
/// a constant. The largest BERT read here has 4,200 tensors.
constexpr std::size_t kMaxTensors = 100'000;
constexpr std::size_t kMaxDimensions = 1'000'000;

/// Tensors of one file, each with a name of its own. Immutable; movable, views stay in place.
class TensorList {
 public:
  TensorList() = default;

  /// Throws Error(bad_input) naming a tensor that occurs twice.
  explicit TensorList(std::vector<TensorView> tensors);

  /// All tensors, in the order given.
  [[nodiscard]] const std::vector<TensorView>& all() const noexcept { return tensors_; }

  /// The tensor called `name`, or null.
  [[nodiscard]] const TensorView* find(std::string_view name) const noexcept;

 private:
  std::vector<TensorView> tensors_;
  std::vector<std::size_t> by_name_;  // indices into tensors_, names ascending
};

}  // namespace espalier::checkpoint
