#include "compress/checkpoint/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>

#include "compress/checkpoint/convert_floats.hpp"
#include "tests/compress/checkpoint/edited_checkpoint.hpp"
#include "tests/support/real_data.hpp"

namespace espalier::checkpoint {
namespace {

using ::testing::AllOf;
using testing::by_name;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TemporaryFolder;
using testing::TensorList;
using testing::TinyArchitecture;
using testing::TinyCheckpoint;
using testing::TinyTensor;
using testing::write_tiny_checkpoint;

// All parameters of `tiny` must come back as the values it wrote, in whatever way it wrote them.
void expect_read_back(const TinyCheckpoint& tiny) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), tiny);
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  TensorList tensors = testing::tiny_tensors(tiny);

  const BertParameters& bert = checkpoint.parameters();
  const std::string prefix = tiny.bert_prefix ? "bert." : "";
  const std::string last = prefix + "encoder.layer." + std::to_string(tiny.layers - 1) + ".";
  const std::string gamma = tiny.gamma_beta ? ".gamma" : ".weight";
  const LayerParameters& layer = bert.layers.at(tiny.layers - 1);
  const std::vector<std::pair<TensorRef, std::string>> expected = {
      {bert.word_embeddings, prefix + "embeddings.word_embeddings.weight"},
      {bert.position_embeddings, prefix + "embeddings.position_embeddings.weight"},
      {bert.token_type_embeddings.value(), prefix + "embeddings.token_type_embeddings.weight"},
      {bert.embeddings_norm.weight, prefix + "embeddings.LayerNorm" + gamma},
      {layer.query.weight, last + "attention.self.query.weight"},
      {layer.key.bias, last + "attention.self.key.bias"},
      {layer.value.weight, last + "attention.self.value.weight"},
      {layer.attention_output.weight, last + "attention.output.dense.weight"},
      {layer.attention_norm.weight, last + "attention.output.LayerNorm" + gamma},
      {layer.intermediate.weight, last + "intermediate.dense.weight"},
      {layer.output.weight, last + "output.dense.weight"},
      {layer.output_norm.weight, last + "output.LayerNorm" + gamma}};
  for (const auto& [parameter, name] : expected) {
    EXPECT_EQ(parameter.name(), name);
    EXPECT_EQ(parameter.read_f32(), by_name(tensors, name).values) << name;
    EXPECT_EQ(parameter.shape(), by_name(tensors, name).shape) << name;
  }
  EXPECT_THAT(checkpoint.notes(), IsEmpty());
}

TEST(Checkpoint, ReadsEachArchitectureWithItsHead) {
  for (const TinyArchitecture architecture :
       {TinyArchitecture::model, TinyArchitecture::sequence_classification,
        TinyArchitecture::token_classification, TinyArchitecture::masked_lm}) {
    const TemporaryFolder folder;
    write_tiny_checkpoint(folder.path(), {.architecture = architecture});

    const Checkpoint checkpoint = Checkpoint::open(folder.path());

    const BertParameters& bert = checkpoint.parameters();
    const bool is_sequence = architecture == TinyArchitecture::sequence_classification;
    const bool is_tagging = architecture == TinyArchitecture::token_classification;
    EXPECT_EQ(bert.pooler.has_value(), is_sequence || architecture == TinyArchitecture::model);
    EXPECT_EQ(bert.classifier.has_value(), is_sequence || is_tagging);
    EXPECT_EQ(bert.masked_lm.has_value(), architecture == TinyArchitecture::masked_lm);
    EXPECT_EQ(checkpoint.config().labels.size(), is_sequence || is_tagging ? 2u : 0u);
    EXPECT_THAT(checkpoint.notes(), IsEmpty());
  }
}

TEST(Checkpoint, ReadsNamesWithAndWithoutPrefix) {
  expect_read_back({});
  expect_read_back({.bert_prefix = false});
  expect_read_back({.architecture = TinyArchitecture::masked_lm, .bert_prefix = false});
}

