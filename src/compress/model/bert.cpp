#include "compress/model/bert.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/embedding.h>
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
  const at::Tensor x =
      at::embedding(bert.word, tokens.ids) + bert.position.slice(0, 0, tokens.ids.size(1));
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

// The plain form, whose logits distillation asks for.
at::Tensor attend_openly(const Projections& p, const at::Tensor& mask, double dropout,
                         at::Tensor& logits) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(p.query.size(-1)));
  logits = at::matmul(p.query, p.key.transpose(-1, -2)) * scale;
  at::Tensor masked = logits;
  if (mask.defined()) masked = masked.masked_fill(mask.logical_not(), -INFINITY);
  return at::matmul(drop(at::softmax(masked, -1), dropout), p.value);
}

at::Tensor attend(const Layer& layer, const at::Tensor& x, const at::Tensor& mask,
                  std::int64_t head_dim, const Dropout& dropout, bool is_last, Trace* trace) {
  if (layer.query.weight.size(0) == 0) {  // all heads removed: what is left is the bias
    return layer.attention_output.bias.expand_as(x);
  }
  const at::Tensor query = apply(layer.query, x);
  const at::Tensor key = apply(layer.key, x);
  const at::Tensor value = apply(layer.value, x);
  if (trace != nullptr && trace->keep_last_projections && is_last) {
    trace->projections = {query, key, value};
  }
  const Projections heads = {split_heads(query, head_dim), split_heads(key, head_dim),
                             split_heads(value, head_dim)};
  at::Tensor context;
  if (trace != nullptr && trace->keep_attention) {
    context = attend_openly(heads, mask, dropout.attention, trace->attention.emplace_back());
  } else {
    context = at::scaled_dot_product_attention(
        heads.query, heads.key, heads.value,
        mask.defined() ? std::optional<at::Tensor>(mask) : std::nullopt, dropout.attention);
  }
  const at::Tensor joined = context.transpose(1, 2).reshape({x.size(0), x.size(1), -1});
  return apply(layer.attention_output, joined);
}

at::Tensor feed_forward(const Layer& layer, const at::Tensor& x) {
  if (layer.up.weight.size(0) == 0) return layer.down.bias.expand_as(x);
  return apply(layer.down, at::gelu(apply(layer.up, x)));
}

}  // namespace

at::Tensor encode(const Bert& bert, const TokenTensors& tokens, const Dropout& dropout,
                  Trace* trace) {
  const double eps = bert.config.layer_norm_eps;
  const auto head_dim = static_cast<std::int64_t>(bert.config.head_dim);
  // (sentences, 1, 1, tokens): every query of a sentence sees its tokens.
  const at::Tensor mask =
      tokens.mask.defined() ? tokens.mask.unsqueeze(1).unsqueeze(1) : tokens.mask;
  at::Tensor x = drop(apply(bert.embedding_norm, embed(bert, tokens), eps), dropout.hidden);
  if (trace != nullptr && trace->keep_hidden) trace->hidden.push_back(x);
  for (std::size_t index = 0; index < bert.layers.size(); ++index) {
    const Layer& layer = bert.layers[index];
    const bool is_last = index + 1 == bert.layers.size();
    const at::Tensor attended = attend(layer, x, mask, head_dim, dropout, is_last, trace);
    x = apply(layer.attention_norm, x + drop(attended, dropout.hidden), eps);
    x = apply(layer.output_norm, x + drop(feed_forward(layer, x), dropout.hidden), eps);
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
