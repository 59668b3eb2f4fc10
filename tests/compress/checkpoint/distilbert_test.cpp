// Checkpoints of DistilBERT: the same parameters and config under other names, no segments, and
// nothing that would be computed differently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "compress/checkpoint/checkpoint.hpp"
#include "espalier/error.hpp"
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
using testing::write_tiny_checkpoint;

// A valid config as DistilBERT has it; `value` in place of what `key` has, "" to leave it out.
std::string distilbert(const std::string& key = "", const std::string& value = "") {
  std::vector<std::pair<std::string, std::string>> fields = {
      {"activation", R"("gelu")"},
      {"architectures", R"(["DistilBertForSequenceClassification"])"},
      {"attention_dropout", "0.1"},
      {"dim", "64"},
      {"dropout", "0.1"},
      {"hidden_dim", "128"},
      {"max_position_embeddings", "128"},
      {"model_type", R"("distilbert")"},
      {"n_heads", "4"},
      {"n_layers", "2"},
      {"qa_dropout", "0.1"},
      {"seq_classif_dropout", "0.2"},
      {"sinusoidal_pos_embds", "true"},
      {"tie_weights_", "true"},
      {"vocab_size", "1000"}};
  std::erase_if(fields, [&key](const auto& field) { return field.first == key; });
  if (!value.empty()) fields.emplace_back(key, value);
  std::string text = "{";
  for (const auto& [name, content] : fields) {
    text += (text.size() > 1 ? ",\"" : "\"") + name + "\":" + content;
  }
  return text + "}";
}

std::string config_refusal(const std::string& text) {
  try {
    (void)parse_bert_config(text);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    return error.what();
  }
}

