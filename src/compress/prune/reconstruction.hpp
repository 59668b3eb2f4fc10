// Makes up for what was cut: walks a dense and a pruned model through the same sentences, half a
// layer at a time, and fits the pruned one's output weights to what the dense one computes there.
// What earlier halves got wrong is part of what a later half corrects.
#pragma once

#include <vector>

#include "compress/model/bert.hpp"
#include "compress/prune/sample.hpp"

namespace espalier::prune {

/// Half a layer: its attention or its feed-forward.
struct Half {
  std::size_t layer = 0;
  bool is_attention = true;
};

/// Sums over tokens for a least-squares fit of one half. Units' outputs are F (tokens, width), and
/// R (tokens, hidden) is by how much the dense model's sum before LayerNorm exceeds the pruned
/// one's as it is now.
struct FitSums {
  at::Tensor gram;   // Fᵀ F, (width, width) f64
  at::Tensor cross;  // Fᵀ R, (width, hidden) f64
  double n_tokens = 0;
};

/// Both models are at the same half. Gradients are off inside. One thread at a time.
class Reconstruction {
 public:
  /// The models and the sample outlive it; `pruned` may lose units and change weights from the
  /// half it is at upwards, between calls.
  Reconstruction(const model::Bert& dense, const model::Bert& pruned, const Sample& sample);

  [[nodiscard]] bool at_end() const { return half_.layer == dense_.layers.size(); }
  [[nodiscard]] const Half& half() const { return half_; }

  /// Of the half it is at. Where only first tokens are read of the last layer, only they count.
  [[nodiscard]] FitSums observe() const;

  /// Goes on to the next half, with the weights that the pruned model has now.
  void advance();

 private:
  [[nodiscard]] at::Tensor outputs(const model::Bert& bert, const at::Tensor& x,
                                   const model::TokenTensors& tokens) const;
  [[nodiscard]] at::Tensor rows_that_count(const at::Tensor& x,
                                           const model::TokenTensors& tokens) const;

  const model::Bert& dense_;
  const model::Bert& pruned_;
  const Sample& sample_;
  Half half_;
  std::vector<at::Tensor> dense_x_;   // (batches) of (sentences, tokens, hidden)
  std::vector<at::Tensor> pruned_x_;  // likewise
};

/// The weights that a half's outputs are multiplied by: (hidden, width).
[[nodiscard]] at::Tensor& output_weight(model::Bert& bert, const Half& half);
[[nodiscard]] const at::Tensor& output_weight(const model::Bert& bert, const Half& half);

/// Adds to `weight` (hidden, width) the change that makes F times it fit best, held back by `ridge`
/// times the mean square of a feature. Source: Park et al. 2024 (K-prune), §3.4, there without
/// ridge.
void refit_weights(at::Tensor& weight, const FitSums& sums, double ridge);

}  // namespace espalier::prune
