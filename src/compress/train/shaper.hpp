// Making a model smaller while it learns: what a method of pruning decides, and what the trainer
// needs to carry it out without losing what it has learnt so far.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/model/surgery.hpp"
#include "compress/objective/objective.hpp"

namespace espalier::train {

/// Decides when units go and which. Called by the trainer on its thread.
class Shaper {
 public:
  virtual ~Shaper() = default;

  /// After each optimizer step, `step` taken of `n_steps`: what every layer is to keep of the units
  /// that it has now, or nothing where all stay.
  [[nodiscard]] virtual std::optional<std::vector<model::Kept>> after_step(
      const model::Bert& bert, std::uint64_t step, std::uint64_t n_steps) = 0;

  /// The model has been cut so, now or before the run was interrupted.
  virtual void was_cut(std::span<const model::Kept> kept) = 0;

  /// What the next decision depends on, in the present shape of the model. Saved with the run; a
  /// resumed one writes into these tensors.
  [[nodiscard]] virtual std::vector<objective::NamedTensor> state() const = 0;
};

/// Units of the original model that are left when `more` is kept of what `kept` left of it.
[[nodiscard]] std::vector<model::Kept> kept_of(const std::vector<model::Kept>& kept,
                                               std::span<const model::Kept> more);

/// The tensors of `state`, of which those named `prefix` + a parameter's name are shaped like that
/// parameter of `bert` and are cut along with it. The others stay as they are.
[[nodiscard]] std::vector<objective::NamedTensor> cut_along(
    const std::vector<objective::NamedTensor>& state, const std::vector<std::string>& prefixes,
    const model::Bert& bert, std::span<const model::Kept> kept);

/// What is kept, as tensors that a saved run can hold, and back.
[[nodiscard]] std::vector<objective::NamedTensor> tensors_of(std::span<const model::Kept> kept);
[[nodiscard]] std::vector<model::Kept> kept_from(
    std::size_t n_layers, const std::function<at::Tensor(const std::string& name)>& tensor);

}  // namespace espalier::train
