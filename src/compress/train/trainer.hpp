// The one training loop: fine-tuning, pre-training and distillation differ in the objective that
// they hand to it, logs and progress bars are hooks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "compress/model/bert.hpp"
#include "compress/objective/objective.hpp"
#include "compress/train/hook.hpp"
#include "compress/train/optimizer.hpp"
#include "compress/train/shaper.hpp"
#include "compress/train/training_state.hpp"

namespace espalier::train {

struct TrainingOptions {
  std::uint32_t epochs = 3;        // at least 1
  std::uint64_t max_steps = 0;     // 0: as many as the epochs have
  std::uint32_t batch_size = 32;   // examples
  std::uint32_t accumulation = 1;  // batches a step
  double learning_rate = 5e-5;     // the peak
  double warm_up = 0.1;            // share of all steps
  double weight_decay = 0.01;
  double clip_norm = 1;  // 0: none
  double dropout = 0.1;
  std::uint32_t patience = 0;  // epochs without a better score before it stops; 0: all
  bool freeze_word_embeddings = false;
  bool bf16 = false;  // autocast: products in bfloat16, weights stay fp32
  std::uint64_t seed = 1;
};

/// Where a run is kept while it lasts, and who may end it.
struct RunContext {
  std::filesystem::path state_file = {};  // empty: nothing is saved
  Settings settings = {};                 // what a resumed run has to agree with
  bool resume = false;                    // go on from state_file
  double save_seconds = 600;
  std::function<bool()> stop_requested = {};  // asked between steps; may be empty
  std::vector<Hook*> hooks = {};
  Shaper* shaper = nullptr;  // null: the model keeps its shape
};

enum class Ending { finished, stopped };

struct TrainingResult {
  Ending ending = Ending::finished;
  std::uint64_t step = 0;
  std::int64_t best_epoch = -1;  // from 0; -1 without a judge
  double best_score = 0;
};

/// Number of steps that the options make of so many examples.
[[nodiscard]] std::uint64_t count_steps(std::size_t n_examples, const TrainingOptions& options);

/// Trains `bert` in place on the device it is on; with a shaper it is another model in the end.
/// With a judge the parameters of the best epoch are put back at the end; epochs before a shaper's
/// last cut do not count. When a stop is requested, the step is finished and all is saved; a later
/// call with `resume` gives the same bits as if there had been no stop, on the same number of
/// threads. LibTorch's default generators are seeded anew in every step.
/// Throws Error(failed) naming step and batch when the loss is not finite, Error(output) when the
/// state cannot be saved, and what SavedState throws. One thread at a time.
TrainingResult train(model::Bert& bert, const objective::Objective& objective,
                     const objective::Judge* judge, const TrainingOptions& options,
                     const RunContext& run);

/// The parameters of a model by name.
[[nodiscard]] std::vector<objective::NamedTensor> named_parameters(const model::Bert& bert);

}  // namespace espalier::train
