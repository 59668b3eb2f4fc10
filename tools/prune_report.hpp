// What pruning did: sizes and speed of the model before and after, and what each layer kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compress/model/bert.hpp"

namespace espalier::tools {

/// Encoder multiply-adds for a token, parameters and widths.
[[nodiscard]] nlohmann::ordered_json shape_facts(const model::Bert& bert, double mean_length);

/// {"speedup", "p10", "p90", ...}: both files timed in turns on this machine.
[[nodiscard]] nlohmann::ordered_json speed_facts(const std::filesystem::path& before,
                                                 const std::filesystem::path& after,
                                                 unsigned n_threads);

/// The card's part on pruning as a table for people.
[[nodiscard]] std::string prune_table(const nlohmann::ordered_json& card);

}  // namespace espalier::tools
