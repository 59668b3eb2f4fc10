// Whole layers: the first ones stay, or evenly spread ones, or those that change their input most.
// Sources: Sajjad et al. 2023, "On the effect of dropping layers of pre-trained transformer
// models", §3 (top and alternate dropping; contribution by the cosine between a layer's input and
// output).
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cosine_similarity.h>

#include <algorithm>
#include <numeric>

#include "compress/model/student.hpp"
#include "compress/prune/pruner.hpp"
#include "espalier/error.hpp"

namespace espalier::prune {
namespace {

// Mean cosine over tokens between what goes into each layer and what comes out.
std::vector<double> sameness(const model::Bert& bert, const Sample& sample) {
  const at::NoGradGuard no_grad;
  std::vector<double> sums(bert.layers.size(), 0.0);
  for (const objective::Batch& batch : sample.batches) {
    model::Trace trace;
    trace.keep_hidden = true;
    (void)model::encode(bert, batch.tokens, {}, &trace);
    for (std::size_t layer = 0; layer < sums.size(); ++layer) {
      at::Tensor cosine = at::cosine_similarity(trace.hidden[layer], trace.hidden[layer + 1], -1);
      if (batch.tokens.mask.defined()) cosine = cosine * batch.tokens.mask;
      sums[layer] += cosine.sum().item<double>();
    }
  }
  return sums;
}

std::vector<std::size_t> most_contributing(const Problem& problem) {
  const std::vector<double> same = sameness(problem.bert, *problem.sample);
  std::vector<std::size_t> layers(same.size());
  std::iota(layers.begin(), layers.end(), std::size_t{0});
  std::stable_sort(layers.begin(), layers.end(),
                   [&](std::size_t a, std::size_t b) { return same[a] < same[b]; });
  layers.resize(problem.n_layers);
  std::sort(layers.begin(), layers.end());
  return layers;
}

}  // namespace

Pruned prune_layers(const Problem& problem) {
  if (problem.n_layers == 0 || problem.n_layers > problem.bert.layers.size()) {
    throw Error(ErrorCode::usage, "the model has " + std::to_string(problem.bert.layers.size()) +
                                      " layers; as many or fewer can stay, at least one");
  }
  std::vector<std::size_t> layers;
  if (problem.layer_choice == "contribution") {
    if (problem.sample == nullptr) {
      throw Error(ErrorCode::usage,
                  "which layers contribute most is seen on examples; give --train");
    }
    layers = most_contributing(problem);
  } else {
    layers = model::choose_layers(problem.bert.layers.size(), problem.n_layers,
                                  model::layer_choice(problem.layer_choice));
  }
  return {.bert = model::make_student(problem.bert, layers), .layers = layers};
}

}  // namespace espalier::prune
