#include "compress/train/optimizer.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

namespace espalier::train {

AdamW::AdamW(const std::vector<objective::NamedTensor>& parameters, const AdamWOptions& options)
    : options_(options) {
  groups_[0].weight_decay = options.weight_decay;
  groups_[1].weight_decay = 0;
  for (const objective::NamedTensor& parameter : parameters) {
    Group& group = groups_[parameter.value.dim() > 1 ? 0 : 1];
    group.names.push_back(parameter.name);
    group.parameters.push_back(parameter.value);
    group.first_moments.push_back(at::zeros_like(parameter.value));
    group.second_moments.push_back(at::zeros_like(parameter.value));
  }
  n_steps_ = at::zeros({}, parameters.front().value.options().dtype(at::kFloat));
}

void AdamW::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  n_steps_ += 1;
  for (const Group& group : groups_) {
    std::vector<at::Tensor> parameters;
    std::vector<at::Tensor> gradients;
    std::vector<at::Tensor> first_moments;
    std::vector<at::Tensor> second_moments;
    for (std::size_t index = 0; index < group.parameters.size(); ++index) {
      const at::Tensor& gradient = group.parameters[index].grad();
      if (!gradient.defined()) continue;
      parameters.push_back(group.parameters[index]);
      gradients.push_back(gradient);
      first_moments.push_back(group.first_moments[index]);
      second_moments.push_back(group.second_moments[index]);
    }
    if (parameters.empty()) continue;
    const std::vector<at::Tensor> n_steps(parameters.size(), n_steps_);
    at::_fused_adamw_(parameters, gradients, first_moments, second_moments, {}, n_steps,
                      learning_rate, options_.beta1, options_.beta2, group.weight_decay,
                      options_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
}

void AdamW::zero_grad() {
  for (Group& group : groups_) {
    for (at::Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
  }
}

double AdamW::clip_gradients(double max_norm) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const Group& group : groups_) {
    for (const at::Tensor& parameter : group.parameters) {
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    }
  }
  const double norm = at::stack(at::_foreach_norm(gradients, 2)).norm().item<double>();
  // The small addend is that of the usual implementations; without it 1 / 0 for zero gradients.
  if (max_norm > 0 && norm > max_norm) at::_foreach_mul_(gradients, max_norm / (norm + 1e-6));
  return norm;
}

std::vector<objective::NamedTensor> AdamW::state() const {
  std::vector<objective::NamedTensor> tensors = {{"steps", n_steps_}};
  for (const Group& group : groups_) {
    for (std::size_t index = 0; index < group.names.size(); ++index) {
      tensors.push_back({"first." + group.names[index], group.first_moments[index]});
      tensors.push_back({"second." + group.names[index], group.second_moments[index]});
    }
  }
  return tensors;
}

double Schedule::rate(std::uint64_t step) const {
  if (step < n_warm_up) {
    return peak * static_cast<double>(step + 1) / static_cast<double>(n_warm_up);
  }
  const double left = static_cast<double>(n_steps - std::min(step, n_steps));
  return peak * left / static_cast<double>(std::max<std::uint64_t>(n_steps - n_warm_up, 1));
}

}  // namespace espalier::train
