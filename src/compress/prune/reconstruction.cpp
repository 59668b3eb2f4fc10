#include "compress/prune/reconstruction.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

namespace espalier::prune {
namespace {

at::Tensor real_rows(const at::Tensor& x, const at::Tensor& mask) {
  return mask.defined() ? x.index({mask}) : x.flatten(0, 1);
}

// The sum that goes into the half's LayerNorm.
at::Tensor sum_before_norm(const model::Bert& bert, const Half& half, const at::Tensor& x,
                           const at::Tensor& outputs) {
  const model::Layer& layer = bert.layers[half.layer];
  const model::Linear& linear = half.is_attention ? layer.attention_output : layer.down;
  if (linear.weight.size(1) == 0) return x + linear.bias;
  return x + at::linear(outputs, linear.weight, linear.bias);
}

// (AᵀA-like + strength · mean diagonal · I) solved for `wanted`.
at::Tensor solve_held_back(const at::Tensor& matrix, const at::Tensor& wanted, double strength) {
  const double diagonal = matrix.diagonal().mean().item<double>();
  if (!(diagonal > 0)) return at::zeros_like(wanted);  // nothing was put out, nothing to fit
  const at::Tensor identity = at::eye(matrix.size(0), matrix.options());
  return at::linalg_solve(matrix + strength * diagonal * identity, wanted);
}

}  // namespace

Reconstruction::Reconstruction(const model::Bert& dense, const model::Bert& pruned,
                               const Sample& sample)
    : dense_(dense), pruned_(pruned), sample_(sample) {
  const at::NoGradGuard no_grad;
  for (const objective::Batch& batch : sample.batches) {
    dense_x_.push_back(model::embedded(dense, batch.tokens));
    pruned_x_.push_back(model::embedded(pruned, batch.tokens));
  }
}

at::Tensor Reconstruction::outputs(const model::Bert& bert, const at::Tensor& x,
                                   const model::TokenTensors& tokens) const {
  return half_.is_attention ? model::head_outputs(bert, half_.layer, x, tokens.mask)
                            : model::neuron_outputs(bert, half_.layer, x);
}

at::Tensor Reconstruction::rows_that_count(const at::Tensor& x,
                                           const model::TokenTensors& tokens) const {
  const bool first_only =
      half_.layer + 1 == dense_.layers.size() &&
      dense_.config.architecture == checkpoint::Architecture::sequence_classification;
  return first_only ? x.select(1, 0) : real_rows(x, tokens.mask);
}

FitSums Reconstruction::observe() const {
  const at::NoGradGuard no_grad;
  FitSums sums;
  for (std::size_t index = 0; index < sample_.batches.size(); ++index) {
    const model::TokenTensors& tokens = sample_.batches[index].tokens;
    const at::Tensor wanted =
        sum_before_norm(dense_, half_, dense_x_[index], outputs(dense_, dense_x_[index], tokens));
    const at::Tensor features = outputs(pruned_, pruned_x_[index], tokens);
    const at::Tensor missing = wanted - sum_before_norm(pruned_, half_, pruned_x_[index], features);
    const at::Tensor rows = rows_that_count(features, tokens).to(at::kDouble);
    const at::Tensor targets = rows_that_count(missing, tokens).to(at::kDouble);
    const at::Tensor gram = rows.t().matmul(rows);
    const at::Tensor cross = rows.t().matmul(targets);
    sums.gram = index == 0 ? gram : sums.gram + gram;
    sums.cross = index == 0 ? cross : sums.cross + cross;
    sums.n_tokens += static_cast<double>(rows.size(0));
  }
  return sums;
}

void Reconstruction::advance() {
  const at::NoGradGuard no_grad;
  const auto step = [&](const model::Bert& bert, at::Tensor& x, const model::TokenTensors& tokens) {
    const at::Tensor out = outputs(bert, x, tokens);
    x = half_.is_attention ? model::add_heads(bert, half_.layer, x, out)
                           : model::add_neurons(bert, half_.layer, x, out);
  };
  for (std::size_t index = 0; index < sample_.batches.size(); ++index) {
    const model::TokenTensors& tokens = sample_.batches[index].tokens;
    step(dense_, dense_x_[index], tokens);
    step(pruned_, pruned_x_[index], tokens);
  }
  if (!half_.is_attention) ++half_.layer;
  half_.is_attention = !half_.is_attention;
}

const at::Tensor& output_weight(const model::Bert& bert, const Half& half) {
  const model::Layer& layer = bert.layers[half.layer];
  return half.is_attention ? layer.attention_output.weight : layer.down.weight;
}

at::Tensor& output_weight(model::Bert& bert, const Half& half) {
  model::Layer& layer = bert.layers[half.layer];
  return half.is_attention ? layer.attention_output.weight : layer.down.weight;
}

void refit_weights(at::Tensor& weight, const FitSums& sums, double ridge) {
  if (weight.size(1) == 0) return;
  const at::NoGradGuard no_grad;
  const at::Tensor change = solve_held_back(sums.gram, sums.cross, ridge);
  weight = (weight.to(at::kDouble) + change.t()).to(weight.dtype()).contiguous();
}

}  // namespace espalier::prune
