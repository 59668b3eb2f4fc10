// Builds safetensors files for tests: well formed ones from values, and any other from its parts.
// Kept apart from the reader, so that the two do not share a mistake.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::testing {

/// How a tensor's values are stored.
enum class StoredAs { f32, f16, bf16, f64 };

/// A tensor by its values, as a test wants it in a file.
struct TinyTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;  // row-major, as many as the shape says (not checked: tests lie)
  StoredAs stored_as = StoredAs::f32;
};

/// Little-endian bytes of `values`; f16 and bf16 round to nearest, ties to even.
[[nodiscard]] std::string encode(const std::vector<float>& values, StoredAs stored_as);

/// A whole file: length of `header`, `header`, `data`. Nothing is checked or padded.
[[nodiscard]] std::string safetensors_frame(std::string_view header, std::string_view data);

/// A well formed file with the tensors in the order given.
[[nodiscard]] std::string safetensors_file(const std::vector<TinyTensor>& tensors);

}  // namespace espalier::testing
