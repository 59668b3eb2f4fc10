// How reports speak of what the parts of a model are stored in.
#pragma once

#include <string>

#include "format/spec.hpp"

namespace espalier::tools {

/// "25 int8", or "23 int8; 2 fp32: layer.0.ffn.down, layer.1.ffn.down": the precision of most parts
/// first, the others with the names of theirs. One line.
[[nodiscard]] std::string parts_text(const format::ModelSpec& spec);

/// The same without names: "25 int8", "23 int8, 2 fp32".
[[nodiscard]] std::string part_counts(const format::ModelSpec& spec);

}  // namespace espalier::tools
