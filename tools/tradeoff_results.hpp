// What a trade-off found, as the document of report/results.hpp: machine, data, models with their
// sizes, scores, times and energy.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "measure/cost.hpp"
#include "tradeoff_candidates.hpp"
#include "tradeoff_request.hpp"
#include "turn_timing.hpp"

namespace espalier::tools {

/// A candidate with all that was found of it.
struct TradeoffModel {
  BuiltCandidate built;
  std::vector<std::string> commands;
  std::string file;  ///< in OUT; empty where there is none
  nlohmann::ordered_json scores = nlohmann::ordered_json::object();  ///< as score_model() says
  std::optional<TurnResult> timing = {};
};

struct TradeoffFound {
  const TradeoffRequest* request = nullptr;
  const CompressPlan* plan = nullptr;
  std::vector<TradeoffModel> models;   ///< the reference first
  nlohmann::ordered_json sensitivity;  ///< what sensitivity_json() says, or empty
  TurnWorkload workload;
  measure::ControlSummary control;
  measure::CostOptions cost;
};

[[nodiscard]] nlohmann::ordered_json tradeoff_json(const TradeoffFound& found);

}  // namespace espalier::tools
