#include "compress/checkpoint/bert_config.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

// A valid config of two layers; `extra` is put in front, so that a key of it must not be repeated
// below: `without` names a key to leave out.
std::string config(const std::string& extra = "", const std::string& without = "") {
  const std::vector<std::pair<std::string, std::string>> fields = {
      {"architectures", R"(["BertForSequenceClassification"])"},
      {"model_type", R"("bert")"},
      {"hidden_size", "64"},
      {"num_hidden_layers", "2"},
      {"num_attention_heads", "4"},
      {"intermediate_size", "128"},
      {"vocab_size", "1000"},
      {"max_position_embeddings", "128"}};
  std::string text = "{" + extra;
  for (const auto& [key, value] : fields) {
    if (key == without) continue;
    text += (text.size() > 1 ? ",\"" : "\"") + key + "\":" + value;
  }
  return text + "}";
}

std::string with(const std::string& key, const std::string& value) {
  return config("\"" + key + "\":" + value, key);
}

std::string refusal(const std::string& text) {
  try {
    (void)parse_bert_config(text);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    return error.what();
  }
}

TEST(BertConfig, HasTheSizesStatedAndTheDefaultsOfTheOriginal) {
  const BertConfig bert = parse_bert_config(config()).config;

  EXPECT_EQ(bert.architecture, Architecture::sequence_classification);
  EXPECT_EQ(bert.hidden, 64u);
  EXPECT_EQ(bert.n_layers, 2u);
  EXPECT_EQ(bert.head_dim, 16u);
  EXPECT_EQ(bert.token_types, 2u);
  EXPECT_EQ(bert.pad_id, 0u);
  EXPECT_EQ(bert.layer_norm_eps, 1e-12f);
  EXPECT_EQ(bert.labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  EXPECT_EQ(bert.problem_type, ProblemType::single_label);
  EXPECT_EQ(bert.layers, std::vector<LayerWidths>(2, LayerWidths{{0, 1, 2, 3}, 128}));
}

TEST(BertConfig, AcceptsEveryClassItReadsByName) {
  for (const Architecture architecture :
       {Architecture::model, Architecture::sequence_classification,
        Architecture::token_classification, Architecture::masked_lm}) {
    const std::string list = "[\"" + class_name(Family::bert, architecture) + "\"]";
    const ParsedConfig parsed = parse_bert_config(with("architectures", list));
    EXPECT_EQ(parsed.config.architecture, architecture);
    EXPECT_TRUE(parsed.architecture_stated);
  }
}

TEST(BertConfig, OrdersLabelsByIdAndNotByText) {
  std::string labels;
  for (int id = 11; id >= 0; --id) {
    labels += "\"" + std::to_string(id) + "\":\"label " + std::to_string(id) + "\"";
    if (id > 0) labels += ",";
  }

  const BertConfig bert = parse_bert_config(with("id2label", "{" + labels + "}")).config;

  ASSERT_EQ(bert.labels.size(), 12u);
  for (std::size_t id = 0; id < 12; ++id) EXPECT_EQ(bert.labels[id], "label " + std::to_string(id));
}

TEST(BertConfig, TakesOneLabelForRegression) {
  const BertConfig bert = parse_bert_config(with("id2label", R"({"0":"score"})")).config;

  EXPECT_EQ(bert.problem_type, ProblemType::regression);
}

TEST(BertConfig, ReadsAStatedProblemType) {
  const std::string text = config(R"("num_labels":1,"problem_type":"multi_label_classification")");

  EXPECT_EQ(parse_bert_config(text).config.problem_type, ProblemType::multi_label);
}

TEST(BertConfig, ReadsUnevenLayers) {
  const BertConfig bert =
      parse_bert_config(
          with("espalier",
               R"({"layers":[{"heads":[0,3],"intermediate":100},{"heads":[1],"intermediate":1}]})"))
          .config;

  EXPECT_EQ(bert.layers, (std::vector<LayerWidths>{{.heads = {0, 3}, .intermediate = 100},
                                                   {.heads = {1}, .intermediate = 1}}));
}

TEST(BertConfig, ReadsLayersThatLostAllHeadsOrTheirWholeFeedForward) {
  const BertConfig bert =
      parse_bert_config(
          with("espalier",
               R"({"layers":[{"heads":[],"intermediate":100},{"heads":[2],"intermediate":0}]})"))
          .config;

  EXPECT_EQ(bert.layers, (std::vector<LayerWidths>{{.heads = {}, .intermediate = 100},
                                                   {.heads = {2}, .intermediate = 0}}));
}

TEST(BertConfig, ReadsTheRankOfAFactorisedTableWithAndWithoutUnevenLayers) {
  const BertConfig alone = parse_bert_config(with("espalier", R"({"embedding_rank":63})")).config;
  const std::string layer = R"({"heads":[1],"intermediate":1})";
  const std::string both = R"({"embedding_rank":1,"layers":[)" + layer + "," + layer + "]}";
  const BertConfig uneven = parse_bert_config(with("espalier", both)).config;

  EXPECT_EQ(alone.embedding_rank, 63u);
  EXPECT_EQ(alone.layers, parse_bert_config(config()).config.layers);
  EXPECT_EQ(uneven.embedding_rank, 1u);
  EXPECT_EQ(uneven.layers[1].heads, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(parse_bert_config(with("espalier", "{}")).config.embedding_rank, 0u);
}

TEST(BertConfig, RefusesAMaskedLmWithAFactorisedTable) {
  std::string text = with("espalier", R"({"embedding_rank":16})");
  const std::string classifier = "BertForSequenceClassification";
  text.replace(text.find(classifier), classifier.size(), "BertForMaskedLM");

  EXPECT_NE(refusal(text).find("whose decoder is the whole table"), std::string::npos)
      << refusal(text);
}

TEST(BertConfig, NotesUnknownKeysAndNotKnownOnes) {
  EXPECT_TRUE(parse_bert_config(with("gradient_checkpointing", "false")).notes.empty());

  const ParsedConfig parsed = parse_bert_config(with("rotary", "1"));
  ASSERT_EQ(parsed.notes.size(), 1u);
  EXPECT_NE(parsed.notes[0].find("'rotary'"), std::string::npos) << parsed.notes[0];
}

TEST(BertConfig, TakesNullForAbsent) {
  EXPECT_EQ(refusal(with("pad_token_id", "null")), "");
  EXPECT_EQ(refusal(with("problem_type", "null")), "");
  EXPECT_FALSE(parse_bert_config(with("architectures", "null")).architecture_stated);
}

struct BadValue {
  std::string key;
  std::string value;  // "": the key is left out
};

class BadConfigValue : public ::testing::TestWithParam<BadValue> {};

TEST_P(BadConfigValue, IsRefusedNamingTheKey) {
  const auto& [key, value] = GetParam();

  const std::string message = refusal(value.empty() ? config("", key) : with(key, value));

  EXPECT_NE(message.find(key), std::string::npos) << "message: '" << message << "'";
  EXPECT_LT(message.size(), 500u);
}

const BadValue kBadValues[] = {
    {"hidden_size", ""},
    {"hidden_size", "null"},
    {"hidden_size", "0"},
    {"hidden_size", "7"},
    {"hidden_size", "16385"},
    {"hidden_size", "-64"},
    {"hidden_size", "64.0"},
    {"hidden_size", "6.4e1"},
    {"hidden_size", "\"64\""},
    {"hidden_size", "true"},
    {"hidden_size", "[64]"},
    {"hidden_size", "18446744073709551680"},
    {"num_hidden_layers", ""},
    {"num_hidden_layers", "0"},
    {"num_hidden_layers", "257"},
    {"num_hidden_layers", "4294967297"},
    {"num_attention_heads", ""},
    {"num_attention_heads", "0"},
    {"num_attention_heads", "3"},
    {"num_attention_heads", "128"},
    {"intermediate_size", ""},
    {"intermediate_size", "0"},
    {"intermediate_size", "65537"},
    {"vocab_size", ""},
    {"vocab_size", "4"},
    {"vocab_size", "4000001"},
    {"max_position_embeddings", ""},
    {"max_position_embeddings", "2"},
    {"max_position_embeddings", "65537"},
    {"type_vocab_size", "0"},
    {"type_vocab_size", "257"},
    {"pad_token_id", "1000"},
    {"pad_token_id", "-1"},
    {"layer_norm_eps", "0"},
    {"layer_norm_eps", "1"},
    {"layer_norm_eps", "0.99999999999"},
    {"layer_norm_eps", "-1e-12"},
    {"layer_norm_eps", "1e-60"},
    {"layer_norm_eps", "1e300"},
    {"layer_norm_eps", "\"1e-12\""},
    {"model_type", "\"roberta\""},
    {"model_type", "\"BERT\""},
    {"model_type", "3"},
    {"architectures", "[]"},
    {"architectures", "\"BertModel\""},
    {"architectures", "[1]"},
    {"architectures", "[\"BertModel\",\"BertForMaskedLM\"]"},
    {"architectures", "[\"BertForQuestionAnswering\"]"},
    {"architectures", "[\"RobertaModel\"]"},
    {"hidden_act", "\"gelu_new\""},
    {"hidden_act", "\"gelu_pytorch_tanh\""},
    {"hidden_act", "\"relu\""},
    {"hidden_act", "\"GELU\""},
    {"hidden_act", "{}"},
    {"position_embedding_type", "\"relative_key\""},
    {"position_embedding_type", "\"relative_key_query\""},
    {"is_decoder", "true"},
    {"is_decoder", "0"},
    {"is_encoder_decoder", "true"},
    {"add_cross_attention", "true"},
    {"tie_word_embeddings", "1"},
    {"pruned_heads", "{\"0\":[1]}"},
    {"quantization_config", "{\"bits\":8}"},
    {"embedding_size", "32"},
    {"num_labels", "0"},
    {"num_labels", "65537"},
    {"num_labels", "-2"},
    {"problem_type", "\"ranking\""},
    {"problem_type", "\"regression\""},
    {"problem_type", "1"},
    {"id2label", "{}"},
    {"id2label", "[\"a\",\"b\"]"},
    {"id2label", "{\"0\":\"a\",\"2\":\"b\"}"},
    {"id2label", "{\"1\":\"a\",\"2\":\"b\"}"},
    {"id2label", "{\"0\":\"a\",\"01\":\"b\"}"},
    {"id2label", "{\"0\":\"a\",\"+1\":\"b\"}"},
    {"id2label", "{\"0\":\"a\",\"x\":\"b\"}"},
    {"id2label", "{\"0\":\"a\",\"18446744073709551617\":\"b\"}"},
    {"id2label", "{\"0\":\"a\",\"1\":2}"},
    {"id2label", "{\"0\":\"a\",\"1\":\"a\"}"},
    {"espalier", "[]"},
    {"espalier", "{\"ranks\":[1,2]}"},
    {"espalier", "{\"embedding_rank\":0}"},
    {"espalier", "{\"embedding_rank\":64}"},
    {"espalier", "{\"embedding_rank\":-1}"},
    {"espalier", "{\"embedding_rank\":8.0}"},
    {"espalier", "{\"embedding_rank\":[8]}"},
    {"espalier", "{\"layers\":[]}"},
    {"espalier", "{\"layers\":[{\"heads\":[0],\"intermediate\":1}]}"},
};

INSTANTIATE_TEST_SUITE_P(Table, BadConfigValue, ::testing::ValuesIn(kBadValues));

TEST(BertConfig, RefusesUnevenLayersThatDoNotFitTheModel) {
  const std::string good = R"({"heads":[0,1],"intermediate":64})";
  const auto message = [&good](const std::string& layer) {
    return refusal(with("espalier", R"({"layers":[)" + good + "," + layer + "]}"));
  };

  EXPECT_EQ(message(good), "");
  for (const char* heads : {"{}", "[4]", "[1,0]", "[1,1]", "[-1]", "[0.0]", "0", "null"}) {
    const std::string text = message(R"({"intermediate":64,"heads":)" + std::string(heads) + "}");
    EXPECT_NE(text.find("'espalier.layers[1].heads'"), std::string::npos) << heads << text;
  }
  for (const char* width : {"[0]", "129", "-1", "1.5", "null"}) {
    const std::string text = message(R"({"heads":[0],"intermediate":)" + std::string(width) + "}");
    EXPECT_NE(text.find("'espalier.layers[1].intermediate'"), std::string::npos) << width << text;
  }
  EXPECT_NE(message(R"({"heads":[0],"intermediate":1,"rank":4})").find("rank"), std::string::npos);
  EXPECT_NE(message("7").find("'espalier.layers[1]"), std::string::npos) << message("7");
}

TEST(BertConfig, RefusesANumberOfLabelsThatContradictsTheirNames) {
  const std::string message = refusal(config(R"("num_labels":3,"id2label":{"0":"a","1":"b"})"));

  EXPECT_NE(message.find("num_labels"), std::string::npos) << message;
}

TEST(BertConfig, RefusesOneLabelAsSingleLabelProblem) {
  const std::string message =
      refusal(config(R"("num_labels":1,"problem_type":"single_label_classification")"));

  EXPECT_NE(message.find("problem_type"), std::string::npos) << message;
}

TEST(BertConfig, RefusesWhatSaysNeitherModelTypeNorArchitecture) {
  std::string text = with("architectures", "null");
  text.replace(text.find("\"bert\""), 6, "null");

  EXPECT_NE(refusal(text).find("model_type"), std::string::npos);
}

TEST(BertConfig, RefusesWhatIsNoPlainJsonObject) {
  const std::string nested = std::string(17, '[') + std::string(17, ']');

  EXPECT_NE(refusal("").find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal("[]").find("not a JSON object"), std::string::npos);
  EXPECT_NE(refusal("{\"hidden_size\":").find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal(config() + "x").find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal(with("x", "\"\xff\"")).find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal(with("x", "NaN")).find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal(with("x", nested)).find("deeper"), std::string::npos);
  EXPECT_NE(refusal(config(R"("hidden_size":64)")).find("twice"), std::string::npos);
  EXPECT_NE(refusal(config() + std::string(1, '\0')).find("NUL"), std::string::npos);
  EXPECT_NE(refusal(std::string(5 << 20, ' ')).find("limit"), std::string::npos);
}

TEST(BertConfig, SurvivesAMillionOpeningBrackets) {
  EXPECT_NE(refusal(std::string(1'000'000, '[')).find("deeper"), std::string::npos);
}

}  // namespace
}  // namespace espalier::checkpoint
