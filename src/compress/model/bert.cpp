#include "compress/model/bert.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "compress/model/rounding.hpp"

namespace espalier::model {
namespace {

at::Tensor apply(const Linear& linear, const at::Tensor& x) {
  return at::linear(x, linear.weight, linear.bias);
}

at::Tensor apply(const Norm& norm, const at::Tensor& x, double eps) {
  return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, eps);
}

at::Tensor drop(const at::Tensor& x, double probability) {
  return probability > 0 ? at::dropout(x, probability, /*train=*/true) : x;
}

at::Tensor embed(const Bert& bert, const TokenTensors& tokens) {
  const Rounding* rounding = bert.rounding;
  at::Tensor words = at::embedding(bert.word, tokens.ids);
  if (rounding != nullptr) words = rounding->words(words);
  if (bert.word_projection.defined()) {
    words =
        at::linear(words, rounding == nullptr ? bert.word_projection
                                              : rounding->word_projection(bert.word_projection));
  }
  const at::Tensor x = words + bert.position.slice(0, 0, tokens.ids.size(1));
  return bert.segment.defined() ? x + at::embedding(bert.segment, tokens.segments) : x;
}

at::Tensor activate(format::PoolerActivation activation, const at::Tensor& x) {
  switch (activation) {
    case format::PoolerActivation::tanh:
      return at::tanh(x);
    case format::PoolerActivation::relu:
      return at::relu(x);
  }
  return x;
}

// (sentences, tokens, A) → (sentences, heads, tokens, head_dim)
at::Tensor split_heads(const at::Tensor& x, std::int64_t head_dim) {
  return x.view({x.size(0), x.size(1), -1, head_dim}).transpose(1, 2);
}

struct Projections {
  at::Tensor query, key, value;  // (sentences, heads, tokens, head_dim)
};

// The plain form, whose logits distillation asks for, and whose steps can be rounded.
at::Tensor attend_openly(const Projections& p, const at::Tensor& mask, double dropout,
                         const Rounding* rounding, at::Tensor& logits) {
  const auto rounded = [rounding](const at::Tensor& x) {
    return rounding == nullptr ? x : rounding->heads(x);
  };
  const double scale = 1.0 / std::sqrt(static_cast<double>(p.query.size(-1)));
  logits = at::matmul(rounded(p.query), rounded(p.key).transpose(-1, -2)) * scale;
  at::Tensor masked = logits;
  if (mask.defined()) masked = masked.masked_fill(mask.logical_not(), -INFINITY);
  at::Tensor weights = at::softmax(masked, -1);
  if (rounding != nullptr) weights = rounding->attention(weights, p.value);
  return at::matmul(drop(weights, dropout), rounded(p.value));
}

// A product of a layer with its rounding, if it has one.
struct Rounded {
  const Bert& bert;
  std::size_t layer;
  Product product;

  [[nodiscard]] at::Tensor input(const at::Tensor& x) const {
    return bert.rounding == nullptr ? x : bert.rounding->input(layer, product, x);
  }
  // x as input() gives it.
  [[nodiscard]] at::Tensor apply(const Linear& linear, const at::Tensor& x) const {
    if (bert.rounding == nullptr) return model::apply(linear, x);
    return at::linear(x, bert.rounding->weight(layer, product, linear.weight), linear.bias);
  }
};

// What a step needs to know beside its input.
struct Context {
  const Bert& bert;
  const at::Tensor& mask;  // (sentences, tokens) or undefined
  const Dropout& dropout;
  Trace* trace;  // may be null
};

at::Tensor attend(const Context& context, std::size_t index, const at::Tensor& x) {
  const Layer& layer = context.bert.layers[index];
  const auto head_dim = static_cast<std::int64_t>(context.bert.config.head_dim);
  Trace* trace = context.trace;
  if (layer.query.weight.size(0) == 0) {              // all heads removed
    if (trace != nullptr && trace->keep_attention) {  // layers are counted all the same
      trace->attention.push_back(at::empty({x.size(0), 0, x.size(1), x.size(1)}, x.options()));
    }
    return x.slice(-1, 0, 0);
  }
  const Rounded product = {context.bert, index, Product::qkv};
  const at::Tensor input = product.input(x);
  const at::Tensor query = product.apply(layer.query, input);
  const at::Tensor key = product.apply(layer.key, input);
  const at::Tensor value = product.apply(layer.value, input);
  if (trace != nullptr && trace->keep_last_projections && index + 1 == context.bert.layers.size()) {
    trace->projections = {query, key, value};
  }
  const Projections heads = {split_heads(query, head_dim), split_heads(key, head_dim),
                             split_heads(value, head_dim)};
  // (sentences, 1, 1, tokens): every query of a sentence sees its tokens.
  const at::Tensor mask =
      context.mask.defined() ? context.mask.unsqueeze(1).unsqueeze(1) : context.mask;
  const double dropout = context.dropout.attention;
  at::Tensor outputs;
  const bool traced = trace != nullptr && trace->keep_attention;
  if (traced || context.bert.rounding != nullptr) {
    at::Tensor logits;
    outputs = attend_openly(heads, mask, dropout, context.bert.rounding, logits);
    if (traced) trace->attention.push_back(logits);
  } else {
    outputs = at::scaled_dot_product_attention(
        heads.query, heads.key, heads.value,
        mask.defined() ? std::optional<at::Tensor>(mask) : std::nullopt, dropout);
  }
  return outputs.transpose(1, 2).reshape({x.size(0), x.size(1), -1});
}

// A pruned layer that kept no units of a kind adds its bias alone.
at::Tensor add(const Linear& linear, const Norm& norm, const Context& context,
               const Rounded& product, const at::Tensor& x, const at::Tensor& outputs) {
  const at::Tensor sum = linear.weight.size(1) == 0 ? linear.bias.expand_as(x)
                                                    : product.apply(linear, product.input(outputs));
  return apply(norm, x + drop(sum, context.dropout.hidden), context.bert.config.layer_norm_eps);
}

// outputs (sentences, tokens, heads * head_dim), gates (sentences or 1, heads)
at::Tensor gate_heads(const at::Tensor& outputs, const at::Tensor& gates, std::uint32_t head_dim) {
  const at::Tensor heads =
      outputs.unflatten(-1, {outputs.size(-1) / static_cast<std::int64_t>(head_dim),
                             static_cast<std::int64_t>(head_dim)});
  return (heads * gates.unsqueeze(1).unsqueeze(-1)).flatten(-2);
}

}  // namespace

