// Times any number of models in turns on the same calls, and takes the energy of each turn.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/espalier.hpp"
#include "measure/energy.hpp"
#include "measure/latency.hpp"
#include "turns.hpp"

namespace espalier::tools {

/// What all models answer in a round, each cut into tokens its own way.
struct TurnWorkload {
  std::string description;
  std::vector<std::vector<TokenBatch>> calls;  ///< (models, calls)
  std::size_t n_sentences = 0;                 ///< of a round

  /// Of a round of one model.
  [[nodiscard]] std::size_t n_tokens(std::size_t model) const;
  /// Whether all models get the same ids.
  [[nodiscard]] bool same_ids() const;
};

/// One call of 32 sentences of pieces that all models have, cut to what all take.
[[nodiscard]] TurnWorkload drawn_workload(std::span<const Model> models);

struct TextCalls {
  std::string_view what = "texts";  ///< in the description: "50 texts in calls of 32"
  std::size_t n_together = 32;      ///< texts of a call
};

/// `texts` in calls, cut to what all models take. Throws Error(bad_input) for no texts.
[[nodiscard]] TurnWorkload text_workload(std::span<const Model> models, std::span<const Text> texts,
                                         const TextCalls& calls = {});

/// Of one model.
struct TurnResult {
  measure::LatencySummary round;  ///< of all calls of a round
  measure::LatencySummary call;   ///< of a call, on average over the calls of a round
  Speedup speedup;                ///< against the first model
  measure::EnergyFigure energy;   ///< of all timed rounds together, where it was asked for
};

struct TurnTimes {
  std::vector<TurnResult> models;
  measure::ControlSummary control;
};

struct TurnOptions {
  std::size_t n_rounds = 30;
  bool takes_energy = false;
};

/// Two rounds to warm up, then the timed ones; each begins with another model. sessions: one a
/// model of the workload. Throws Error(interrupted), and what Session does.
[[nodiscard]] TurnTimes time_in_turns(std::span<Session* const> sessions,
                                      const TurnWorkload& workload, const TurnOptions& options);

}  // namespace espalier::tools
