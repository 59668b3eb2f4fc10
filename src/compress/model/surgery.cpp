#include "compress/model/surgery.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "espalier/error.hpp"

namespace espalier::model {
namespace {

void check_units(const std::vector<std::uint32_t>& units, std::int64_t n_there, std::size_t layer,
                 const char* kind) {
  const bool rising =
      std::adjacent_find(units.begin(), units.end(), std::greater_equal<>()) == units.end();
  if (rising && (units.empty() || units.back() < n_there)) return;
  throw Error(ErrorCode::usage, "layer " + std::to_string(layer) + " has " +
                                    std::to_string(n_there) + " " + kind +
                                    "; what is kept of them is given in rising order, from 0");
}

at::Tensor indices_of(const std::vector<std::uint32_t>& units, const at::Tensor& like) {
  at::Tensor indices = at::empty({static_cast<std::int64_t>(units.size())}, at::kLong);
  std::copy(units.begin(), units.end(), indices.data_ptr<std::int64_t>());
  return indices.to(like.device());
}

void keep_outputs(Linear& linear, const at::Tensor& channels) {
  linear.weight = linear.weight.index_select(0, channels);
  linear.bias = linear.bias.index_select(0, channels);
}

void keep_inputs(Linear& linear, const at::Tensor& channels) {
  linear.weight = linear.weight.index_select(1, channels);
}

void cut_layer(Layer& layer, const Kept& kept, std::uint32_t head_dim) {
  const at::Tensor channels = indices_of(head_channels(kept.heads, head_dim), layer.query.weight);
  for (Linear* linear : {&layer.query, &layer.key, &layer.value}) keep_outputs(*linear, channels);
  keep_inputs(layer.attention_output, channels);
  const at::Tensor neurons = indices_of(kept.neurons, layer.up.weight);
  keep_outputs(layer.up, neurons);
  keep_inputs(layer.down, neurons);
}

}  // namespace

std::vector<std::uint32_t> head_channels(std::span<const std::uint32_t> heads,
                                         std::uint32_t head_dim) {
  std::vector<std::uint32_t> channels;
  channels.reserve(heads.size() * head_dim);
  for (const std::uint32_t head : heads) {
    for (std::uint32_t channel = 0; channel < head_dim; ++channel) {
      channels.push_back(head * head_dim + channel);
    }
  }
  return channels;
}

std::vector<Kept> all_units(const Bert& bert) {
  std::vector<Kept> layers;
  for (const checkpoint::LayerWidths& widths : bert.config.layers) {
    Kept& kept = layers.emplace_back();
    kept.heads.resize(widths.heads.size());
    kept.neurons.resize(widths.intermediate);
    std::iota(kept.heads.begin(), kept.heads.end(), 0U);
    std::iota(kept.neurons.begin(), kept.neurons.end(), 0U);
  }
  return layers;
}

Bert cut(const Bert& bert, std::span<const Kept> layers) {
  if (layers.size() != bert.layers.size()) {
    throw Error(ErrorCode::usage, "what is kept of " + std::to_string(layers.size()) +
                                      " layers was given for a model of " +
                                      std::to_string(bert.layers.size()));
  }
  const at::NoGradGuard no_grad;
  Bert result = bert;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const Kept& kept = layers[index];
    checkpoint::LayerWidths& widths = result.config.layers[index];
    check_units(kept.heads, static_cast<std::int64_t>(widths.heads.size()), index, "heads");
    check_units(kept.neurons, widths.intermediate, index, "neurons");
    cut_layer(result.layers[index], kept, bert.config.head_dim);
    std::vector<std::uint32_t> names;
    for (const std::uint32_t head : kept.heads) names.push_back(widths.heads[head]);
    widths = {.heads = std::move(names),
              .intermediate = static_cast<std::uint32_t>(kept.neurons.size())};
  }
  for_each_parameter(result,
                     [](const std::string&, at::Tensor& value) { value = value.detach().clone(); });
  return result;
}

}  // namespace espalier::model
