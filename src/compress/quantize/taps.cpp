#include "compress/quantize/taps.hpp"

#include <ATen/core/grad_mode.h>

namespace espalier::quantize {
namespace {

// (tokens, n_channels), contiguous.
at::Tensor rows_that_count(const at::Tensor& x, const at::Tensor& mask, bool first_only) {
  if (first_only) return x.select(1, 0).contiguous();
  return mask.defined() ? x.index({mask}) : x.flatten(0, 1).contiguous();
}

}  // namespace

std::span<const float> values_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

std::string part_name(std::size_t layer, Input input) {
  const std::string prefix = "layer." + std::to_string(layer) + ".";
  switch (input) {
    case Input::qkv:
      return prefix + "attention.qkv";
    case Input::out:
      return prefix + "attention.out";
    case Input::up:
      return prefix + "ffn.up";
    case Input::down:
      return prefix + "ffn.down";
  }
  return prefix;
}

void visit_inputs(const model::Bert& bert, const model::TokenTensors& tokens,
                  bool first_token_answers, const InputVisitor& visit) {
  const at::NoGradGuard no_grad;
  at::Tensor x = model::embedded(bert, tokens);
  for (std::size_t layer = 0; layer < bert.layers.size(); ++layer) {
    const bool first_only = first_token_answers && layer + 1 == bert.layers.size();
    const auto show = [&](Input input, const at::Tensor& inputs, bool all_tokens) {
      const at::Tensor rows = rows_that_count(inputs, tokens.mask, first_only && !all_tokens);
      visit(layer, input, values_of(rows), static_cast<std::size_t>(rows.size(-1)));
    };
    const at::Tensor heads = model::head_outputs(bert, layer, x, tokens.mask);
    if (heads.size(-1) > 0) {
      show(Input::qkv, x, /*all_tokens=*/true);
      show(Input::out, heads, /*all_tokens=*/false);
    }
    x = model::add_heads(bert, layer, x, heads);
    const at::Tensor neurons = model::neuron_outputs(bert, layer, x);
    if (neurons.size(-1) > 0) {
      show(Input::up, x, /*all_tokens=*/false);
      show(Input::down, neurons, /*all_tokens=*/false);
    }
    x = model::add_neurons(bert, layer, x, neurons);
  }
}

}  // namespace espalier::quantize
