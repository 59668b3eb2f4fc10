// Pruning while training: units go a few at a time, those that the answers have long owed least,
// and the rest learns to do without them from the model as it was. The model is smaller from the
// first cut on, so the second half of the training is the faster one.
// Sources: Yang et al. 2023, "Gradient-based intra-attention pruning on pre-trained language
// models" (GRAIN), for smoothed scores and for keeping the gradients of hidden states out of them;
// Zhu and Gupta 2017, "To prune, or not to prune", for the cubic schedule. Scores are squared
// gradients, as those of `fisher`, where GRAIN takes magnitudes: so heads and neurons have one
// unit.
#pragma once

#include "compress/objective/distill.hpp"
#include "compress/prune/cost.hpp"
#include "compress/prune/search.hpp"
#include "compress/train/shaper.hpp"

namespace espalier::prune {

struct GradualOptions {
  /// Shares of all steps: nothing is cut before the first, and by the last the budget is met. In
  /// between, what is still above the budget falls with the third power of the time left.
  double begin = 0.1;
  double end = 0.5;
  double smoothing = 0.998;  // how much of a score is kept in a step
  /// Least that a cut takes off the cost, as a share of it: each one copies the model.
  double least_cut = 0.04;
};

/// Distillation that watches what the answers owe to each unit, and cuts by it. One for each run;
/// what it is made from must outlive it. One thread at a time.
class Gradual final : public objective::Objective, public train::Shaper {
 public:
  /// `cost` and `limits` are those of the whole model, `config` is its shape.
  Gradual(const objective::DistillObjective& distillation, const checkpoint::BertConfig& config,
          const Cost& cost, const SearchLimits& limits, const GradualOptions& options = {});

  [[nodiscard]] std::size_t size() const override { return distillation_.size(); }
  [[nodiscard]] std::uint32_t length(std::size_t example) const override {
    return distillation_.length(example);
  }
  [[nodiscard]] objective::Batch batch(std::span<const std::size_t> examples,
                                       std::uint64_t draw) const override {
    return distillation_.batch(examples, draw);
  }
  /// The distillation's. Where a backward pass can follow, the squared gradients of the answers'
  /// part of it with respect to every unit go into the scores.
  [[nodiscard]] at::Tensor loss(const model::Bert& bert, const objective::Batch& batch,
                                const model::Dropout& dropout) const override;
  [[nodiscard]] std::vector<objective::NamedTensor> parameters() const override {
    return distillation_.parameters();
  }
  [[nodiscard]] std::string place(std::size_t example) const override {
    return distillation_.place(example);
  }

  [[nodiscard]] std::optional<std::vector<model::Kept>> after_step(const model::Bert& bert,
                                                                   std::uint64_t step,
                                                                   std::uint64_t n_steps) override;
  void was_cut(std::span<const model::Kept> kept) override;
  [[nodiscard]] std::vector<objective::NamedTensor> state() const override;

  /// What the model may cost after a share of all steps, in the unit of the cost.
  [[nodiscard]] double budget_at(double share) const;

 private:
  void watch(const model::Bert& bert, const at::Tensor& answers_loss) const;

  const objective::DistillObjective& distillation_;
  const Cost& cost_;
  SearchLimits limits_;
  GradualOptions options_;
  double dense_cost_;
  bool done_ = false;  // no unit will go any more
  // Of every layer, (units) f64. Seen in loss(), which changes nothing else.
  mutable std::vector<at::Tensor> heads_;
  mutable std::vector<at::Tensor> neurons_;
};

}  // namespace espalier::prune
