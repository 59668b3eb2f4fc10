// The candidates of a trade-off: which there are, and how each is made of the user's checkpoint.
// Stages run as those of compress do, in one workspace, and are not run again once done.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compress/recipe/pipeline.hpp"
#include "compress_run.hpp"

namespace espalier::tools {

/// A model that a trade-off is to hold.
struct TradeoffCandidate {
  std::string name;
  recipe::Recipe recipe;  ///< no stages: the checkpoint as it is, in fp32
};

/// fp32 first, then the smaller ones. quick: those alone that no training is needed for.
[[nodiscard]] std::vector<TradeoffCandidate> tradeoff_candidates(
    bool quick, const recipe::Catalogue& catalogue);

/// What became of a candidate.
struct BuiltCandidate {
  TradeoffCandidate candidate;
  std::vector<recipe::DoneStage> stages;
  std::filesystem::path model;  ///< in the workspace; empty: it could not be made
  std::string reason;           ///< then: why

  [[nodiscard]] bool is_done() const { return !model.empty(); }
};

/// Makes what is not made yet. A candidate that fails says why and the others go on; only an
/// interruption, and a reference that cannot be made, end the run: throws then as the runner does.
[[nodiscard]] std::vector<BuiltCandidate> build_candidates(
    std::span<const TradeoffCandidate> candidates, recipe::Pipeline& pipeline);

/// The commands that make a candidate, as a person would type them: files by their names, without
/// folders.
[[nodiscard]] std::vector<std::string> commands_of(const TradeoffCandidate& candidate,
                                                   const CompressPlan& plan,
                                                   const recipe::Catalogue& catalogue);

}  // namespace espalier::tools
