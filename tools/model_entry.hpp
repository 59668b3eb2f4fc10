// A model file as an entry of a trade-off's results: its size, its shape and how it was made.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "espalier/espalier.hpp"

namespace espalier::tools {

/// What report/results.hpp says of name, file, bytes, checksum, precision, n_parameters,
/// multiply_adds_per_token (of a sentence of `n_tokens`) and structure.
[[nodiscard]] nlohmann::ordered_json model_entry(const std::string& name, const std::string& file,
                                                 const Model& model, std::uint32_t n_tokens);

}  // namespace espalier::tools