TEST(Checkpoint, ReadsGammaAndBetaOfOldFiles) {
  expect_read_back({.gamma_beta = true});
}

TEST(Checkpoint, ReadsShards) {
  expect_read_back({.shards = 3});
}

TEST(Checkpoint, ReadsF64Exactly) {
  expect_read_back({.stored_as = testing::StoredAs::f64});
}

TEST(Checkpoint, ReadsF16AndBf16AsTheirNearestValues) {
  for (const testing::StoredAs stored_as : {testing::StoredAs::f16, testing::StoredAs::bf16}) {
    const TemporaryFolder folder;
    const TinyCheckpoint tiny{.stored_as = stored_as};
    write_tiny_checkpoint(folder.path(), tiny);
    TensorList tensors = testing::tiny_tensors(tiny);
    const std::vector<float>& exact =
        by_name(tensors, "bert.embeddings.word_embeddings.weight").values;

    const Checkpoint checkpoint = Checkpoint::open(folder.path());
    const std::vector<float> read = checkpoint.parameters().word_embeddings.read_f32();

    // Values lie in [-1, 1): half a unit in the last place of 11 or 8 significant bits.
    const float bound = stored_as == testing::StoredAs::f16 ? 0x1p-12f : 0x1p-9f;
    EXPECT_NE(read, exact);
    for (std::size_t value = 0; value < read.size(); ++value) {
      ASSERT_LE(std::abs(read[value] - exact[value]), bound);
    }
  }
}

TEST(Checkpoint, ReadsUnevenLayersWithTheirOwnShapes) {
  const TinyCheckpoint tiny{.uneven = {{{0, 3}, 48}, {{2}, 17}}};
  expect_read_back(tiny);
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), tiny);

  const Checkpoint checkpoint = Checkpoint::open(folder.path());

  EXPECT_THAT(checkpoint.config().layers[0].heads, ElementsAre(0, 3));
  EXPECT_THAT(checkpoint.parameters().layers[0].query.weight.shape(), ElementsAre(16, 32));
  EXPECT_THAT(checkpoint.parameters().layers[1].attention_output.weight.shape(),
              ElementsAre(32, 8));
  EXPECT_THAT(checkpoint.parameters().layers[1].intermediate.bias.shape(), ElementsAre(17));
}

TEST(Checkpoint, ReadsLayersOfWhichNothingIsLeft) {
  const TinyCheckpoint tiny{.layers = 3, .uneven = {{{}, 24}, {{1}, 0}, {{}, 0}}};
  expect_read_back(tiny);
  TinyCheckpoint in_shards = tiny;
  in_shards.shards = 5;
  expect_read_back(in_shards);
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), tiny);

  const Checkpoint checkpoint = Checkpoint::open(folder.path());

  const std::vector<LayerParameters>& layers = checkpoint.parameters().layers;
  EXPECT_THAT(checkpoint.config().layers[0].heads, IsEmpty());
  EXPECT_EQ(checkpoint.config().layers[1].intermediate, 0u);
  EXPECT_THAT(layers[0].query.weight.shape(), ElementsAre(0, 32));
  EXPECT_THAT(layers[0].key.bias.shape(), ElementsAre(0));
  EXPECT_THAT(layers[0].attention_output.weight.shape(), ElementsAre(32, 0));
  EXPECT_EQ(layers[0].attention_output.bias.read_f32().size(), 32u);
  EXPECT_THAT(layers[1].intermediate.weight.shape(), ElementsAre(0, 32));
  EXPECT_EQ(layers[1].output.weight.count(), 0u);
}

TEST(Checkpoint, ReadsAFactorisedWordTable) {
  const TinyCheckpoint tiny{.embedding_rank = 7};
  expect_read_back(tiny);
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), tiny);
  TensorList tensors = testing::tiny_tensors(tiny);

  const Checkpoint checkpoint = Checkpoint::open(folder.path());

  EXPECT_EQ(checkpoint.config().embedding_rank, 7u);
  const TensorRef& projection = checkpoint.parameters().word_projection.value();
  EXPECT_THAT(projection.shape(), ElementsAre(32, 7));
  EXPECT_EQ(projection.read_f32(),
            by_name(tensors, "bert.embeddings.word_projection.weight").values);
}

