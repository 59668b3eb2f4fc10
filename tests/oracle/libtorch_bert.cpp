#include "tests/oracle/libtorch_bert.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <cmath>

namespace espalier::testing {
namespace {

at::Tensor tensor_of(const checkpoint::TensorRef& source) {
  const std::vector<std::int64_t> shape(source.shape().begin(), source.shape().end());
  at::Tensor tensor = at::empty(shape, at::kFloat);
  source.read_f32({tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())});
  return tensor;
}

struct Linear {
  at::Tensor weight, bias;
  explicit Linear(const checkpoint::LinearParameters& source)
      : weight(tensor_of(source.weight)), bias(tensor_of(source.bias)) {}
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const {
    return at::linear(x, weight, bias);
  }
};

struct Norm {
  at::Tensor weight, bias;
  double eps;
  Norm(const checkpoint::NormParameters& source, double epsilon)
      : weight(tensor_of(source.weight)), bias(tensor_of(source.bias)), eps(epsilon) {}
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const {
    return at::layer_norm(x, {x.size(-1)}, weight, bias, eps);
  }
};

struct Layer {
  Linear query, key, value, attention_output;
  Norm attention_norm;
  Linear intermediate, output;
  Norm output_norm;
  Layer(const checkpoint::LayerParameters& source, double eps)
      : query(source.query),
        key(source.key),
        value(source.value),
        attention_output(source.attention_output),
        attention_norm(source.attention_norm, eps),
        intermediate(source.intermediate),
        output(source.output),
        output_norm(source.output_norm, eps) {}

  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, std::int64_t head_dim) const {
    const auto split = [&](const at::Tensor& y) {  // (tokens, A) → (heads, tokens, head_dim)
      return y.view({y.size(0), -1, head_dim}).transpose(0, 1);
    };
    if (query.weight.size(0) == 0) return end(x, attention_output.bias);
    const at::Tensor scores = at::matmul(split(query(x)), split(key(x)).transpose(1, 2)) /
                              std::sqrt(static_cast<double>(head_dim));
    const at::Tensor context = at::matmul(at::softmax(scores, -1), split(value(x)));
    const at::Tensor joined = context.transpose(0, 1).reshape({x.size(0), -1});
    return end(x, attention_output(joined));
  }

  /// The layer from the sum of its attention on. Of a feed-forward without neurons the bias is
  /// left.
  [[nodiscard]] at::Tensor end(const at::Tensor& x, const at::Tensor& attention) const {
    const at::Tensor attended = attention_norm(x + attention);
    if (intermediate.weight.size(0) == 0) return output_norm(attended + output.bias);
    return output_norm(attended + output(at::gelu(intermediate(attended))));
  }
};

}  // namespace

struct LibTorchBert::Weights {
  explicit Weights(const checkpoint::Checkpoint& checkpoint)
      : config(checkpoint.config()),
        word(tensor_of(checkpoint.parameters().word_embeddings)),
        position(tensor_of(checkpoint.parameters().position_embeddings)),
        norm(checkpoint.parameters().embeddings_norm, config.layer_norm_eps) {
    const checkpoint::BertParameters& parameters = checkpoint.parameters();
    if (parameters.word_projection) projection = tensor_of(*parameters.word_projection);
    if (parameters.token_type_embeddings) segment = tensor_of(*parameters.token_type_embeddings);
    for (const auto& layer : parameters.layers) layers.emplace_back(layer, config.layer_norm_eps);
    if (parameters.pooler) pooler.emplace(*parameters.pooler);
    if (parameters.classifier) classifier.emplace(*parameters.classifier);
    if (parameters.masked_lm) {
      transform.emplace(parameters.masked_lm->transform);
      transform_norm.emplace(parameters.masked_lm->transform_norm, config.layer_norm_eps);
      decoder_bias = tensor_of(parameters.masked_lm->bias);
    }
  }

  checkpoint::BertConfig config;
  at::Tensor word, projection, position, segment;
  Norm norm;
  std::vector<Layer> layers;
  std::optional<Linear> pooler, classifier, transform;
  std::optional<Norm> transform_norm;
  at::Tensor decoder_bias;
};

LibTorchBert::LibTorchBert(const checkpoint::Checkpoint& checkpoint)
    : weights_(std::make_unique<Weights>(checkpoint)) {
  at::set_num_threads(1);  // a sentence at a time: more only wait for each other
}

LibTorchBert::~LibTorchBert() = default;

std::vector<float> LibTorchBert::logits(std::span<const TokenId> ids,
                                        std::span<const std::uint8_t> segments) const {
  const c10::InferenceMode inference;
  const Weights& w = *weights_;
  const auto n_tokens = static_cast<std::int64_t>(ids.size());
  at::Tensor id = at::empty({n_tokens}, at::kLong);
  at::Tensor side = at::empty({n_tokens}, at::kLong);
  for (std::int64_t token = 0; token < n_tokens; ++token) {
    id[token] = to_int(ids[static_cast<std::size_t>(token)]);
    side[token] = segments[static_cast<std::size_t>(token)];
  }
  at::Tensor words = w.word.index_select(0, id);
  if (w.projection.defined()) words = at::matmul(words, w.projection.t());
  at::Tensor x = words + w.position.slice(0, 0, n_tokens);
  if (w.segment.defined()) x = x + w.segment.index_select(0, side);
  x = w.norm(x);
  for (const Layer& layer : w.layers) x = layer(x, w.config.head_dim);
  if (w.transform) {
    x = at::linear((*w.transform_norm)(at::gelu((*w.transform)(x))), w.word, w.decoder_bias);
  } else if (w.classifier) {
    if (w.pooler) {
      const at::Tensor pooled = (*w.pooler)(x.slice(0, 0, 1));
      const bool is_bert = w.config.family == checkpoint::Family::bert;
      x = is_bert ? at::tanh(pooled) : at::relu(pooled);
    }
    x = (*w.classifier)(x);
  }
  x = x.contiguous();
  const float* values = x.data_ptr<float>();
  return {values, values + x.numel()};
}

}  // namespace espalier::testing
