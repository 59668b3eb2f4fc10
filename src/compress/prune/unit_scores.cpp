#include "compress/prune/unit_scores.hpp"

#include <ATen/TensorOperators.h>

namespace espalier::prune {

std::vector<double> values_of(const at::Tensor& scores) {
  const at::Tensor exact = scores.detach().to(at::kCPU, at::kDouble).contiguous();
  const auto* first = exact.const_data_ptr<double>();
  return {first, first + exact.numel()};
}

Scores scores_of(const UnitGradients& gradients,
                 const std::function<at::Tensor(const at::Tensor&)>& reduce) {
  Scores scores;
  for (std::size_t layer = 0; layer < gradients.heads.size(); ++layer) {
    scores.push_back({.heads = values_of(reduce(gradients.heads[layer])),
                      .neurons = values_of(reduce(gradients.neurons[layer]))});
  }
  return scores;
}

}  // namespace espalier::prune
