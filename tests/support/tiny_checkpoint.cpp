#include "tests/support/tiny_checkpoint.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_vocabulary.hpp"

namespace espalier::testing {
namespace {

using Json = nlohmann::ordered_json;

// The standard distributions differ between libraries; this one gives the same values everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// Uniform in [-1, 1), in steps of 2^-23 so that every value is an exact float.
  float next() {
    state_ += 0x9e3779b97f4a7c15u;  // splitmix64
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return static_cast<float>(static_cast<std::int64_t>(z >> 40) - (1 << 23)) * 0x1p-23f;
  }

 private:
  std::uint64_t state_;
};

class TensorList {
 public:
  explicit TensorList(const TinyCheckpoint& tiny) : tiny_(tiny), random_(tiny.seed) {}

  void add(std::string name, std::vector<std::uint64_t> shape, float center, float spread) {
    const std::uint64_t count =
        std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
    std::vector<float> values(count);
    for (float& value : values) value = center + spread * random_.next();
    list_.push_back({std::move(name), std::move(shape), std::move(values), tiny_.stored_as});
  }

  // Spread √3/√cols keeps a unit-variance input at unit variance, so that no layer goes quiet.
  void add_linear(const std::string& name, std::uint64_t rows, std::uint64_t cols) {
    const float inputs = static_cast<float>(std::max<std::uint64_t>(cols, 1));
    add(name + ".weight", {rows, cols}, 0.0f, std::sqrt(3.0f / inputs));
    add(name + ".bias", {rows}, 0.0f, 0.1f);
  }

  void add_norm(const std::string& name) {
    add(name + (tiny_.gamma_beta ? ".gamma" : ".weight"), {tiny_.hidden}, 1.0f, 0.2f);
    add(name + (tiny_.gamma_beta ? ".beta" : ".bias"), {tiny_.hidden}, 0.0f, 0.1f);
  }

  std::vector<TinyTensor> take() { return std::move(list_); }

