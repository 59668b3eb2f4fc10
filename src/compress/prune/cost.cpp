#include "compress/prune/cost.hpp"

#include "format/container.hpp"
#include "format/panels.hpp"

namespace espalier::prune {
namespace {

// Tables of a cost that is a function of one count, for each layer of the model.
template <typename HeadCost, typename NeuronCost>
std::vector<LayerCost> tabulate(const checkpoint::BertConfig& config, const HeadCost& of_heads,
                                const NeuronCost& of_neurons) {
  std::vector<LayerCost> layers;
  for (const checkpoint::LayerWidths& widths : config.layers) {
    LayerCost& layer = layers.emplace_back();
    for (std::uint32_t n = 0; n <= widths.heads.size(); ++n) layer.heads.push_back(of_heads(n));
    for (std::uint32_t n = 0; n <= widths.intermediate; ++n) layer.neurons.push_back(of_neurons(n));
  }
  return layers;
}

// Floats as they lie in a file, whose parts are padded.
double float_bytes(std::uint32_t n) {
  return static_cast<double>(format::padded(std::size_t{4} * n));
}

// What an int8 linear reads: only after a LayerNorm have inputs scales of their own.
enum class Reads { norm, units };

// An int8 linear as it lies in a file: codes in panels, a scale and a bias for each output; the
// last two also where all inputs are gone.
double linear_bytes(std::uint32_t out, std::uint32_t in, Reads reads) {
  const bool has_input_scale = reads == Reads::norm && out > 0;
  return static_cast<double>(format::panel_bytes(out, in)) + 2 * float_bytes(out) +
         (has_input_scale ? float_bytes(in) : 0.0);
}

}  // namespace

double Cost::of(std::span<const checkpoint::LayerWidths> widths) const {
  double sum = rest;
  for (std::size_t layer = 0; layer < widths.size(); ++layer) {
    sum += layers[layer].heads[widths[layer].heads.size()] +
           layers[layer].neurons[widths[layer].intermediate];
  }
  return sum;
}

Cost multiply_add_cost(const checkpoint::BertConfig& config, double sentence_tokens) {
  // Query, key, value and output projection; scores and context are a row of tokens each.
  const double head = config.head_dim * (4.0 * config.hidden + 2.0 * sentence_tokens);
  const double neuron = 2.0 * config.hidden;
  return {.unit = "multiply-adds a token",
          .layers = tabulate(
              config, [&](std::uint32_t n) { return n * head; },
              [&](std::uint32_t n) { return n * neuron; }),
          .rest = 0};
}

Cost size_cost(const checkpoint::BertConfig& config, double file_bytes) {
  const std::uint32_t hidden = config.hidden;
  Cost cost = {.unit = "bytes",
               .layers = tabulate(
                   config,
                   [&](std::uint32_t n) {
                     const std::uint32_t attention = n * config.head_dim;
                     return linear_bytes(3 * attention, hidden, Reads::norm) +
                            linear_bytes(hidden, attention, Reads::units);
                   },
                   [&](std::uint32_t n) {
                     return linear_bytes(n, hidden, Reads::norm) +
                            linear_bytes(hidden, n, Reads::units);
                   }),
               .rest = 0};
  cost.rest = file_bytes - cost.of(config.layers);
  return cost;
}

}  // namespace espalier::prune
