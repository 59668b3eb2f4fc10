// An int8 linear with its weights in panels of bytes, as kernels read them, whatever its file has:
// four-bit weights are multiplied out when a model is loaded.
#pragma once

#include <cstddef>
#include <vector>

#include "format/spec.hpp"

namespace espalier::runtime {

/// Movable; the views of spec() stay good as long as this and what it was made of.
class UnpackedLinear {
 public:
  /// The bytes of `spec` where they lie, or, when its weight is s4, panels of its own.
  explicit UnpackedLinear(const format::LinearSpec& spec);

  UnpackedLinear(const UnpackedLinear&) = delete;
  UnpackedLinear& operator=(const UnpackedLinear&) = delete;
  UnpackedLinear(UnpackedLinear&&) noexcept = default;
  UnpackedLinear& operator=(UnpackedLinear&&) noexcept = default;

  /// The same linear without s4 weights.
  [[nodiscard]] const format::LinearSpec& spec() const noexcept { return spec_; }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  format::LinearSpec spec_;
  std::vector<Line> panels_;
};

}  // namespace espalier::runtime
