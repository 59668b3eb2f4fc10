// In fp64: the inverse of a matrix that is nearly singular is asked for.
#include "compress/quantize/gptq.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/cholesky_inverse.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_cholesky.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/round.h>
#include <ATen/ops/zeros.h>

#include "base/canonical.hpp"
#include "compress/export/quantize_weights.hpp"
#include "compress/objective/padding.hpp"
#include "compress/quantize/taps.hpp"
#include "espalier/error.hpp"

namespace espalier::quantize {
namespace {

constexpr std::size_t kBatchTokens = 2048;

// Columns that are rounded before the rest of the matrix hears of it.
constexpr std::int64_t kBlock = 128;

at::Tensor copied(std::span<const float> values, std::int64_t rows, std::int64_t cols) {
  at::Tensor copy = at::empty({rows, cols}, at::kFloat);
  std::copy(values.begin(), values.end(), copy.mutable_data_ptr<float>());
  return copy;
}

// The upper factor U of the inverse, Uᵀ U = (moments + damping)⁻¹. What never occurs is left to
// itself.
at::Tensor upper_factor(at::Tensor moments, double damping) {
  at::Tensor diagonal = moments.diagonal();
  const double mean = diagonal.mean().item<double>();
  diagonal.add_(mean > 0 ? damping * mean : 1.0);
  const at::Tensor inverse = at::cholesky_inverse(at::linalg_cholesky(moments));
  return at::linalg_cholesky(inverse, /*upper=*/true).contiguous();
}

// Rounds `weights` (out, in) column by column; returns whole numbers. steps: (out, in), > 0.
at::Tensor round_columns(at::Tensor weights, const at::Tensor& steps, const at::Tensor& upper,
                         double largest_code) {
  const std::int64_t in = weights.size(1);
  at::Tensor codes = at::empty_like(weights);
  for (std::int64_t begin = 0; begin < in; begin += kBlock) {
    const std::int64_t end = std::min(in, begin + kBlock);
    at::Tensor errors = at::empty({weights.size(0), end - begin}, weights.options());
    for (std::int64_t col = begin; col < end; ++col) {
      const at::Tensor weight = weights.select(1, col);
      const at::Tensor step = steps.select(1, col);
      const at::Tensor code = at::clamp(at::round(weight / step), -largest_code, largest_code);
      codes.select(1, col).copy_(code);
      const at::Tensor row = upper.select(0, col);
      const at::Tensor error = (weight - code * step) / row.select(0, col);
      errors.select(1, col - begin).copy_(error);
      weights.slice(1, col + 1, end)
          .sub_(error.unsqueeze(1) * row.slice(0, col + 1, end).unsqueeze(0));
    }
    weights.slice(1, end).sub_(at::matmul(errors, upper.slice(0, begin, end).slice(1, end)));
  }
  return codes;
}

// What plain rounding would use: fills multipliers and scales, returns the steps (out, in). A row
// of zeros has steps of 1.
at::Tensor steps_of(const compress::LinearToRound& linear, compress::RoundedLinear& rounded) {
  const std::size_t in = linear.in;
  const bool four_bits = linear.group != 0;
  const std::size_t n_groups = four_bits ? format::n_groups(linear.in, linear.group) : 0;
  rounded.multipliers.resize(linear.out * n_groups);
  rounded.scales.resize(linear.out);
  at::Tensor steps = at::empty({linear.out, linear.in}, at::kDouble);
  double* step = steps.mutable_data_ptr<double>();
  for (std::size_t row = 0; row < linear.out; ++row) {
    const std::span<const float> weights = linear.weights.subspan(row * in, in);
    const auto multipliers = std::span(rounded.multipliers).subspan(row * n_groups, n_groups);
    const float scale =
        four_bits
            ? compress::four_bit_steps(weights, linear.group, compress::Rounding::mse, multipliers)
            : canonical::symmetric_scale(canonical::max_magnitude(weights)).scale;
    rounded.scales[row] = scale > 0 ? scale : compress::kZeroChannelScale;
    for (std::size_t col = 0; col < in; ++col) {
      *step++ = double{rounded.scales[row]} * (four_bits ? multipliers[col / linear.group] : 1);
    }
  }
  return steps;
}

}  // namespace

InputMoments input_moments(const model::Bert& bert, const TokenBatch& sentences,
                           bool first_token_answers,
                           const std::function<void(double)>& on_progress) {
  if (sentences.n_sentences() == 0) {
    throw Error(ErrorCode::usage, "rounding by what is read needs at least one sentence");
  }
  const at::NoGradGuard no_grad;
  InputMoments moments;
  const auto batches = objective::inference_batches(sentences, kBatchTokens);
  std::size_t n_done = 0;
  for (const std::vector<std::size_t>& batch : batches) {
    if (on_progress) {
      on_progress(static_cast<double>(n_done++) / static_cast<double>(batches.size()));
    }
    visit_inputs(bert, objective::pad(sentences, batch, bert.config.pad_id), first_token_answers,
                 [&](std::size_t layer, Input input, std::span<const float> rows, std::size_t n) {
                   const auto width = static_cast<std::int64_t>(n);
                   at::Tensor& sum = moments[part_name(layer, input)];
                   if (!sum.defined()) sum = at::zeros({width, width}, at::kDouble);
                   const at::Tensor x =
                       copied(rows, static_cast<std::int64_t>(rows.size() / n), width);
                   sum += at::matmul(x.t(), x);
                 });
  }
  return moments;
}

Gptq::Gptq(InputMoments moments, double damping)
    : moments_(std::move(moments)), damping_(damping) {}

compress::RoundedLinear Gptq::round(const compress::LinearToRound& linear) {
  const auto found = moments_.find(linear.name);
  if (found == moments_.end() || found->second.size(0) != linear.in) {
    throw Error(ErrorCode::usage,
                "nothing is known of what " + std::string(linear.name) + " reads");
  }
  const at::NoGradGuard no_grad;
  at::Tensor moments = found->second;
  if (!linear.input_scale.empty()) {
    const at::Tensor scale = copied(linear.input_scale, 1, linear.in).to(at::kDouble);
    moments = moments * scale * scale.t();
  }
  const at::Tensor order =
      at::argsort(moments.diagonal(), /*stable=*/true, /*dim=*/0, /*descending=*/true);
  const at::Tensor upper =
      upper_factor(moments.index_select(0, order).index_select(1, order), damping_);

  compress::RoundedLinear rounded;
  const at::Tensor steps = steps_of(linear, rounded).index_select(1, order);
  const at::Tensor weights = copied(linear.weights, linear.out, linear.in).to(at::kDouble);
  const double largest_code = linear.group != 0 ? format::kMaxFourBitCode : 127;
  at::Tensor codes = at::empty_like(weights);
  codes.index_copy_(1, order,
                    round_columns(weights.index_select(1, order), steps, upper, largest_code));
  const at::Tensor bytes = codes.to(at::kChar).contiguous();
  const auto* begin = bytes.const_data_ptr<std::int8_t>();
  rounded.codes.assign(begin, begin + bytes.numel());
  return rounded;
}

}  // namespace espalier::quantize
