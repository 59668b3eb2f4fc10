// A training run cut in the middle: everything that the rest of it depends on, in one file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "compress/checkpoint/safetensors.hpp"
#include "compress/objective/objective.hpp"

namespace espalier::train {

/// What the user chose, by the name of its option, and what was trained on. A run can only go on
/// under the settings it began with.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// How far a run has come. All that is random is drawn from the seed and the step, so no
/// generator's state is needed.
struct Position {
  std::uint64_t step = 0;
  bool finished = false;         // no step is left, whatever `step` says
  std::int64_t best_epoch = -1;  // none yet
  std::uint64_t epochs_since_best = 0;
  double best_score = 0;
};

/// Writes position, settings and tensors, whole or not at all, replacing an older file. The tensors
/// are on the CPU or copied there. Throws Error(output) when the disk says no; the older file is
/// then as it was.
void save_state(const std::filesystem::path& file, const Position& position,
                const Settings& settings, const std::vector<objective::NamedTensor>& tensors);

/// What save_state() wrote. Immutable.
class SavedState {
 public:
  /// Throws Error(usage) naming the first setting that differs, Error(bad_input) when the file is
  /// damaged.
  static SavedState open(const std::filesystem::path& file, const Settings& settings);

  [[nodiscard]] const Position& position() const noexcept { return position_; }

  /// A list of integers. Throws Error(bad_input) when it is missing or is something else.
  [[nodiscard]] at::Tensor integers(const std::string& name) const;

  /// Fills `tensors`. Throws Error(bad_input) when one is missing or has another shape or type; the
  /// ones before it are filled by then.
  void copy_to(const std::vector<objective::NamedTensor>& tensors) const;

 private:
  explicit SavedState(checkpoint::SafetensorsFile file) : file_(std::move(file)) {}

  checkpoint::SafetensorsFile file_;
  Position position_;
};

}  // namespace espalier::train
