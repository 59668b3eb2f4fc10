// The parameters of a BERT by what they are, whatever a checkpoint calls them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compress/checkpoint/bert_config.hpp"
#include "compress/checkpoint/tensor_ref.hpp"
#include "compress/checkpoint/weight_files.hpp"

namespace espalier::checkpoint {

/// y = weight · x + bias
struct LinearParameters {
  TensorRef weight;  // (out, in)
  TensorRef bias;    // (out)
};

struct NormParameters {
  TensorRef weight;  // (hidden); gamma
  TensorRef bias;    // (hidden); beta
};

/// One encoder layer. `attention` is head_dim times the number of heads that the layer kept.
struct LayerParameters {
  LinearParameters query;             // weight (attention, hidden)
  LinearParameters key;               // weight (attention, hidden)
  LinearParameters value;             // weight (attention, hidden)
  LinearParameters attention_output;  // weight (hidden, attention)
  NormParameters attention_norm;      // after the residual of the attention
  LinearParameters intermediate;      // weight (intermediate, hidden); before GELU
  LinearParameters output;            // weight (hidden, intermediate); after GELU
  NormParameters output_norm;         // after the residual of the feed-forward
};

/// dense, GELU, norm, then the table of word embeddings as decoder, plus bias.
struct MaskedLmParameters {
  LinearParameters transform;  // weight (hidden, hidden)
  NormParameters transform_norm;
  TensorRef bias;  // (vocab)
};

struct BertParameters {
  TensorRef word_embeddings;                       // (vocab, hidden), or (vocab, embedding_rank)
  std::optional<TensorRef> word_projection;        // (hidden, embedding_rank), where there is one
  TensorRef position_embeddings;                   // (positions, hidden)
  std::optional<TensorRef> token_type_embeddings;  // (token_types, hidden), in families with them
  NormParameters embeddings_norm;
  std::vector<LayerParameters> layers;         // (n_layers)
  std::optional<LinearParameters> pooler;      // weight (hidden, hidden); then tanh or ReLU
  std::optional<LinearParameters> classifier;  // weight (labels, hidden)
  std::optional<MaskedLmParameters> masked_lm;
};

/// Finds every parameter that `config` asks for. Names of the encoder may begin with the family's
/// prefix ("bert.") or not; a norm may have gamma and beta for weight and bias. pooler is required
/// by sequence_classification and optional in a BertModel; a stored MLM decoder must equal the word
/// embeddings, and may be absent only when they are tied. Notes the tensors outside the encoder
/// that are neither used nor known to be harmless. Throws Error(bad_input) naming tensor, shapes
/// and file when one is missing, has another shape or no float type, is there under two names, or
/// belongs to the encoder or its embeddings but to no parameter.
[[nodiscard]] BertParameters find_parameters(const WeightFiles& weights, const ParsedConfig& parsed,
                                             std::vector<std::string>& notes);

/// Whether the weights hold a head, such as classifier.*, cls.* or qa_outputs.*
[[nodiscard]] bool holds_a_head(const WeightFiles& weights);

}  // namespace espalier::checkpoint
