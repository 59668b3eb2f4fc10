#include "compress/prune/cost.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "compress/model/surgery.hpp"
#include "format/writer.hpp"
#include "tests/compress/prune/small_model.hpp"

namespace espalier::prune {
namespace {

std::size_t file_bytes(const model::Bert& bert) {
  return format::to_bytes(exported(bert, Precision::int8).spec()).size();
}

model::Kept first_units(std::uint32_t n_heads, std::uint32_t n_neurons) {
  model::Kept kept;
  for (std::uint32_t head = 0; head < n_heads; ++head) kept.heads.push_back(head);
  for (std::uint32_t neuron = 0; neuron < n_neurons; ++neuron) kept.neurons.push_back(neuron);
  return kept;
}

/// By how many bytes the file of a cut model is larger than its predicted size.
double surprise(const std::vector<model::Kept>& kept) {
  const model::Bert bert = lively_bert(small_config());
  const Cost cost = size_cost(bert.config, static_cast<double>(file_bytes(bert)));
  const model::Bert small = model::cut(bert, kept);
  return static_cast<double>(file_bytes(small)) - cost.of(small.config.layers);
}

TEST(MultiplyAddCost, CountsWhatALayerMultiplies) {
  const Cost cost = multiply_add_cost(small_config(), 10);

  // A head of 8 channels: query, key, value and output projection of a hidden size of 32; a
  // product with each of 10 keys, and a share of each of 10 values.
  EXPECT_EQ(cost.layers[0].heads[1], 4 * 32 * 8 + 8 * 10 + 8 * 10);
  EXPECT_EQ(cost.layers[1].heads[3], 3 * (4 * 32 * 8 + 8 * 10 + 8 * 10));
  EXPECT_EQ(cost.layers[1].neurons[64], 64 * (32 + 32));
  EXPECT_EQ(cost.layers[0].neurons[0], 0);
  EXPECT_EQ(cost.rest, 0);
  EXPECT_EQ(cost.of(small_config().layers), 2 * (4 * (1024 + 160) + 64 * 64));
}

TEST(MultiplyAddCost, FollowsTheWidthsOfEachLayer) {
  checkpoint::BertConfig config = small_config();
  config.layers[1] = {.heads = {2}, .intermediate = 5};

  const Cost cost = multiply_add_cost(config, 10);

  EXPECT_EQ(cost.layers[1].heads.size(), 2U);
  EXPECT_EQ(cost.layers[1].neurons.size(), 6U);
  EXPECT_EQ(cost.of(config.layers), 4 * 1184 + 64 * 64 + 1184 + 5 * 64);
}

TEST(Cost, NeverFallsWithMoreUnits) {
  for (const Cost& cost :
       {multiply_add_cost(small_config(), 25), size_cost(small_config(), 100'000)}) {
    for (const LayerCost& layer : cost.layers) {
      EXPECT_EQ(layer.heads.size(), 5U);
      EXPECT_EQ(layer.neurons.size(), 65U);
      EXPECT_TRUE(std::is_sorted(layer.heads.begin(), layer.heads.end())) << cost.unit;
      EXPECT_TRUE(std::is_sorted(layer.neurons.begin(), layer.neurons.end())) << cost.unit;
      EXPECT_LT(layer.neurons.front(), layer.neurons.back()) << cost.unit;
    }
  }
}

TEST(SizeCost, IsTheSizeThatAFileHasAsItIs) {
  EXPECT_EQ(size_cost(small_config(), 123'456).of(small_config().layers), 123'456);
}

TEST(SizeCost, PredictsTheFilesOfCutModelsToTheByte) {
  EXPECT_EQ(surprise({first_units(2, 64), first_units(4, 17)}), 0);
  EXPECT_EQ(surprise({first_units(1, 1), first_units(3, 33)}), 0);
}

// The header has a table of 16 to 48 bytes for each of the tensors that are gone: weight, scale,
// bias and input scale of one linear, the weight of the other.
TEST(SizeCost, PredictsTheFilesOfEmptiedModelsUpToTheirHeader) {
  for (const std::vector<model::Kept>& kept :
       {std::vector<model::Kept>{first_units(0, 64), first_units(4, 0)},
        std::vector<model::Kept>{first_units(0, 0), first_units(0, 0)}}) {
    const double n_empty = kept[0].neurons.empty() ? 4 : 2;
    EXPECT_LE(surprise(kept), 0) << n_empty;
    EXPECT_GE(surprise(kept), -n_empty * 5 * 48 - 64) << n_empty;
  }
}

}  // namespace
}  // namespace espalier::prune