TEST(Checkpoint, ReadsPartsOfATensor) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path());
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  const TensorRef& table = checkpoint.parameters().position_embeddings;
  const std::vector<float> whole = table.read_f32();

  std::vector<float> row(32);
  table.read_f32(row, 5 * 32);

  EXPECT_EQ(row, std::vector<float>(whole.begin() + 160, whole.begin() + 192));
  EXPECT_EQ(table.count(), whole.size());
}

TEST(Checkpoint, StaysValidWhenItIsMoved) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), {.shards = 2});
  Checkpoint original = Checkpoint::open(folder.path());
  const std::vector<float> before = original.parameters().word_embeddings.read_f32();

  const Checkpoint checkpoint = std::move(original);

  EXPECT_EQ(checkpoint.parameters().word_embeddings.read_f32(), before);
  EXPECT_EQ(checkpoint.weight_paths().size(), 2u);
}

TEST(Checkpoint, LeavesHarmlessTensorsAsideInSilence) {
  const TinyCheckpoint tiny{.architecture = TinyArchitecture::token_classification,
                            .edit_tensors = [](TensorList& tensors) {
                              tensors.push_back({"bert.embeddings.position_ids", {1, 1}, {0}});
                              tensors.push_back({"bert.pooler.dense.weight", {1}, {0}});
                              tensors.push_back({"bert.pooler.dense.bias", {1}, {0}});
                              tensors.push_back({"cls.seq_relationship.weight", {1}, {0}});
                            }};
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), tiny);

  EXPECT_THAT(Checkpoint::open(folder.path()).notes(), IsEmpty());
}

TEST(Checkpoint, NotesOtherTensorsThatItDoesNotUse) {
  const TinyCheckpoint tiny{.edit_tensors = [](TensorList& tensors) {
    tensors.push_back({"cls.predictions.bias", {1}, {0}});
    tensors.push_back({"extra\n", {1}, {0}});
  }};
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), tiny);

  EXPECT_THAT(Checkpoint::open(folder.path()).notes(),
              ElementsAre(AllOf(HasSubstr("2 tensor(s)"), HasSubstr("'cls.predictions.bias'"),
                                HasSubstr("'extra\\x0a'"))));
}

TEST(Checkpoint, ReadsARealSentenceClassifier) {
  ESPALIER_NEEDS_REAL_DATA();
  const Checkpoint checkpoint =
      Checkpoint::open(testing::real_data() / "models" / "minilm-l6-sst2");

  EXPECT_EQ(checkpoint.config().hidden, 384u);
  EXPECT_THAT(checkpoint.config().labels, ElementsAre("negative", "positive"));
  EXPECT_THAT(checkpoint.notes(), IsEmpty());
  const std::vector<float> table = checkpoint.parameters().word_embeddings.read_f32();
  EXPECT_EQ(table.size(), 30522u * 384u);
  EXPECT_TRUE(fits_f16(table));  // the file stores F16
}

TEST(Checkpoint, ReadsARealEmbeddingModelWithoutModulesFile) {
  ESPALIER_NEEDS_REAL_DATA();
  const std::filesystem::path models = testing::real_data() / "data" / "models";
  const Checkpoint checkpoint = Checkpoint::open(models / "tiny_bert_safetensors");

  ASSERT_TRUE(checkpoint.embedding().has_value());
  EXPECT_EQ(checkpoint.embedding()->pooling, Pooling::mean);
  EXPECT_FALSE(checkpoint.embedding()->normalize);
  EXPECT_FALSE(Checkpoint::open(models / "tiny_bert_1layer_safetensors").embedding().has_value());
}

}  // namespace
}  // namespace espalier::checkpoint
