// How reports speak of what the parts of a model are stored in.
#pragma once

#include <string>
#include <string_view>

#include "format/spec.hpp"

namespace espalier::tools {

/// "25 int8", or "23 int8; 2 fp32: layer.0.ffn.down, layer.1.ffn.down": the precision of most parts
/// first, the others with the names of theirs. One line.
[[nodiscard]] std::string parts_text(const format::ModelSpec& spec);

/// What int8 linears code their inputs with: "per token", "per token symmetric", "per tensor"; ""
/// of other linears.
[[nodiscard]] std::string_view codes_name(const format::LinearSpec& linear);

/// "24 per token", or "12 per token; 12 per tensor: layer.0.attention.out, ...", in the same form;
/// "" without int8 linears.
[[nodiscard]] std::string activations_text(const format::ModelSpec& spec);

/// The same without names: "25 int8", "23 int8, 2 fp32".
[[nodiscard]] std::string part_counts(const format::ModelSpec& spec);

}  // namespace espalier::tools
