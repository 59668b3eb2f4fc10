// Two models timed in turns, in one process: whatever slows the machine down slows both.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "espalier/espalier.hpp"
#include "measure/latency.hpp"

namespace espalier::tools {

/// What both models answer in a round, call after call.
struct Workload {
  std::string description;
  std::vector<TokenBatch> first;   // (calls), as the first model cuts the texts
  std::vector<TokenBatch> second;  // (calls)
  std::size_t n_sentences = 0;

  /// Whether both get the same ids.
  [[nodiscard]] bool same_ids() const;
};

[[nodiscard]] std::size_t count_tokens(const std::vector<TokenBatch>& calls);

/// One call of kMixedLengths, cut to what both models take, of pieces that both have.
[[nodiscard]] Workload mixed_workload(const Model& first, const Model& second);

/// `texts` in calls of a few, cut to what both models take. Empty texts: no calls.
[[nodiscard]] Workload text_workload(const Model& first, const Model& second,
                                     const std::vector<Text>& texts);

struct PairLatency {
  measure::LatencySummary first;   // of a round
  measure::LatencySummary second;  // of a round
  // First over second, of the two times of each round: how many times faster the second is.
  double speedup = 0;  // median
  double speedup_p10 = 0;
  double speedup_p90 = 0;
};

/// Times `n_rounds` rounds after two that are not counted; in every other round the second model
/// goes first. Throws Error(interrupted).
[[nodiscard]] PairLatency measure_pair(Session& first, Session& second, const Workload& workload,
                                       std::size_t n_rounds);

}  // namespace espalier::tools
