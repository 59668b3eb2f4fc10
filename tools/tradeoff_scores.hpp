// Scores the models of a trade-off as evaluate does, each against the reference, in the words of
// report/results.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "column_request.hpp"
#include "espalier/types.hpp"

namespace espalier::tools {

/// The score that a task is known by.
struct TradeoffMetric {
  std::string_view key;   ///< among evaluate's
  std::string_view name;  ///< for people
  std::string_view unit;  ///< "%" or ""
};

/// Throws Error(usage) for a task without a score.
[[nodiscard]] TradeoffMetric tradeoff_metric(Task task);

struct ScoreRequest {
  std::string eval;
  ColumnRequest columns;
  std::uint32_t n_explained = 0;  ///< rows whose reasons are compared; 0: none
  unsigned n_threads = 1;
};

/// score, scores, score_calibration, confusion, entities and rows; with a reference (not empty)
/// also difference, flips, slices and, where the task has it, attribution. Throws Error(bad_input)
/// for rows that do not fit the model.
[[nodiscard]] nlohmann::ordered_json score_model(const ScoreRequest& request,
                                                 const std::filesystem::path& model,
                                                 const std::filesystem::path& reference);

}  // namespace espalier::tools
