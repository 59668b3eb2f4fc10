#include "compress/prune/gradual.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "compress/prune/unit_scores.hpp"

namespace espalier::prune {
namespace {

using objective::DistillTerm;
using objective::NamedTensor;

// Sum over a unit of (dloss / doutput) * output: what its gate's gradient is. Outputs meet the
// matrix that adds them up, so the product of that matrix and its gradient, summed over what comes
// out, is the same number, and no gate is needed.
at::Tensor gate_gradients(const at::Tensor& weight, std::int64_t unit_width) {
  const at::Tensor by_input = (weight.detach() * weight.grad()).sum(0);
  return by_input.view({-1, unit_width}).sum(1).to(at::kCPU, at::kDouble);
}

at::Tensor select(const at::Tensor& scores, const std::vector<std::uint32_t>& units) {
  const std::vector<std::int64_t> positions(units.begin(), units.end());
  return scores.index_select(0, at::tensor(positions, at::kLong));
}

at::Tensor zeros(std::size_t n) {
  return at::zeros({static_cast<std::int64_t>(n)}, at::kDouble);
}

at::Tensor sum_of(const std::vector<DistillTerm>& terms, bool with_hidden) {
  at::Tensor sum;
  for (const DistillTerm& term : terms) {
    if (!with_hidden && term.name == "hidden") continue;
    const at::Tensor weighted = term.weight * term.value;
    sum = sum.defined() ? sum + weighted : weighted;
  }
  return sum;
}

// Takes a gradient away for a while, so that another one can be computed in its place.
class SetAside {
 public:
  explicit SetAside(std::vector<at::Tensor> tensors) : tensors_(std::move(tensors)) {
    for (at::Tensor& tensor : tensors_) {
      gradients_.push_back(tensor.grad());
      tensor.mutable_grad().reset();
    }
  }
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;
  ~SetAside() {
    for (std::size_t index = 0; index < tensors_.size(); ++index) {
      tensors_[index].mutable_grad() = gradients_[index];
    }
  }

 private:
  std::vector<at::Tensor> tensors_;
  std::vector<at::Tensor> gradients_;
};

}  // namespace

Gradual::Gradual(const objective::DistillObjective& distillation,
                 const checkpoint::BertConfig& config, const Cost& cost, const SearchLimits& limits,
                 const GradualOptions& options)
    : distillation_(distillation),
      cost_(cost),
      limits_(limits),
      options_(options),
      dense_cost_(cost.of(config.layers)),
      done_(limits.budget >= dense_cost_) {
  for (const checkpoint::LayerWidths& widths : config.layers) {
    heads_.push_back(zeros(widths.heads.size()));
    neurons_.push_back(zeros(widths.intermediate));
  }
}

double Gradual::budget_at(double share) const {
  const double time = (share - options_.begin) / (options_.end - options_.begin);
  const double left = 1 - std::clamp(time, 0.0, 1.0);
  return limits_.budget + (dense_cost_ - limits_.budget) * left * left * left;
}

at::Tensor Gradual::loss(const model::Bert& bert, const objective::Batch& batch,
                         const model::Dropout& dropout) const {
  const std::vector<DistillTerm> terms = distillation_.terms(bert, batch, dropout);
  if (!done_ && at::GradMode::is_enabled()) watch(bert, sum_of(terms, /*with_hidden=*/false));
  return sum_of(terms, /*with_hidden=*/true);
}

void Gradual::watch(const model::Bert& bert, const at::Tensor& answers_loss) const {
  std::vector<at::Tensor> weights;
  for (const model::Layer& layer : bert.layers) {
    if (layer.attention_output.weight.size(1) > 0) weights.push_back(layer.attention_output.weight);
    if (layer.down.weight.size(1) > 0) weights.push_back(layer.down.weight);
  }
  const SetAside aside(weights);
  answers_loss.backward({}, /*retain_graph=*/true, /*create_graph=*/false, weights);
  const at::NoGradGuard no_grad;
  const auto smooth = [this](at::Tensor& score, const at::Tensor& weight, std::int64_t width) {
    if (!weight.grad().defined()) return;
    score = options_.smoothing * score +
            (1 - options_.smoothing) * gate_gradients(weight, width).square();
  };
  for (std::size_t index = 0; index < bert.layers.size(); ++index) {
    const model::Layer& layer = bert.layers[index];
    smooth(heads_[index], layer.attention_output.weight, bert.config.head_dim);
    smooth(neurons_[index], layer.down.weight, 1);
  }
}

std::optional<std::vector<model::Kept>> Gradual::after_step(const model::Bert& bert,
                                                            std::uint64_t step,
                                                            std::uint64_t n_steps) {
  const double cost = cost_.of(bert.config.layers);
  done_ = cost <= limits_.budget;
  if (done_) return std::nullopt;
  const double share = static_cast<double>(step) / static_cast<double>(n_steps);
  const double budget = budget_at(share);
  const bool is_last = share >= options_.end;
  if (!is_last && budget > (1 - options_.least_cut) * cost) return std::nullopt;
  Scores scores;
  for (std::size_t layer = 0; layer < heads_.size(); ++layer) {
    scores.push_back({.heads = values_of(heads_[layer]), .neurons = values_of(neurons_[layer])});
  }
  return search(scores, cost_, {.budget = budget, .neuron_multiple = limits_.neuron_multiple});
}

void Gradual::was_cut(std::span<const model::Kept> kept) {
  for (std::size_t layer = 0; layer < kept.size(); ++layer) {
    heads_[layer] = select(heads_[layer], kept[layer].heads);
    neurons_[layer] = select(neurons_[layer], kept[layer].neurons);
  }
}

std::vector<NamedTensor> Gradual::state() const {
  std::vector<NamedTensor> tensors;
  for (std::size_t layer = 0; layer < heads_.size(); ++layer) {
    tensors.push_back({"heads." + std::to_string(layer), heads_[layer]});
    tensors.push_back({"neurons." + std::to_string(layer), neurons_[layer]});
  }
  return tensors;
}

}  // namespace espalier::prune
