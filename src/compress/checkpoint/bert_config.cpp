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

// Read below, or without any effect on what an encoder computes at inference.
constexpr std::array kKnownKeys = {"_name_or_path",
                                   "_num_labels",
                                   "add_cross_attention",
                                   "architectures",
                                   "attention_probs_dropout_prob",
                                   "bos_token_id",
                                   "classifier_dropout",
                                   "cross_attention_hidden_size",
                                   "directionality",
                                   "dtype",
                                   "embedding_size",
                                   "eos_token_id",
                                   "espalier",
                                   "finetuning_task",
                                   "gradient_checkpointing",
                                   "hidden_act",
                                   "hidden_dropout_prob",
                                   "hidden_size",
                                   "id2label",
                                   "initializer_range",
                                   "intermediate_size",
                                   "is_decoder",
                                   "is_encoder_decoder",
                                   "label2id",
                                   "language",
                                   "layer_norm_eps",
                                   "layer_norm_epsilon",
                                   "max_position_embeddings",
                                   "model_type",
                                   "name",
                                   "num_attention_heads",
                                   "num_hidden_layers",
                                   "num_labels",
                                   "output_attentions",
                                   "output_hidden_states",
                                   "output_past",
                                   "pad_token_id",
                                   "pooler_fc_size",
                                   "pooler_num_attention_heads",
                                   "pooler_num_fc_layers",
                                   "pooler_size_per_head",
                                   "pooler_type",
                                   "position_embedding_type",
                                   "problem_type",
                                   "pruned_heads",
                                   "quantization_config",
                                   "tie_word_embeddings",
                                   "tokenizer_class",
                                   "torch_dtype",
                                   "torchscript",
                                   "transformers_version",
                                   "type_vocab_size",
                                   "use_bfloat16",
                                   "use_cache",
                                   "vocab_size"};

std::uint32_t size_of(const JsonFields& config, std::string_view key, IntegerRange range) {
  return static_cast<std::uint32_t>(config.required_integer(key, range));
}

