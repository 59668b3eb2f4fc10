// Times any number of models in turns, in one process, and takes the energy of each turn: whatever
// slows the machine down slows them all, and no model is always first.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "espalier/espalier.hpp"
#include "measure/energy.hpp"
#include "measure/latency.hpp"

namespace espalier::tools {

/// What all models answer in a round, each cut into tokens its own way.
struct TurnWorkload {
  std::string description;
  std::vector<std::vector<TokenBatch>> calls;  ///< (models, calls)
  std::size_t n_sentences = 0;                 ///< of a round
};

/// One call of 32 sentences of pieces that all models have.
[[nodiscard]] TurnWorkload drawn_workload(std::span<const Model> models);

/// `texts` in calls of 32, cut to what all models take. Throws Error(bad_input) for no texts.
[[nodiscard]] TurnWorkload text_workload(std::span<const Model> models,
                                         std::span<const std::string> texts);

/// Of one model.
struct TurnResult {
  measure::LatencySummary latency;  ///< of a call, on average over the calls of a round
  double speedup = 0;               ///< the first model's time by its own, round by round: median
  double speedup_p10 = 0;
  double speedup_p90 = 0;
  measure::EnergyFigure energy;  ///< of all timed rounds together
};

struct TurnOptions {
  std::size_t n_rounds = 30;
  unsigned n_threads = 0;  ///< 0: one for each processor
};

/// Two rounds to warm up, then the timed ones; each begins with another model. Throws
/// Error(interrupted), and what Session does.
[[nodiscard]] std::vector<TurnResult> time_in_turns(std::span<const Model> models,
                                                    const TurnWorkload& workload,
                                                    const TurnOptions& options);

}  // namespace espalier::tools
