// From the request of compress to its plan, and from the plan to the file.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "compress/recipe/catalogue.hpp"
#include "compress/recipe/ladder.hpp"
#include "compress/recipe/origin.hpp"
#include "compress/recipe/recipe.hpp"
#include "compress/recipe/stage_command.hpp"
#include "compress_request.hpp"
#include "espalier/types.hpp"

namespace espalier::tools {

/// Everything that is known before the first stage.
struct CompressPlan {
  CompressRequest request;
  recipe::Recipe recipe;
  recipe::Limits limits;
  recipe::Shape start;
  Task task = Task::classify;
  std::vector<std::filesystem::path> checkpoint_files;  ///< those of DIR that a model is made of
  std::vector<recipe::Candidate> candidates;
  std::filesystem::path work;
  unsigned n_threads = 1;
  /// Files of rows; where `splits`, the two are parts of --eval that are yet to be written.
  bool splits = false;
  std::filesystem::path choosing;  ///< empty: there is none
  std::filesystem::path deciding;  ///< empty: there are no rows at all
  recipe::Surroundings around;
};

/// Reads what config.json says. Throws Error(bad_input) for no checkpoint, Error(usage) for a
/// --confidence that the task has no test for.
[[nodiscard]] CompressPlan make_plan(const CompressRequest& request, const recipe::Recipe& recipe);

/// The files that the user named, with what for.
[[nodiscard]] std::vector<recipe::DataFile> data_files(const CompressRequest& request);

/// Carries out the plan and prints the report. Throws Error(over_budget), with the best candidates,
/// when none keeps the limits; nothing is written then. Error(interrupted) and Error(terminated)
/// leave everything to go on from.
void run_plan(const CompressPlan& plan, const recipe::Catalogue& catalogue);

}  // namespace espalier::tools
