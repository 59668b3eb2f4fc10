#include "compress/checkpoint/bert_config_writer.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace espalier::checkpoint {
namespace {

using Json = nlohmann::ordered_json;

// The shortest decimal number that is the same float: 1e-12, not 9.999999960041972e-13.
double shortest(float value) {
  char digits[32];
  const std::to_chars_result written = std::to_chars(digits, digits + sizeof digits, value);
  double result = 0;
  std::from_chars(digits, written.ptr, result);
  return result;
}

Json labels_by_id(const std::vector<std::string>& labels) {
  Json ids = Json::object();
  for (std::size_t id = 0; id < labels.size(); ++id) ids[std::to_string(id)] = labels[id];
  return ids;
}

Json ids_by_label(const std::vector<std::string>& labels) {
  Json ids = Json::object();
  for (std::size_t id = 0; id < labels.size(); ++id) ids[labels[id]] = id;
  return ids;
}

std::string_view name_of(ProblemType type) {
  switch (type) {
    case ProblemType::single_label:
      return "single_label_classification";
    case ProblemType::multi_label:
      return "multi_label_classification";
    case ProblemType::regression:
      return "regression";
  }
  return "";
}

bool is_whole(const BertConfig& config) {
  return std::all_of(
      config.layers.begin(), config.layers.end(), [&config](const LayerWidths& layer) {
        return layer.heads.size() == config.n_heads && layer.intermediate == config.intermediate;
      });
}

Json uneven_layers(const BertConfig& config) {
  Json layers = Json::array();
  for (const LayerWidths& layer : config.layers) {
    layers.push_back({{"heads", layer.heads}, {"intermediate", layer.intermediate}});
  }
  return layers;
}

// The shapes that transformers has no key for; empty when there are none.
Json espalier_section(const BertConfig& config) {
  Json section = Json::object();
  if (!is_whole(config)) section["layers"] = uneven_layers(config);
  if (config.embedding_rank > 0) section["embedding_rank"] = config.embedding_rank;
  return section;
}

}  // namespace

std::string write_bert_config(const BertConfig& config) {
  const FamilyRow& family = row_of(config.family);
  const ConfigKeys& keys = family.keys;
  Json json = {{"architectures", {class_name(config.family, config.architecture)}},
               {"model_type", family.model_type},
               {"pad_token_id", config.pad_id},
               {"initializer_range", 0.02}};
  const auto set = [&json](std::string_view key, const auto& value) {
    if (!key.empty()) json[std::string(key)] = value;
  };
  set(keys.activation, "gelu");
  set(keys.hidden.key, config.hidden);
  set(keys.intermediate.key, config.intermediate);
  set(keys.n_heads.key, config.n_heads);
  set(keys.n_layers.key, config.n_layers);
  set(keys.positions.key, config.positions);
  set(keys.token_types, config.token_types);
  set(keys.vocab.key, config.vocab);
  set(keys.layer_norm_eps, shortest(config.layer_norm_eps));
  set(keys.hidden_dropout, 0.1);
  set(keys.attention_dropout, 0.1);
  if (!config.labels.empty()) {
    json["id2label"] = labels_by_id(config.labels);
    json["label2id"] = ids_by_label(config.labels);
    if (config.architecture == Architecture::sequence_classification) {
      json["problem_type"] = name_of(config.problem_type);
    }
  }
  if (Json section = espalier_section(config); !section.empty()) json["espalier"] = section;
  return json.dump(2) + "\n";
}

}  // namespace espalier::checkpoint
