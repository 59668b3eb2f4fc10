#include "compress/train/shaper.hpp"

#include <ATen/ops/tensor.h>

#include <algorithm>

namespace espalier::train {
namespace {

using objective::NamedTensor;
using Units = std::vector<std::uint32_t>;

Units picked(const Units& units, const Units& positions) {
  Units result;
  for (const std::uint32_t position : positions) result.push_back(units[position]);
  return result;
}

at::Tensor tensor_of(const Units& units) {
  return at::tensor(std::vector<std::int64_t>(units.begin(), units.end()), at::kLong);
}

Units units_of(const at::Tensor& tensor) {
  const auto* first = tensor.const_data_ptr<std::int64_t>();
  Units units;
  for (std::int64_t index = 0; index < tensor.numel(); ++index) {
    units.push_back(static_cast<std::uint32_t>(first[index]));
  }
  return units;
}

std::string heads_name(std::size_t layer) {
  return "kept.heads." + std::to_string(layer);
}

std::string neurons_name(std::size_t layer) {
  return "kept.neurons." + std::to_string(layer);
}

}  // namespace

std::vector<model::Kept> kept_of(const std::vector<model::Kept>& kept,
                                 std::span<const model::Kept> more) {
  std::vector<model::Kept> result;
  for (std::size_t layer = 0; layer < kept.size(); ++layer) {
    result.push_back({.heads = picked(kept[layer].heads, more[layer].heads),
                      .neurons = picked(kept[layer].neurons, more[layer].neurons)});
  }
  return result;
}

std::vector<NamedTensor> cut_along(const std::vector<NamedTensor>& state,
                                   const std::vector<std::string>& prefixes,
                                   const model::Bert& bert, std::span<const model::Kept> kept) {
  std::vector<NamedTensor> result = state;
  const auto find = [&result](const std::string& name) {
    return std::find_if(result.begin(), result.end(),
                        [&](const NamedTensor& tensor) { return tensor.name == name; });
  };
  for (const std::string& prefix : prefixes) {
    // A model whose parameters are these tensors: the surgery knows how each of them is cut.
    model::Bert shaped = bert;
    model::for_each_parameter(shaped, [&](const std::string& name, at::Tensor& value) {
      const auto found = find(prefix + name);
      if (found != result.end()) value = found->value;
    });
    shaped = model::cut(shaped, kept);
    model::for_each_parameter(shaped, [&](const std::string& name, const at::Tensor& value) {
      const auto found = find(prefix + name);
      if (found != result.end()) found->value = value;
    });
  }
  return result;
}

std::vector<NamedTensor> tensors_of(std::span<const model::Kept> kept) {
  std::vector<NamedTensor> tensors;
  for (std::size_t layer = 0; layer < kept.size(); ++layer) {
    tensors.push_back({heads_name(layer), tensor_of(kept[layer].heads)});
    tensors.push_back({neurons_name(layer), tensor_of(kept[layer].neurons)});
  }
  return tensors;
}

std::vector<model::Kept> kept_from(
    std::size_t n_layers, const std::function<at::Tensor(const std::string& name)>& tensor) {
  std::vector<model::Kept> kept;
  for (std::size_t layer = 0; layer < n_layers; ++layer) {
    kept.push_back({.heads = units_of(tensor(heads_name(layer))),
                    .neurons = units_of(tensor(neurons_name(layer)))});
  }
  return kept;
}

}  // namespace espalier::train
