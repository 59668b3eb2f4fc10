// What becomes of the options that every program with a training loop has: the trainer's options,
// the settings that a resumed run must repeat, the command that resumes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compress/train/trainer.hpp"
#include "training_options.hpp"

namespace espalier::tools {

[[nodiscard]] train::TrainingOptions trainer_options(const TrainingRequest& request);

/// The options that decide what is learnt, with the values they have; not where and how a run is
/// kept and shown (output, resume, force, format, quiet, save-minutes), and no files or folders
/// (value FILE or DIR, positional): these count by what is in them, which the caller adds.
[[nodiscard]] train::Settings settings_of(const std::vector<BoundOption>& options);

/// The command that goes on with a run: `program` with the options that differ from `defaults`,
/// then --resume; quoted for a POSIX shell.
[[nodiscard]] std::string resume_command(const std::string& program,
                                         const std::vector<BoundOption>& options,
                                         const std::vector<BoundOption>& defaults);

/// Both of an options struct.
struct Identity {
  train::Settings settings;
  std::string resume_command;
};

template <typename Options>
Identity identity_of(const std::string& program, Options options) {
  Options defaults;
  const std::vector<BoundOption> bound = bound_options(options);
  return {.settings = settings_of(bound),
          .resume_command = resume_command(program, bound, bound_options(defaults))};
}

}  // namespace espalier::tools