TEST(DistilBertConfig, IsReadByItsOwnKeys) {
  const ParsedConfig parsed = parse_bert_config(distilbert());

  const BertConfig& bert = parsed.config;
  EXPECT_EQ(bert.family, Family::distilbert);
  EXPECT_EQ(bert.architecture, Architecture::sequence_classification);
  EXPECT_EQ(bert.hidden, 64u);
  EXPECT_EQ(bert.n_layers, 2u);
  EXPECT_EQ(bert.head_dim, 16u);
  EXPECT_EQ(bert.intermediate, 128u);
  EXPECT_EQ(bert.token_types, 0u);
  EXPECT_EQ(bert.layer_norm_eps, 1e-12f);
  EXPECT_EQ(bert.labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  EXPECT_EQ(parsed.notes, std::vector<std::string>{});
}

TEST(DistilBertConfig, HasTheDefaultSizesOfTheOriginal) {
  const BertConfig bert = parse_bert_config(R"({"model_type":"distilbert"})").config;

  EXPECT_EQ(bert.architecture, Architecture::model);
  EXPECT_EQ(bert.hidden, 768u);
  EXPECT_EQ(bert.n_layers, 6u);
  EXPECT_EQ(bert.n_heads, 12u);
  EXPECT_EQ(bert.intermediate, 3072u);
  EXPECT_EQ(bert.vocab, 30522u);
  EXPECT_EQ(bert.positions, 512u);
}

TEST(DistilBertConfig, IsKnownByTheNameOfItsClassAlone) {
  const BertConfig bert = parse_bert_config(distilbert("model_type")).config;

  EXPECT_EQ(bert.family, Family::distilbert);
  EXPECT_EQ(bert.hidden, 64u);
}

TEST(DistilBertConfig, AcceptsEveryClassItReadsByNameAndNamesThemOtherwise) {
  for (const Architecture architecture :
       {Architecture::model, Architecture::sequence_classification,
        Architecture::token_classification, Architecture::masked_lm}) {
    const std::string name = class_name(Family::distilbert, architecture);
    const std::string list = "[\"" + name + "\"]";
    EXPECT_EQ(parse_bert_config(distilbert("architectures", list)).config.architecture,
              architecture);
    const std::string message =
        config_refusal(distilbert("architectures", R"(["DistilBertForQuestionAnswering"])"));
    EXPECT_NE(message.find(name), std::string::npos) << message;
    EXPECT_NE(message.find("DistilBertForQuestionAnswering"), std::string::npos) << message;
  }
}

TEST(DistilBertConfig, NotesKeysOfOtherFamilies) {
  const ParsedConfig parsed = parse_bert_config(distilbert("layer_norm_eps", "1e-5"));

  EXPECT_EQ(parsed.config.layer_norm_eps, 1e-12f);
  ASSERT_EQ(parsed.notes.size(), 1u);
  EXPECT_NE(parsed.notes[0].find("'layer_norm_eps'"), std::string::npos) << parsed.notes[0];
}

TEST(DistilBertConfig, RefusesByTheKeyWhatItWouldComputeDifferently) {
  const std::pair<const char*, const char*> bad[] = {{"activation", "\"relu\""},
                                                     {"activation", "\"gelu_new\""},
                                                     {"dim", "7"},
                                                     {"dim", "\"64\""},
                                                     {"n_heads", "3"},
                                                     {"hidden_dim", "0"},
                                                     {"hidden_size", "64"},
                                                     {"num_attention_heads", "2"},
                                                     {"num_hidden_layers", "2"},
                                                     {"architectures", "[\"BertModel\"]"},
                                                     {"model_type", "\"bert\""},
                                                     {"is_decoder", "true"}};
  for (const auto& [key, value] : bad) {
    // A class of the other family is refused by the key that names classes.
    const std::string named = key == std::string("model_type") ? "architectures" : key;
    const std::string message = config_refusal(distilbert(key, value));
    EXPECT_NE(message.find("'" + named + "'"), std::string::npos) << key << ": " << message;
  }
}

TEST(DistilBertCheckpoint, GivesEveryParameterUnderItsName) {
  const TinyCheckpoint tiny{.distilbert = true};
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), tiny);
  TensorList tensors = testing::tiny_tensors(tiny);

  const Checkpoint checkpoint = Checkpoint::open(folder.path());

  const BertParameters& bert = checkpoint.parameters();
  const LayerParameters& layer = bert.layers.at(1);
  const std::string place = "distilbert.transformer.layer.1.";
  const std::pair<TensorRef, std::string> expected[] = {
      {bert.word_embeddings, "distilbert.embeddings.word_embeddings.weight"},
      {bert.position_embeddings, "distilbert.embeddings.position_embeddings.weight"},
      {bert.embeddings_norm.bias, "distilbert.embeddings.LayerNorm.bias"},
      {layer.query.weight, place + "attention.q_lin.weight"},
      {layer.key.weight, place + "attention.k_lin.weight"},
      {layer.value.bias, place + "attention.v_lin.bias"},
      {layer.attention_output.weight, place + "attention.out_lin.weight"},
      {layer.attention_norm.weight, place + "sa_layer_norm.weight"},
      {layer.intermediate.weight, place + "ffn.lin1.weight"},
      {layer.output.weight, place + "ffn.lin2.weight"},
      {layer.output_norm.bias, place + "output_layer_norm.bias"},
      {bert.pooler.value().weight, "pre_classifier.weight"},
      {bert.classifier.value().bias, "classifier.bias"}};
  for (const auto& [parameter, name] : expected) {
    EXPECT_EQ(parameter.name(), name);
    EXPECT_EQ(parameter.read_f32(), by_name(tensors, name).values) << name;
  }
  EXPECT_FALSE(bert.token_type_embeddings.has_value());
  EXPECT_THAT(checkpoint.notes(), IsEmpty());
}

TEST(DistilBertCheckpoint, HasTheHeadOfItsArchitecture) {
  for (const TinyArchitecture architecture :
       {TinyArchitecture::model, TinyArchitecture::token_classification,
        TinyArchitecture::masked_lm}) {
    const TemporaryFolder folder;
    write_tiny_checkpoint(folder.path(), {.distilbert = true, .architecture = architecture});

    const Checkpoint checkpoint = Checkpoint::open(folder.path());

    const BertParameters& bert = checkpoint.parameters();
    EXPECT_FALSE(bert.pooler.has_value());
    EXPECT_EQ(bert.classifier.has_value(), architecture == TinyArchitecture::token_classification);
    EXPECT_EQ(bert.masked_lm.has_value(), architecture == TinyArchitecture::masked_lm);
    EXPECT_THAT(checkpoint.notes(), IsEmpty());
  }
}

