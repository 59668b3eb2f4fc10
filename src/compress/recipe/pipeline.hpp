// Runs the stages of candidates, each once: candidates that begin alike share what they have in
// common, and a run that goes on finds what was done before it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compress/recipe/catalogue.hpp"
#include "compress/recipe/recipe.hpp"
#include "compress/recipe/runner.hpp"
#include "compress/recipe/stage_command.hpp"
#include "compress/recipe/workspace.hpp"

namespace espalier::recipe {

/// A stage that was carried out.
struct DoneStage {
  Stage stage;
  std::string folder;             ///< its name below stages/
  std::filesystem::path output;   ///< checkpoint folder or model file
  nlohmann::ordered_json record;  ///< stage.json: command, seconds, energy, report
};

class Pipeline {
 public:
  /// `kinds`, `workspace` and `runner` outlive it. start: the checkpoint that is compressed.
  Pipeline(const Catalogue& kinds, const Workspace& workspace, StageRunner& runner,
           Surroundings around, std::filesystem::path start)
      : kinds_(kinds),
        workspace_(workspace),
        runner_(runner),
        around_(std::move(around)),
        start_(std::move(start)) {}

  /// Carries out what is not done yet, in order. Throws as StageRunner::run() does.
  std::vector<DoneStage> run(const std::vector<Stage>& stages);

  /// The start as an fp32 model file, for comparison.
  std::filesystem::path reference();

  /// The parts of a checkpoint by what int8 alone does to them, worst first. data: rows that show
  /// it.
  std::vector<std::string> worst_parts(const std::vector<Stage>& stages,
                                       const std::filesystem::path& data);

 private:
  DoneStage carry_out(const Stage& stage, const std::string& folder, const StageJob& job);

  const Catalogue& kinds_;
  const Workspace& workspace_;
  StageRunner& runner_;
  Surroundings around_;
  std::filesystem::path start_;
};

/// Names of the folders of stages: "1-prune-0a1b2c3d". The digits tell everything that came before.
[[nodiscard]] std::vector<std::string> stage_names(const std::vector<Stage>& stages);

}  // namespace espalier::recipe