// Nothing when the key is absent. A list of several classes would leave open which one is meant.
std::optional<Architecture> parse_architecture(const JsonFields& config) {
  const nlohmann::json* list = config.find("architectures");
  if (list == nullptr) return std::nullopt;
  if (!list->is_array() || list->size() != 1 || !list->front().is_string()) {
    config.refuse("architectures", "must be a list with the name of one class");
  }
  const auto name = list->front().get<std::string>();
  for (const Architecture architecture : kArchitectures) {
    if (name == name_of(architecture)) return architecture;
  }
  config.refuse("architectures",
                "must be one of BertModel, BertForSequenceClassification, "
                "BertForTokenClassification, BertForMaskedLM");
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
void refuse_other_models(const JsonFields& config, bool architecture_stated) {
  require_text(config, "model_type", "bert");
  if (!config.has("model_type") && !architecture_stated) {
    throw Error(ErrorCode::bad_input,
                "has neither 'model_type' nor 'architectures'; is this a BERT checkpoint?");
  }
  require_text(config, "hidden_act", "gelu");
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

LayerWidths parse_layer(const nlohmann::json& json, const std::string& name, std::uint32_t n_heads,
                        std::uint32_t intermediate) {
  const JsonFields layer(json, name + ".");
  for (const auto& entry : json.items()) {
    if (entry.key() != "heads" && entry.key() != "intermediate") {
      layer.refuse(entry.key(), "is not known to this version");
    }
  }
  const nlohmann::json* heads = layer.find("heads");
  if (heads == nullptr || !heads->is_array() || heads->empty()) {
    layer.refuse("heads", "must be a list of at least one head");
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
  widths.intermediate = size_of(layer, "intermediate", {.least = 1, .most = intermediate});
  return widths;
}

std::vector<LayerWidths> parse_layers(const JsonFields& config, const BertConfig& bert) {
  LayerWidths whole{std::vector<std::uint32_t>(bert.n_heads), bert.intermediate};
  std::iota(whole.heads.begin(), whole.heads.end(), 0u);
  const nlohmann::json* ours = config.find("espalier");
  if (ours == nullptr) return std::vector<LayerWidths>(bert.n_layers, whole);

  const JsonFields section(*ours, "espalier.");
  for (const auto& entry : ours->items()) {
    if (entry.key() != "layers") section.refuse(entry.key(), "is not known to this version");
  }
  const nlohmann::json* list = section.find("layers");
  if (list == nullptr || !list->is_array() || list->size() != bert.n_layers) {
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

float parse_eps(const JsonFields& config) {
  const double eps = config.number("layer_norm_eps").value_or(1e-12);
  // As a float it must stay inside as well: 1e-60 would become 0.
  const auto value = static_cast<float>(eps);
  if (!(value > 0.0f && value < 1.0f)) config.refuse("layer_norm_eps", "must lie between 0 and 1");
  return value;
}

void parse_sizes(const JsonFields& config, BertConfig& bert) {
  bert.hidden = size_of(config, "hidden_size", {.least = 8, .most = 16384});
  bert.n_layers = size_of(config, "num_hidden_layers", {.least = 1, .most = 256});
  bert.n_heads = size_of(config, "num_attention_heads", {.least = 1, .most = bert.hidden});
  if (bert.hidden % bert.n_heads != 0) {
    config.refuse("num_attention_heads", "must divide hidden_size, " + std::to_string(bert.hidden));
  }
  bert.head_dim = bert.hidden / bert.n_heads;
  bert.intermediate = size_of(config, "intermediate_size", {.least = 1, .most = 65536});
  // Five special pieces, and room for [CLS] and [SEP] around one piece, are the least that works.
  bert.vocab = size_of(config, "vocab_size", {.least = 5, .most = 4'000'000});
  bert.positions = size_of(config, "max_position_embeddings", {.least = 3, .most = 65536});
  bert.token_types = static_cast<std::uint32_t>(
      config.integer("type_vocab_size", {.least = 1, .most = format::kMaxSegments}).value_or(2));
  bert.pad_id = static_cast<std::uint32_t>(
      config.integer("pad_token_id", {.least = 0, .most = bert.vocab - 1}).value_or(0));
  if (config.integer("embedding_size", {}).value_or(bert.hidden) != bert.hidden) {
    config.refuse("embedding_size", "must equal hidden_size, " + std::to_string(bert.hidden));
  }
}

std::vector<std::string> note_unknown_keys(const nlohmann::json& json) {
  std::string unknown;
  std::size_t n_unknown = 0;
  for (const auto& entry : json.items()) {
    const bool known =
        std::find(kKnownKeys.begin(), kKnownKeys.end(), entry.key()) != kKnownKeys.end();
    if (known) continue;
    constexpr std::size_t kShown = 8;
    if (++n_unknown <= kShown) unknown += (n_unknown == 1 ? "" : ", ") + printable(entry.key());
  }
  if (n_unknown == 0) return {};
  return {"config.json: " + std::to_string(n_unknown) + " unknown key(s) not used: " + unknown +
          (n_unknown > 8 ? ", ..." : "")};
}

}  // namespace

std::string_view name_of(Architecture architecture) noexcept {
  switch (architecture) {
    case Architecture::model:
      return "BertModel";
    case Architecture::sequence_classification:
      return "BertForSequenceClassification";
    case Architecture::token_classification:
      return "BertForTokenClassification";
    case Architecture::masked_lm:
      return "BertForMaskedLM";
  }
  return "";
}

ParsedConfig parse_bert_config(std::string_view text) {
  const nlohmann::json json = parse_json(text);
  const JsonFields config(json);
  const std::optional<Architecture> architecture = parse_architecture(config);
  refuse_other_models(config, architecture.has_value());

  ParsedConfig parsed;
  parsed.architecture_stated = architecture.has_value();
  parsed.tied_embeddings = config.boolean("tie_word_embeddings").value_or(true);
  BertConfig& bert = parsed.config;
  bert.architecture = architecture.value_or(Architecture::model);
  parse_sizes(config, bert);
  bert.layer_norm_eps = parse_eps(config);
  bert.layers = parse_layers(config, bert);
  if (bert.architecture == Architecture::sequence_classification) {
    bert.labels = parse_labels(config);
    bert.problem_type = parse_problem_type(config, bert.labels.size());
  } else if (bert.architecture == Architecture::token_classification) {
    bert.labels = parse_labels(config);
  }
  parsed.notes = note_unknown_keys(json);
  return parsed;
}

}  // namespace espalier::checkpoint
