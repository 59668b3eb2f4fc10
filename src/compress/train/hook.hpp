// What wants to know of training as it goes: logs and progress bars, and the methods that change a
// model while it learns.
#pragma once

#include <cstdint>

#include "compress/objective/objective.hpp"

namespace espalier::train {

/// One optimizer step. Loss and tokens are those of all its batches.
struct StepReport {
  std::uint64_t step = 0;  // steps taken, this one included
  std::uint64_t n_steps = 0;
  std::uint32_t epoch = 0;  // from 0
  double loss = 0;          // mean over the examples
  double learning_rate = 0;
  double gradient_norm = 0;    // before clipping
  std::uint64_t n_tokens = 0;  // without padding
};

/// The end of an epoch.
struct EpochReport {
  std::uint32_t epoch = 0;  // from 0
  std::uint32_t n_epochs = 0;
  std::uint64_t step = 0;
  double loss = 0;                // mean over the epoch's steps that this process took
  objective::Scores scores = {};  // empty without data to judge on
  bool is_best = false;
};

/// Called by the trainer, in the order in which hooks are listed, on its thread. What a hook throws
/// ends the training.
class Hook {
 public:
  virtual ~Hook() = default;
  virtual void after_step(const StepReport&) {}
  virtual void after_epoch(const EpochReport&) {}
};

}  // namespace espalier::train