 private:
  const TinyCheckpoint& tiny_;
  Random random_;
  std::vector<TinyTensor> list_;
};

TinyLayer widths(const TinyCheckpoint& tiny, std::size_t layer) {
  if (!tiny.uneven.empty()) return tiny.uneven.at(layer);
  std::vector<std::uint32_t> every(tiny.heads);
  std::iota(every.begin(), every.end(), 0u);
  return {every, tiny.intermediate};
}

void add_layer(TensorList& tensors, const TinyCheckpoint& tiny, std::size_t layer,
               const std::string& name) {
  const TinyLayer kept = widths(tiny, layer);
  const std::uint64_t attention = kept.heads.size() * (tiny.hidden / tiny.heads);
  tensors.add_linear(name + "attention.self.query", attention, tiny.hidden);
  tensors.add_linear(name + "attention.self.key", attention, tiny.hidden);
  tensors.add_linear(name + "attention.self.value", attention, tiny.hidden);
  tensors.add_linear(name + "attention.output.dense", tiny.hidden, attention);
  tensors.add_norm(name + "attention.output.LayerNorm");
  tensors.add_linear(name + "intermediate.dense", kept.intermediate, tiny.hidden);
  tensors.add_linear(name + "output.dense", tiny.hidden, kept.intermediate);
  tensors.add_norm(name + "output.LayerNorm");
}

void add_head(TensorList& tensors, const TinyCheckpoint& tiny, const std::string& prefix) {
  const bool has_pooler = tiny.architecture == TinyArchitecture::model ||
                          tiny.architecture == TinyArchitecture::sequence_classification;
  const bool bare = tiny.architecture == TinyArchitecture::model;
  if (has_pooler && tiny.pooler && !(tiny.distilbert && bare)) {
    tensors.add_linear(prefix + "pooler.dense", tiny.hidden, tiny.hidden);
  }
  switch (tiny.architecture) {
    case TinyArchitecture::model:
      break;
    case TinyArchitecture::sequence_classification:
    case TinyArchitecture::token_classification:
      tensors.add_linear("classifier", tiny.labels.size(), tiny.hidden);
      break;
    case TinyArchitecture::masked_lm:
      tensors.add_linear("cls.predictions.transform.dense", tiny.hidden, tiny.hidden);
      tensors.add_norm("cls.predictions.transform.LayerNorm");
      tensors.add("cls.predictions.bias", {tiny_vocabulary().size()}, 0.0f, 0.1f);
      break;
  }
}

const char* class_name(TinyArchitecture architecture) {
  switch (architecture) {
    case TinyArchitecture::model:
      return "BertModel";
    case TinyArchitecture::sequence_classification:
      return "BertForSequenceClassification";
    case TinyArchitecture::token_classification:
      return "BertForTokenClassification";
    case TinyArchitecture::masked_lm:
      return "BertForMaskedLM";
  }
  return "";
}

// Parts of names, each after those that contain it; a tensor whose new name is empty is not stored.
constexpr std::pair<std::string_view, std::string_view> kDistilBertNames[] = {
    {"embeddings.token_type_embeddings", ""},
    {"bert.pooler.dense", "pre_classifier"},
    {"pooler.dense", "pre_classifier"},
    {"encoder.layer", "transformer.layer"},
    {"attention.self.query", "attention.q_lin"},
    {"attention.self.key", "attention.k_lin"},
    {"attention.self.value", "attention.v_lin"},
    {"attention.output.dense", "attention.out_lin"},
    {"attention.output.LayerNorm", "sa_layer_norm"},
    {"intermediate.dense", "ffn.lin1"},
    {"output.dense", "ffn.lin2"},
    {"output.LayerNorm", "output_layer_norm"},
    {"cls.predictions.transform.dense", "vocab_transform"},
    {"cls.predictions.transform.LayerNorm", "vocab_layer_norm"},
    {"cls.predictions.bias", "vocab_projector.bias"}};

std::string distilbert_name(std::string name) {
  for (const auto& [bert, distilbert] : kDistilBertNames) {
    const std::size_t place = name.find(bert);
    if (place == std::string::npos) continue;
    if (distilbert.empty()) return "";
    name.replace(place, bert.size(), distilbert);
  }
  return name.starts_with("bert.") ? "distil" + name : name;
}

std::vector<TinyTensor> as_distilbert(std::vector<TinyTensor> tensors) {
  for (TinyTensor& tensor : tensors) tensor.name = distilbert_name(tensor.name);
  std::erase_if(tensors, [](const TinyTensor& tensor) { return tensor.name.empty(); });
  return tensors;
}

Json distilbert_config_of(const TinyCheckpoint& tiny) {
  return {{"activation", "gelu"},
          {"architectures", {std::string("Distil") + class_name(tiny.architecture)}},
          {"attention_dropout", 0.1},
          {"dim", tiny.hidden},
          {"dropout", 0.1},
          {"hidden_dim", tiny.intermediate},
          {"initializer_range", 0.02},
          {"max_position_embeddings", tiny.positions},
          {"model_type", "distilbert"},
          {"n_heads", tiny.heads},
          {"n_layers", tiny.layers},
          {"pad_token_id", 0},
          {"qa_dropout", 0.1},
          {"seq_classif_dropout", 0.2},
          {"sinusoidal_pos_embds", false},
          {"tie_weights_", true},
          {"vocab_size", tiny_vocabulary().size()}};
}

Json bert_config_of(const TinyCheckpoint& tiny) {
  return {{"architectures", {class_name(tiny.architecture)}},
          {"attention_probs_dropout_prob", 0.1},
          {"hidden_act", "gelu"},
          {"hidden_dropout_prob", 0.1},
          {"hidden_size", tiny.hidden},
          {"initializer_range", 0.02},
          {"intermediate_size", tiny.intermediate},
          {"layer_norm_eps", 1e-12},
          {"max_position_embeddings", tiny.positions},
          {"model_type", "bert"},
          {"num_attention_heads", tiny.heads},
          {"num_hidden_layers", tiny.layers},
          {"pad_token_id", 0},
          {"position_embedding_type", "absolute"},
          {"type_vocab_size", 2},
          {"vocab_size", tiny_vocabulary().size()}};
}

Json config_of(const TinyCheckpoint& tiny) {
  Json config = tiny.distilbert ? distilbert_config_of(tiny) : bert_config_of(tiny);
  const bool has_labels = tiny.architecture == TinyArchitecture::sequence_classification ||
                          tiny.architecture == TinyArchitecture::token_classification;
  for (std::size_t label = 0; has_labels && label < tiny.labels.size(); ++label) {
    config["id2label"][std::to_string(label)] = tiny.labels[label];
    config["label2id"][tiny.labels[label]] = label;
  }
  if (!tiny.problem_type.empty()) config["problem_type"] = tiny.problem_type;
  for (const TinyLayer& layer : tiny.uneven) {
    config["espalier"]["layers"].push_back(
        {{"heads", layer.heads}, {"intermediate", layer.intermediate}});
  }
  if (tiny.embedding_rank > 0) config["espalier"]["embedding_rank"] = tiny.embedding_rank;
  config.merge_patch(Json::parse(tiny.config_patch));
  return config;
}

void write_weights(const std::filesystem::path& folder, const TinyCheckpoint& tiny) {
  const std::vector<TinyTensor> tensors = tiny_tensors(tiny);
  if (tiny.shards <= 1) {
    write_file(folder / "model.safetensors", safetensors_file(tensors));
    return;
  }
  std::vector<std::vector<TinyTensor>> shards(tiny.shards);
  Json index = {{"metadata", {{"total_size", 0}}}, {"weight_map", Json::object()}};
  const auto shard_name = [&](std::size_t shard) {
    char name[64];
    std::snprintf(name, sizeof name, "model-%05zu-of-%05u.safetensors", shard + 1, tiny.shards);
    return std::string(name);
  };
  for (std::size_t tensor = 0; tensor < tensors.size(); ++tensor) {
    const std::size_t shard = tensor * tiny.shards / tensors.size();
    shards[shard].push_back(tensors[tensor]);
    index["weight_map"][tensors[tensor].name] = shard_name(shard);
  }
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    write_file(folder / shard_name(shard), safetensors_file(shards[shard]));
  }
  write_file(folder / "model.safetensors.index.json", index.dump(2));
}

