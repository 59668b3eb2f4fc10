// How far the weights of two models are apart, tensor by tensor, as the numbers they stand for.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "format/spec.hpp"

namespace espalier::tools {

/// {n, n_equal, different, only_a, only_b}. different: tensors of both whose shapes or values are
/// not the same, those of other shapes first, then the largest relative error (B's to A's, see
/// measure::relative_error) first. Biases, LayerNorms and tables count as tensors; scales do not:
/// they are in the values.
[[nodiscard]] nlohmann::ordered_json tensor_differences(const format::ModelSpec& a,
                                                        const format::ModelSpec& b);

/// The same as a table of the worst, with a line on the others.
[[nodiscard]] std::string tensor_table(const nlohmann::ordered_json& differences);

}  // namespace espalier::tools
