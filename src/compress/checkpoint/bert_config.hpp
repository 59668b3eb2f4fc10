// What config.json of a Hugging Face checkpoint of a BERT or a DistilBERT says, typed, ranged and
// complete.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compress/checkpoint/families.hpp"

namespace espalier::checkpoint {

/// The classes whose checkpoints are read.
enum class Architecture { model, sequence_classification, token_classification, masked_lm };

/// The name in "architectures", such as "BertModel" or "DistilBertForMaskedLM".
[[nodiscard]] std::string class_name(Family family, Architecture architecture);

/// How a sequence classification head is meant.
enum class ProblemType { single_label, multi_label, regression };

/// What a layer kept of its original heads and feed-forward width. Without any heads, or without a
/// feed-forward, that half of the layer is its bias, the residual and the LayerNorm.
struct LayerWidths {
  std::vector<std::uint32_t> heads;  // indices below BertConfig::n_heads, ascending; may be empty
  std::uint32_t intermediate = 0;    // may be 0

  friend bool operator==(const LayerWidths&, const LayerWidths&) = default;
};

struct BertConfig {
  Family family = Family::bert;
  Architecture architecture = Architecture::model;
  std::uint32_t hidden = 0;          // 8 to 16384, a multiple of n_heads
  std::uint32_t n_layers = 0;        // 1 to 256
  std::uint32_t n_heads = 0;         // of the original model; a layer may have kept fewer
  std::uint32_t head_dim = 0;        // hidden / n_heads
  std::uint32_t intermediate = 0;    // of the original model; 1 to 65536
  std::uint32_t vocab = 0;           // 5 to 4,000,000
  std::uint32_t embedding_rank = 0;  // of a factorised word table, below hidden; 0: it is whole
  std::uint32_t positions = 0;       // 3 to 65536
  std::uint32_t token_types = 0;     // 1 to 16; 0 in a family without segments
  std::uint32_t pad_id = 0;          // below vocab
  float layer_norm_eps = 0;          // in (0, 1)
  ProblemType problem_type = ProblemType::single_label;  // of sequence_classification
  std::vector<std::string> labels;  // by id; empty without a classifier; no name twice
  std::vector<LayerWidths> layers;  // (n_layers); every layer whole unless "espalier" says less
};

/// config.json as parsed, before the weights had their say.
struct ParsedConfig {
  BertConfig config;
  bool architecture_stated = false;  // false: "architectures" is absent; config says model
  bool tied_embeddings = true;       // the MLM decoder is the table of word embeddings
  std::vector<std::string> notes;    // one sentence each, such as the keys that were not used
};

/// Parses the text of a config.json. Throws Error(bad_input) naming the key, its value and what it
/// must be for anything that this program would compute differently from the original: another
/// model_type, activation or position type, a decoder, a value of another type or out of range.
/// Keys of Hugging Face that are absent have the default that they have there, but the sizes of a
/// BERT must be stated.
[[nodiscard]] ParsedConfig parse_bert_config(std::string_view json);

}  // namespace espalier::checkpoint