at::Tensor embedded(const Bert& bert, const TokenTensors& tokens) {
  return apply(bert.embedding_norm, embed(bert, tokens), bert.config.layer_norm_eps);
}

at::Tensor head_outputs(const Bert& bert, std::size_t layer, const at::Tensor& x,
                        const at::Tensor& mask) {
  return attend({bert, mask, {}, nullptr}, layer, x);
}

at::Tensor neuron_outputs(const Bert& bert, std::size_t layer, const at::Tensor& x) {
  const Rounded product = {bert, layer, Product::up};
  return at::gelu(product.apply(bert.layers[layer].up, product.input(x)));
}

at::Tensor add_heads(const Bert& bert, std::size_t layer, const at::Tensor& x,
                     const at::Tensor& outputs) {
  const Layer& half = bert.layers[layer];
  return add(half.attention_output, half.attention_norm, {bert, {}, {}, nullptr},
             {bert, layer, Product::out}, x, outputs);
}

at::Tensor add_neurons(const Bert& bert, std::size_t layer, const at::Tensor& x,
                       const at::Tensor& outputs) {
  const Layer& half = bert.layers[layer];
  return add(half.down, half.output_norm, {bert, {}, {}, nullptr}, {bert, layer, Product::down}, x,
             outputs);
}

at::Tensor encode(const Bert& bert, const TokenTensors& tokens, const Dropout& dropout,
                  Trace* trace, const Gates* gates) {
  const Context context = {bert, tokens.mask, dropout, trace};
  at::Tensor x = drop(embedded(bert, tokens), dropout.hidden);
  if (trace != nullptr && trace->keep_hidden) trace->hidden.push_back(x);
  for (std::size_t index = 0; index < bert.layers.size(); ++index) {
    const Layer& layer = bert.layers[index];
    at::Tensor heads = attend(context, index, x);
    if (gates != nullptr) heads = gate_heads(heads, gates->heads[index], bert.config.head_dim);
    x = add(layer.attention_output, layer.attention_norm, context, {bert, index, Product::out}, x,
            heads);
    at::Tensor neurons = neuron_outputs(bert, index, x);
    if (gates != nullptr) neurons = neurons * gates->neurons[index].unsqueeze(1);
    x = add(layer.down, layer.output_norm, context, {bert, index, Product::down}, x, neurons);
    if (trace != nullptr && trace->keep_hidden) trace->hidden.push_back(x);
  }
  return x;
}

at::Tensor masked_lm_logits(const Bert& bert, const at::Tensor& x) {
  const MaskedLmHead& head = *bert.masked_lm;
  const at::Tensor transformed =
      apply(head.norm, at::gelu(apply(head.transform, x)), bert.config.layer_norm_eps);
  return at::linear(transformed, bert.word, head.bias);
}

at::Tensor head_logits(const Bert& bert, const at::Tensor& x, const Dropout& dropout) {
  switch (bert.config.architecture) {
    case checkpoint::Architecture::sequence_classification: {
      const at::Tensor pooled = activate(checkpoint::row_of(bert.config.family).pooler_activation,
                                         apply(*bert.pooler, x.select(1, 0)));
      return apply(*bert.classifier, drop(pooled, dropout.classifier));
    }
    case checkpoint::Architecture::token_classification:
      return apply(*bert.classifier, drop(x, dropout.classifier));
    case checkpoint::Architecture::masked_lm:
      return masked_lm_logits(bert, x);
    case checkpoint::Architecture::model:
      break;
  }
  return x;
}

std::int64_t parameter_count(const Bert& bert) {
  std::int64_t count = 0;
  for_each_parameter(bert,
                     [&](const std::string&, const at::Tensor& value) { count += value.numel(); });
  return count;
}

}  // namespace espalier::model
