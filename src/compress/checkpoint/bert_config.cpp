#include "compress/checkpoint/bert_config.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "base/printable.hpp"
#include "compress/checkpoint/json_fields.hpp"
#include "compress/checkpoint/labels.hpp"
#include "espalier/error.hpp"
#include "format/container.hpp"

namespace espalier::checkpoint {
namespace {

constexpr std::array<Architecture, 4> kArchitectures = {
    Architecture::model, Architecture::sequence_classification, Architecture::token_classification,
    Architecture::masked_lm};

// Of every family: read below, or without any effect on what an encoder computes at inference.
constexpr std::array kKnownKeys = {"_name_or_path",
                                   "_num_labels",
                                   "add_cross_attention",
                                   "architectures",
                                   "bos_token_id",
                                   "cross_attention_hidden_size",
                                   "dtype",
                                   "embedding_size",
                                   "eos_token_id",
                                   "espalier",
                                   "finetuning_task",
                                   "gradient_checkpointing",
                                   "id2label",
                                   "initializer_range",
                                   "is_decoder",
                                   "is_encoder_decoder",
                                   "label2id",
                                   "language",
                                   "model_type",
                                   "name",
                                   "num_labels",
                                   "output_attentions",
                                   "output_hidden_states",
                                   "output_past",
                                   "pad_token_id",
                                   "position_embedding_type",
                                   "problem_type",
                                   "pruned_heads",
                                   "quantization_config",
                                   "tie_word_embeddings",
                                   "tokenizer_class",
                                   "torch_dtype",
                                   "torchscript",
                                   "transformers_version",
                                   "use_bfloat16",
                                   "use_cache"};

bool is_known(const ConfigKeys& keys, std::string_view key) {
  for (const SizeKey& size :
       {keys.hidden, keys.n_layers, keys.n_heads, keys.intermediate, keys.vocab, keys.positions}) {
    if (key == size.key) return true;
  }
  for (const std::string_view name : {keys.activation, keys.token_types, keys.layer_norm_eps,
                                      keys.hidden_dropout, keys.attention_dropout}) {
    if (key == name && !name.empty()) return true;
  }
  return std::find(keys.without_effect.begin(), keys.without_effect.end(), key) !=
             keys.without_effect.end() ||
         std::find(kKnownKeys.begin(), kKnownKeys.end(), key) != kKnownKeys.end();
}

std::uint32_t size_of(const JsonFields& config, std::string_view key, IntegerRange range) {
  return static_cast<std::uint32_t>(config.required_integer(key, range));
}

std::uint32_t size_of(const JsonFields& config, const SizeKey& size, IntegerRange range) {
  if (!size.alias.empty() && config.has(size.alias)) {
    config.refuse(size.alias, "must be called '" + std::string(size.key) + "' in this model_type");
  }
  if (size.otherwise == 0) return size_of(config, size.key, range);
  return static_cast<std::uint32_t>(config.integer(size.key, range).value_or(size.otherwise));
}

struct Class {
  Family family;
  Architecture architecture;
};

// The classes that may be meant: of the family that model_type names, or of all.
std::vector<Class> possible_classes(const JsonFields& config) {
  const std::optional<std::string> model_type = config.text("model_type");
  std::vector<Class> classes;
  std::string types;
  for (const FamilyRow& row : families()) {
    types += (types.empty() ? "'" : " or '") + std::string(row.model_type) + "'";
    if (model_type.value_or(std::string(row.model_type)) != row.model_type) continue;
    for (const Architecture kind : kArchitectures) classes.push_back({row.family, kind});
  }
  if (classes.empty()) {
    config.refuse("model_type", "must be " + types + ", nothing else is computed here");
  }
  return classes;
}

// The class that wrote the checkpoint; without a name for it, the first of `possible`, a bare
// model. A list of several classes would leave open which one is meant.
Class parse_class(const JsonFields& config, const std::vector<Class>& possible) {
  const nlohmann::json* list = config.find("architectures");
  if (list == nullptr) {
    if (config.has("model_type")) return possible.front();
    throw Error(ErrorCode::bad_input,
                "has neither 'model_type' nor 'architectures'; is this a BERT checkpoint?");
  }
  if (!list->is_array() || list->size() != 1 || !list->front().is_string()) {
    config.refuse("architectures", "must be a list with the name of one class");
  }
  const auto name = list->front().get<std::string>();
  std::string names;
  for (const Class& known : possible) {
    const std::string known_name = class_name(known.family, known.architecture);
    if (name == known_name) return known;
    names += (names.empty() ? "" : ", ") + known_name;
  }
  config.refuse("architectures", "must be one of " + names);
}

void require_text(const JsonFields& config, std::string_view key, std::string_view wanted) {
  const std::optional<std::string> value = config.text(key);
  if (value && *value != wanted) {
    config.refuse(key, "must be '" + std::string(wanted) + "', nothing else is computed here");
  }
}

void require_false(const JsonFields& config, std::string_view key) {
  if (config.boolean(key).value_or(false)) config.refuse(key, "must be false for an encoder");
}

// Whatever would make the original compute something else than the encoder of the BERT paper.
void refuse_other_models(const JsonFields& config, const ConfigKeys& keys) {
  require_text(config, keys.activation, "gelu");
  require_text(config, "position_embedding_type", "absolute");
  require_false(config, "is_decoder");
  require_false(config, "is_encoder_decoder");
  require_false(config, "add_cross_attention");
  if (config.has("quantization_config")) {
    config.refuse("quantization_config", "is not read; give the checkpoint before quantization");
  }
  if (const nlohmann::json* pruned = config.find("pruned_heads"); pruned && !pruned->empty()) {
    config.refuse("pruned_heads", "must be empty; pruned layers are described by 'espalier'");
  }
}

std::vector<LayerWidths> whole_layers(const BertConfig& bert) {
  LayerWidths whole{std::vector<std::uint32_t>(bert.n_heads), bert.intermediate};
  std::iota(whole.heads.begin(), whole.heads.end(), 0u);
  return std::vector<LayerWidths>(bert.n_layers, whole);
}

LayerWidths parse_layer(const nlohmann::json& json, const std::string& name, std::uint32_t n_heads,
                        std::uint32_t intermediate) {
  const JsonFields layer(json, name + ".");
  for (const auto& entry : json.items()) {
    if (entry.key() != "heads" && entry.key() != "intermediate") {
      layer.refuse(entry.key(), "is not known to this version");
    }
  }
  const nlohmann::json* heads = layer.find("heads");
  if (heads == nullptr || !heads->is_array()) {
    layer.refuse("heads", "must be a list of heads, empty when none is left");
  }
  LayerWidths widths;
  for (const nlohmann::json& head : *heads) {
    const bool fits = head.is_number_unsigned() && head.get<std::uint64_t>() < n_heads;
    if (!fits || (!widths.heads.empty() && head.get<std::uint64_t>() <= widths.heads.back())) {
      layer.refuse("heads",
                   "must list heads below " + std::to_string(n_heads) + " in rising order");
    }
    widths.heads.push_back(head.get<std::uint32_t>());
  }
  widths.intermediate = size_of(layer, "intermediate", {.least = 0, .most = intermediate});
  return widths;
}

std::vector<LayerWidths> parse_layers(const JsonFields& section, const BertConfig& bert) {
  const nlohmann::json* list = section.find("layers");
  if (list == nullptr) return whole_layers(bert);
  if (!list->is_array() || list->size() != bert.n_layers) {
    section.refuse("layers", "must be a list with one object for each of the " +
                                 std::to_string(bert.n_layers) + " layers");
  }
  std::vector<LayerWidths> layers;
  for (std::size_t layer = 0; layer < list->size(); ++layer) {
    layers.push_back(parse_layer((*list)[layer], "espalier.layers[" + std::to_string(layer) + "]",
                                 bert.n_heads, bert.intermediate));
  }
  return layers;
}

// What transformers has no key for: the shapes of a compressed model.
void parse_espalier(const JsonFields& config, BertConfig& bert) {
  bert.layers = whole_layers(bert);
  const nlohmann::json* ours = config.find("espalier");
  if (ours == nullptr) return;
  const JsonFields section(*ours, "espalier.");
  for (const auto& entry : ours->items()) {
    if (entry.key() == "layers" || entry.key() == "embedding_rank") continue;
    section.refuse(entry.key(), "is not known to this version");
  }
  bert.layers = parse_layers(section, bert);
  const auto rank = section.integer("embedding_rank", {.least = 1, .most = bert.hidden - 1});
  if (rank && bert.architecture == Architecture::masked_lm) {
    section.refuse("embedding_rank",
                   "must be absent from a masked language model, whose decoder is the whole table");
  }
  bert.embedding_rank = static_cast<std::uint32_t>(rank.value_or(0));
}

float parse_eps(const JsonFields& config, std::string_view key) {
  const double eps = config.number(key).value_or(1e-12);
  // As a float it must stay inside as well: 1e-60 would become 0.
  const auto value = static_cast<float>(eps);
  if (!(value > 0.0f && value < 1.0f)) config.refuse(key, "must lie between 0 and 1");
  return value;
}

void parse_sizes(const JsonFields& config, const ConfigKeys& keys, BertConfig& bert) {
  bert.hidden = size_of(config, keys.hidden, {.least = 8, .most = 16384});
  bert.n_layers = size_of(config, keys.n_layers, {.least = 1, .most = 256});
  bert.n_heads = size_of(config, keys.n_heads, {.least = 1, .most = bert.hidden});
  if (bert.hidden % bert.n_heads != 0) {
    config.refuse(keys.n_heads.key, "must divide " + std::string(keys.hidden.key) + ", " +
                                        std::to_string(bert.hidden));
  }
  bert.head_dim = bert.hidden / bert.n_heads;
  bert.intermediate = size_of(config, keys.intermediate, {.least = 1, .most = 65536});
  // Five special pieces, and room for [CLS] and [SEP] around one piece, are the least that works.
  bert.vocab = size_of(config, keys.vocab, {.least = 5, .most = 4'000'000});
  bert.positions = size_of(config, keys.positions, {.least = 3, .most = 65536});
  if (!keys.token_types.empty()) {
    bert.token_types = static_cast<std::uint32_t>(
        config.integer(keys.token_types, {.least = 1, .most = format::kMaxSegments}).value_or(2));
  }
  bert.pad_id = static_cast<std::uint32_t>(
      config.integer("pad_token_id", {.least = 0, .most = bert.vocab - 1}).value_or(0));
  if (config.integer("embedding_size", {}).value_or(bert.hidden) != bert.hidden) {
    config.refuse("embedding_size", "must equal " + std::string(keys.hidden.key) + ", " +
                                        std::to_string(bert.hidden));
  }
}

std::vector<std::string> note_unknown_keys(const nlohmann::json& json, const ConfigKeys& keys) {
  std::string unknown;
  std::size_t n_unknown = 0;
  for (const auto& entry : json.items()) {
    if (is_known(keys, entry.key())) continue;
    constexpr std::size_t kShown = 8;
    if (++n_unknown <= kShown) unknown += (n_unknown == 1 ? "" : ", ") + printable(entry.key());
  }
  if (n_unknown == 0) return {};
  return {"config.json: " + std::to_string(n_unknown) + " unknown key(s) not used: " + unknown +
          (n_unknown > 8 ? ", ..." : "")};
}

}  // namespace

std::string class_name(Family family, Architecture architecture) {
  const std::string prefix(row_of(family).class_prefix);
  switch (architecture) {
    case Architecture::model:
      return prefix + "Model";
    case Architecture::sequence_classification:
      return prefix + "ForSequenceClassification";
    case Architecture::token_classification:
      return prefix + "ForTokenClassification";
    case Architecture::masked_lm:
      return prefix + "ForMaskedLM";
  }
  return prefix;
}

ParsedConfig parse_bert_config(std::string_view text) {
  const nlohmann::json json = parse_json(text);
  const JsonFields config(json);
  const Class written_by = parse_class(config, possible_classes(config));
  const ConfigKeys& keys = row_of(written_by.family).keys;
  refuse_other_models(config, keys);

  ParsedConfig parsed;
  parsed.architecture_stated = config.has("architectures");
  parsed.tied_embeddings = config.boolean("tie_word_embeddings").value_or(true);
  BertConfig& bert = parsed.config;
  bert.family = written_by.family;
  bert.architecture = written_by.architecture;
  parse_sizes(config, keys, bert);
  bert.layer_norm_eps =
      keys.layer_norm_eps.empty() ? 1e-12F : parse_eps(config, keys.layer_norm_eps);
  parse_espalier(config, bert);
  if (bert.architecture == Architecture::sequence_classification) {
    bert.labels = parse_labels(config);
    bert.problem_type = parse_problem_type(config, bert.labels.size());
  } else if (bert.architecture == Architecture::token_classification) {
    bert.labels = parse_labels(config);
  }
  parsed.notes = note_unknown_keys(json, keys);
  return parsed;
}

}  // namespace espalier::checkpoint
