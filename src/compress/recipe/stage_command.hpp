// A stage as the command that carries it out. The same words are shown by --dry-run and run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compress/recipe/catalogue.hpp"
#include "compress/recipe/recipe.hpp"

namespace espalier::recipe {

/// What the commands of a run have in common.
struct Surroundings {
  std::string train;                 ///< empty: there is none
  std::string eval;                  ///< rows that training chooses its epoch by; may be empty
  std::vector<std::string> columns;  ///< of both, as words of a command line
  std::filesystem::path cache;       ///< of a teacher's answers
  unsigned n_threads = 1;
  std::uint32_t seed = 1;
};

/// From where to where a stage goes.
struct StagePlaces {
  std::filesystem::path input;    ///< checkpoint folder
  std::filesystem::path output;   ///< checkpoint folder, or the model file of quantize
  std::filesystem::path teacher;  ///< what recovery and distillation learn from
};

/// The verb and its arguments. A stage that learns does so from `teacher` unless it names another;
/// it gets the run's seed and threads where the command has such options.
[[nodiscard]] std::vector<std::string> stage_command(const Stage& stage, const StageKind& kind,
                                                     const Surroundings& around,
                                                     const StagePlaces& places);

/// "espalier" and the words, quoted for a POSIX shell where that is needed.
[[nodiscard]] std::string command_line(std::span<const std::string> words);

}  // namespace espalier::recipe
