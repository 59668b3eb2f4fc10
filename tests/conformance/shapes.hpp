// The models and batches that every back end has to get right.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/tiny_model.hpp"

namespace espalier::testing {

/// A model, and the lengths of the sentences of one block for it.
struct Shape {
  std::string name;
  TinyModel model;
  std::vector<std::uint32_t> lengths;
};

/// Names the shape where GoogleTest would print its bytes.
inline void PrintTo(const Shape& shape, std::ostream* stream) {
  *stream << shape.name;
}

/// Shapes whose odd sizes, empty parts and extremes have each broken a kernel somewhere; all tasks
/// among them. The precision is for the test to choose.
[[nodiscard]] std::vector<Shape> all_shapes();

}  // namespace espalier::testing
