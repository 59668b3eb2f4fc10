#include "compress/model/checkpoint_io.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>

#include "espalier/error.hpp"
#include "tests/compress/model/golden.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::model {
namespace {

std::map<std::string, at::Tensor> parameters(const Bert& bert) {
  std::map<std::string, at::Tensor> values;
  for_each_parameter(
      bert, [&](const std::string& name, const at::Tensor& value) { values.emplace(name, value); });
  return values;
}

std::set<std::string> stored_names(const std::filesystem::path& folder) {
  const auto file = checkpoint::SafetensorsFile::open(folder / "model.safetensors");
  std::set<std::string> names;
  for (const checkpoint::TensorView& tensor : file.tensors()) names.insert(tensor.name);
  return names;
}

class RoundTrip : public ::testing::TestWithParam<const char*> {};

TEST_P(RoundTrip, GivesEveryParameterBack) {
  const Golden golden(GetParam());
  const Bert bert = load_bert(checkpoint::Checkpoint::open(golden.folder()));
  const testing::TemporaryFolder folder;

  save_bert(bert, folder.path(), WeightType::f32, Overwrite::refuse);

  const checkpoint::Checkpoint saved = checkpoint::Checkpoint::open(folder.path());
  EXPECT_TRUE(saved.notes().empty()) << saved.notes().front();
  const auto before = parameters(bert);
  const auto after = parameters(load_bert(saved));
  ASSERT_EQ(after.size(), before.size());
  for (const auto& [name, value] : before) EXPECT_TRUE(after.at(name).equal(value)) << name;
  EXPECT_EQ(stored_names(folder.path()), stored_names(golden.folder()));
  EXPECT_EQ(saved.config().family, bert.config.family);
  EXPECT_EQ(saved.config().labels, bert.config.labels);
  EXPECT_EQ(saved.config().problem_type, bert.config.problem_type);
  EXPECT_EQ(saved.config().layer_norm_eps, bert.config.layer_norm_eps);
}

INSTANTIATE_TEST_SUITE_P(Tasks, RoundTrip, ::testing::ValuesIn(kGoldens),
                         [](const auto& given) { return std::string(given.param); });

TEST(SaveBert, WritesABareDistilBertWithoutPrefixOrHead) {
  Bert bert = load_bert(checkpoint::Checkpoint::open(Golden("distilbert_tag").folder()));
  replace_head(bert, checkpoint::Architecture::model, checkpoint::ProblemType::single_label, {}, 1);
  const testing::TemporaryFolder folder;

  save_bert(bert, folder.path(), WeightType::f32, Overwrite::refuse);

  std::set<std::string> expected;
  for (const std::string& name : stored_names(Golden("distilbert_tag").folder())) {
    const std::string prefix = "distilbert.";
    if (name.starts_with(prefix)) expected.insert(name.substr(prefix.size()));
  }
  EXPECT_EQ(stored_names(folder.path()), expected);
  const checkpoint::Checkpoint saved = checkpoint::Checkpoint::open(folder.path());
  EXPECT_EQ(saved.config().architecture, checkpoint::Architecture::model);
  EXPECT_EQ(saved.config().family, checkpoint::Family::distilbert);
}

TEST(SaveBert, KeepsUnevenLayers) {
  Bert bert = load_bert(checkpoint::Checkpoint::open(Golden("classify").folder()));
  bert.config.layers[1] = {.heads = {1}, .intermediate = 20};
  Layer& layer = bert.layers[1];
  for (Linear* part : {&layer.query, &layer.key, &layer.value}) {
    *part = {part->weight.slice(0, 8, 16), part->bias.slice(0, 8, 16)};
  }
  layer.attention_output.weight = layer.attention_output.weight.slice(1, 8, 16);
  layer.up = {layer.up.weight.slice(0, 0, 20), layer.up.bias.slice(0, 0, 20)};
  layer.down.weight = layer.down.weight.slice(1, 0, 20);
  const testing::TemporaryFolder folder;

  save_bert(bert, folder.path(), WeightType::f32, Overwrite::refuse);

  const Bert saved = load_bert(checkpoint::Checkpoint::open(folder.path()));
  EXPECT_EQ(saved.config.layers, bert.config.layers);
  EXPECT_TRUE(saved.layers[1].attention_output.weight.equal(layer.attention_output.weight));
}

TEST(SaveBert, KeepsLayersOfWhichNothingIsLeftAndTheRankOfTheWords) {
  checkpoint::BertConfig config =
      load_bert(checkpoint::Checkpoint::open(Golden("classify").folder())).config;
  config.layers = {{.heads = {}, .intermediate = 24}, {.heads = {1}, .intermediate = 0}};
  config.embedding_rank = 7;
  const Bert bert = new_bert(config, 4);
  const testing::TemporaryFolder folder;

  save_bert(bert, folder.path(), WeightType::f32, Overwrite::refuse);

  const Bert saved = load_bert(checkpoint::Checkpoint::open(folder.path()));
  EXPECT_EQ(saved.config.layers, config.layers);
  EXPECT_EQ(saved.config.embedding_rank, 7U);
  const auto before = parameters(bert);
  const auto after = parameters(saved);
  ASSERT_EQ(after.size(), before.size());
  for (const auto& [name, value] : before) EXPECT_TRUE(after.at(name).equal(value)) << name;
  EXPECT_EQ(after.at("bert.embeddings.word_projection.weight").size(1), 7);
  EXPECT_EQ(after.at("bert.encoder.layer.0.attention.output.dense.weight").size(1), 0);
}

TEST(SaveBert, RoundsToNearestEvenAsF16) {
  const Bert bert = load_bert(checkpoint::Checkpoint::open(Golden("classify").folder()));
  const testing::TemporaryFolder folder;

  save_bert(bert, folder.path(), WeightType::f16, Overwrite::refuse);

  const Bert saved = load_bert(checkpoint::Checkpoint::open(folder.path()));
  EXPECT_TRUE(saved.word.equal(bert.word.to(at::kHalf).to(at::kFloat)));
}

TEST(SaveBert, RefusesWhatIsNotFiniteAndLeavesNoFile) {
  Bert bert = load_bert(checkpoint::Checkpoint::open(Golden("classify").folder()));
  bert.layers[0].up.weight[1][2] = std::numeric_limits<float>::quiet_NaN();
  const testing::TemporaryFolder folder;

  try {
    save_bert(bert, folder.path(), WeightType::f32, Overwrite::refuse);
    FAIL() << "saved";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed);
    EXPECT_NE(std::string(error.what()).find("layer.0.intermediate.dense.weight"),
              std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace espalier::model
