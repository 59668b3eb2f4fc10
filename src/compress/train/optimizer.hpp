// AdamW over named tensors, and how fast it goes at which step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "compress/objective/objective.hpp"

namespace espalier::train {

struct AdamWOptions {
  double weight_decay = 0.01;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// AdamW with decay on weights, none on biases and LayerNorms (tensors of one dimension). A tensor
/// without a gradient is left alone. One thread at a time.
/// Source: Loshchilov and Hutter 2019, "Decoupled weight decay regularization", Algorithm 2.
class AdamW {
 public:
  /// The tensors are leaves that require gradients; the optimizer shares them.
  AdamW(const std::vector<objective::NamedTensor>& parameters, const AdamWOptions& options);

  void step(double learning_rate);
  void zero_grad();

  /// Scales all gradients so that their common L2 norm is at most `max_norm` (0: no limit), and
  /// returns the norm before.
  double clip_gradients(double max_norm);

  /// Everything that a later step depends on, by names that are stable from run to run: first and
  /// second moments, and the number of steps taken.
  [[nodiscard]] std::vector<objective::NamedTensor> state() const;

 private:
  struct Group {
    double weight_decay;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters;
    std::vector<at::Tensor> first_moments;
    std::vector<at::Tensor> second_moments;
  };

  AdamWOptions options_;
  Group groups_[2];     // with decay, without
  at::Tensor n_steps_;  // (), f32: what the fused kernel wants
};

/// Warm-up from 0, then linear decay to 0 at the end (Devlin et al. 2019, §A.2).
struct Schedule {
  double peak = 5e-5;
  std::uint64_t n_steps = 0;
  std::uint64_t n_warm_up = 0;

  /// The learning rate of `step`, counted from 0.
  [[nodiscard]] double rate(std::uint64_t step) const;
};

}  // namespace espalier::train
