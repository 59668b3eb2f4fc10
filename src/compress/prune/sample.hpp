// The training examples that pruning looks at, and what their answers owe to every head and every
// neuron: gradients with respect to gates, an own gate for each sentence, so that one backward pass
// gives the gradients of all sentences apart.
#pragma once

#include <cstdint>
#include <vector>

#include "compress/model/bert.hpp"
#include "compress/objective/task.hpp"

namespace espalier::prune {

/// Batches of a random part of the training examples, of like length.
struct Sample {
  const objective::Task* task = nullptr;
  std::vector<objective::Batch> batches;
  std::size_t n_sentences = 0;
  std::size_t n_tokens = 0;  // without padding

  [[nodiscard]] double mean_length() const {
    return static_cast<double>(n_tokens) / static_cast<double>(n_sentences);
  }
};

/// `n_examples` of `data`, or all that there are. The same seed takes the same ones. `data`'s task
/// must outlive the sample.
[[nodiscard]] Sample draw_sample(const objective::TaskObjective& data, std::size_t n_examples,
                                 std::uint64_t seed);

/// Gradients with respect to gates: (layers) of (sentences, units).
struct UnitGradients {
  std::vector<at::Tensor> heads;
  std::vector<at::Tensor> neurons;
};

/// Of the task's loss on the labels: of a sentence, its batch's mean times its sentences.
[[nodiscard]] UnitGradients label_gradients(const model::Bert& bert, const Sample& sample);

/// Of random directions of the model's own answers, drawn such that the mean square of a gradient
/// is the curvature that the divergence from these answers has: for classes softmax at
/// `temperature` minus a label drawn from it, the Fisher information (Martens 2020, "New insights
/// and perspectives on the natural gradient method", §5 and §9). Labels are not looked at.
[[nodiscard]] UnitGradients answer_gradients(const model::Bert& bert, const Sample& sample,
                                             double temperature, std::uint64_t seed);

}  // namespace espalier::prune