TEST(DistilBertCheckpoint, MayBeUnevenAndWithoutPrefix) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(
      folder.path(),
      {.distilbert = true, .uneven = {{{0, 3}, 48}, {{2}, 17}}, .bert_prefix = false});

  const Checkpoint checkpoint = Checkpoint::open(folder.path());

  const LayerParameters& layer = checkpoint.parameters().layers.at(1);
  EXPECT_EQ(layer.query.weight.name(), "transformer.layer.1.attention.q_lin.weight");
  EXPECT_THAT(layer.query.weight.shape(), ElementsAre(8, 32));
  EXPECT_THAT(layer.output.weight.shape(), ElementsAre(32, 17));
}

TEST(DistilBertCheckpoint, MakesSentenceVectors) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.path(), {.distilbert = true, .sentence_transformers = true});

  const Checkpoint checkpoint = Checkpoint::open(folder.path());

  EXPECT_EQ(checkpoint.config().architecture, Architecture::model);
  EXPECT_TRUE(checkpoint.embedding().has_value());
  EXPECT_THAT(checkpoint.notes().at(0), HasSubstr("DistilBertForSequenceClassification"));
}

TEST(DistilBertCheckpoint, IsRefusedForMoreOrLessThanItsParameters) {
  const auto more = [](TensorList& tensors) {
    tensors.push_back({"distilbert.embeddings.token_type_embeddings.weight", {2, 32}, {}});
    tensors.back().values.resize(64);
  };
  const auto deeper = [](TensorList& tensors) {
    tensors.push_back({"distilbert.transformer.layer.2.ffn.lin1.bias", {1}, {0}});
  };
  const auto less = [](TensorList& tensors) { remove(tensors, "pre_classifier.bias"); };
  const std::pair<std::function<void(TensorList&)>, const char*> edits[] = {
      {more, "'distilbert.embeddings.token_type_embeddings.weight' is no part of the model"},
      {deeper, "'distilbert.transformer.layer.2.ffn.lin1.bias' is no part of the model"},
      {less, "'pre_classifier.bias' is missing"}};
  for (const auto& [edit, message] : edits) {
    EXPECT_THAT(testing::refusal({.distilbert = true, .edit_tensors = edit}), HasSubstr(message));
  }
}

TEST(DistilBertCheckpoint, IsAskedForItsClassWhenItsWeightsHoldAHead) {
  const std::string patch = R"({"architectures":null})";

  for (const TinyArchitecture architecture :
       {TinyArchitecture::sequence_classification, TinyArchitecture::masked_lm}) {
    EXPECT_THAT(
        testing::refusal({.distilbert = true, .architecture = architecture, .config_patch = patch}),
        AllOf(HasSubstr("'architectures' is missing"),
              HasSubstr("DistilBertForSequenceClassification")));
  }
}

TEST(DistilBertCheckpoint, OfQuestionAnsweringIsRefusedByItsArchitecture) {
  ESPALIER_NEEDS_REAL_DATA();
  const TemporaryFolder folder;
  std::filesystem::copy_file(
      testing::real_data() / "data/models/tiny_distilbert_qa_torchlegacy/pytorch_model.bin",
      folder / "pytorch_model.bin");
  const std::string architectures = R"(["DistilBertForQuestionAnswering"])";
  testing::write_file(folder / "config.json", distilbert("architectures", architectures));

  try {
    (void)Checkpoint::open(folder.path());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("'architectures'"), HasSubstr("DistilBertForQuestionAnswering"),
                      HasSubstr("DistilBertForTokenClassification")));
  }
}

}  // namespace
}  // namespace espalier::checkpoint
