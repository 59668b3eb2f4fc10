// Turns the JSON header of a safetensors file into a list of tensors, without building a document.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compress/checkpoint/element_type.hpp"

namespace espalier::checkpoint {

/// One entry of the header, typed but with offsets not yet checked against anything.
struct HeaderEntry {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;  // bytes from the start of the data
  std::uint64_t end = 0;
};

/// Parses `json` (UTF-8; one object) in the order of the text. Duplicate names are left to the
/// caller. Throws Error(bad_input) or Error(resource) with a message that does not name the file.
[[nodiscard]] std::vector<HeaderEntry> parse_safetensors_header(std::string_view json);

}  // namespace espalier::checkpoint