void write_sentence_transformers(const std::filesystem::path& folder, const TinyCheckpoint& tiny) {
  const auto module = [](int position, const char* path, const char* type) {
    return Json{{"idx", position},
                {"name", std::to_string(position)},
                {"path", path},
                {"type", std::string("sentence_transformers.models.") + type}};
  };
  Json modules = {module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")};
  if (tiny.normalize) modules.push_back(module(2, "2_Normalize", "Normalize"));
  write_file(folder / "modules.json", modules.dump(2));
  const Json pooling = {{"word_embedding_dimension", tiny.hidden},
                        {"pooling_mode_cls_token", tiny.pooling == TinyPooling::cls},
                        {"pooling_mode_mean_tokens", tiny.pooling == TinyPooling::mean},
                        {"pooling_mode_max_tokens", false},
                        {"pooling_mode_mean_sqrt_len_tokens", false}};
  write_file(folder / "1_Pooling" / "config.json", pooling.dump(2));
  const Json limits = {{"max_seq_length", tiny.max_seq_length}, {"do_lower_case", false}};
  write_file(folder / "sentence_bert_config.json", limits.dump(2));
}

}  // namespace

std::vector<TinyTensor> tiny_tensors(const TinyCheckpoint& tiny) {
  if (!tiny.uneven.empty() && tiny.uneven.size() != tiny.layers) {
    throw std::runtime_error("TinyCheckpoint::uneven must have one entry a layer");
  }
  const std::string prefix = tiny.bert_prefix ? "bert." : "";
  TensorList tensors(tiny);
  const std::string table = prefix + "embeddings.";
  const std::uint64_t rank = tiny.embedding_rank == 0 ? tiny.hidden : tiny.embedding_rank;
  tensors.add(table + "word_embeddings.weight", {tiny_vocabulary().size(), rank}, 0, 1);
  if (tiny.embedding_rank > 0) {
    tensors.add(table + "word_projection.weight", {tiny.hidden, rank}, 0,
                std::sqrt(3.0f / static_cast<float>(rank)));
  }
  tensors.add(table + "position_embeddings.weight", {tiny.positions, tiny.hidden}, 0, 0.5f);
  tensors.add(table + "token_type_embeddings.weight", {2, tiny.hidden}, 0, 0.3f);
  tensors.add_norm(table + "LayerNorm");
  for (std::size_t layer = 0; layer < tiny.layers; ++layer) {
    add_layer(tensors, tiny, layer, prefix + "encoder.layer." + std::to_string(layer) + ".");
  }
  add_head(tensors, tiny, prefix);
  std::vector<TinyTensor> list = tiny.distilbert ? as_distilbert(tensors.take()) : tensors.take();
  if (tiny.edit_tensors) tiny.edit_tensors(list);
  return list;
}

std::filesystem::path write_tiny_checkpoint(const std::filesystem::path& folder,
                                            const TinyCheckpoint& tiny) {
  write_file(folder / "config.json", config_of(tiny).dump(2));
  write_weights(folder, tiny);
  write_file(folder / "vocab.txt", tiny_vocabulary_text());
  const Json tokenizer = {{"do_lower_case", true},
                          {"do_basic_tokenize", true},
                          {"tokenize_chinese_chars", true},
                          {"strip_accents", nullptr},
                          {"unk_token", "[UNK]"},
                          {"sep_token", "[SEP]"},
                          {"pad_token", "[PAD]"},
                          {"cls_token", "[CLS]"},
                          {"mask_token", "[MASK]"},
                          {"model_max_length", tiny.positions},
                          {"tokenizer_class", "BertTokenizer"}};
  write_file(folder / "tokenizer_config.json", tokenizer.dump(2));
  if (tiny.sentence_transformers) write_sentence_transformers(folder, tiny);
  return folder;
}

}  // namespace espalier::testing
