// BERT and its families (families.hpp) in LibTorch (Devlin et al. 2019, Sanh et al. 2019): post-LN
// encoder, erf GELU, heads and feed-forward widths of their own in every layer. Plain structs of
// tensors and free functions over them: surgery cuts the tensors, an optimizer walks them by name,
// and nothing else needs to know about it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compress/checkpoint/bert_config.hpp"

namespace espalier::model {

class Rounding;

/// y = x weightᵀ + bias
struct Linear {
  at::Tensor weight;  // (out, in)
  at::Tensor bias;    // (out)
};

struct Norm {
  at::Tensor weight;  // (hidden)
  at::Tensor bias;    // (hidden)
};

/// One encoder layer; A is head_dim times the number of heads that it has.
struct Layer {
  Linear query, key, value;  // (A, hidden)
  Linear attention_output;   // (hidden, A)
  Norm attention_norm;
  Linear up;    // (intermediate, hidden)
  Linear down;  // (hidden, intermediate)
  Norm output_norm;
};

/// The masked-LM head; its decoder is the table of word embeddings.
struct MaskedLmHead {
  Linear transform;  // (hidden, hidden)
  Norm norm;
  at::Tensor bias;  // (vocabulary)
};

/// A model and its parameters. Copies share tensors. Not thread-safe while it is trained.
struct Bert {
  checkpoint::BertConfig config;
  at::Tensor word;             // (vocabulary, hidden), or (vocabulary, embedding_rank)
  at::Tensor word_projection;  // (hidden, embedding_rank); undefined when the table is whole
  at::Tensor position;         // (positions, hidden)
  at::Tensor segment;          // (token types, hidden); undefined in a family without segments
  Norm embedding_norm;
  std::vector<Layer> layers;
  std::optional<Linear> pooler;      // then the family's activation, tanh or ReLU
  std::optional<Linear> classifier;  // (labels, hidden)
  std::optional<MaskedLmHead> masked_lm;
  /// What encode() rounds, see rounding.hpp; null: nothing. Must outlive its use; never saved.
  const Rounding* rounding = nullptr;
};

/// Calls visit(name, tensor) for every parameter, in the order of a Hugging Face BERT and by the
/// names that its family has there. `Model` is Bert or const Bert.
template <typename Model, typename Visitor>
void for_each_parameter(Model& bert, Visitor&& visit) {
  const checkpoint::TensorNames& names = checkpoint::row_of(bert.config.family).names;
  // A bare encoder's names have no prefix.
  const bool bare = bert.config.architecture == checkpoint::Architecture::model;
  const std::string prefix(bare ? "" : names.encoder);
  std::string place = prefix;
  const auto linear = [&](std::string_view name, auto& part) {
    visit(place + std::string(name) + ".weight", part.weight);
    visit(place + std::string(name) + ".bias", part.bias);
  };
  visit(prefix + "embeddings.word_embeddings.weight", bert.word);
  if (bert.word_projection.defined()) {
    visit(prefix + "embeddings.word_projection.weight", bert.word_projection);
  }
  visit(prefix + "embeddings.position_embeddings.weight", bert.position);
  if (bert.segment.defined()) {
    visit(prefix + "embeddings.token_type_embeddings.weight", bert.segment);
  }
  linear("embeddings.LayerNorm", bert.embedding_norm);
  for (std::size_t index = 0; index < bert.layers.size(); ++index) {
    auto& layer = bert.layers[index];
    place = prefix + std::string(names.layer) + std::to_string(index) + ".";
    linear(names.query, layer.query);
    linear(names.key, layer.key);
    linear(names.value, layer.value);
    linear(names.attention_output, layer.attention_output);
    linear(names.attention_norm, layer.attention_norm);
    linear(names.up, layer.up);
    linear(names.down, layer.down);
    linear(names.output_norm, layer.output_norm);
  }
  place = names.pooler_in_encoder ? prefix : "";
  if (bert.pooler) linear(names.pooler, *bert.pooler);
  place.clear();
  if (bert.classifier) linear("classifier", *bert.classifier);
  if (bert.masked_lm) {
    visit(std::string(names.decoder_bias), bert.masked_lm->bias);
    linear(names.transform, bert.masked_lm->transform);
    linear(names.transform_norm, bert.masked_lm->norm);
  }
}

/// A fresh model as the paper initialises it: weights from N(0, 0.02²) (the [PAD] row zero), biases
/// 0, LayerNorm 1 and 0; the projection of a factorised word table from N(0, 1 / rank), so that its
/// words begin as large as those of a whole one. Has a pooler where the architecture's head or, for
/// a bare encoder whose family has one, `with_pooler` asks for it. Deterministic in `seed`. Throws
/// Error(usage) for a masked LM with a factorised table, which could not be its decoder.
[[nodiscard]] Bert new_bert(const checkpoint::BertConfig& config, std::uint64_t seed,
                            bool with_pooler = false);

/// Gives `bert` a new head for `architecture` and `labels`, initialised as above; the encoder
/// stays. Throws as new_bert() and changes nothing then.
void replace_head(Bert& bert, checkpoint::Architecture architecture,
                  checkpoint::ProblemType problem_type, std::vector<std::string> labels,
                  std::uint64_t seed);

/// Sentences padded to the longest. All of one length: `mask` is undefined.
struct TokenTensors {
  at::Tensor ids;       // (sentences, tokens), int64
  at::Tensor segments;  // (sentences, tokens), int64; not looked at by a model without segments
  at::Tensor mask;      // (sentences, tokens), bool, true for tokens; or undefined
};

/// Probabilities of dropping; all 0 is inference.
struct Dropout {
  double hidden = 0;      // after embeddings, projections and the feed-forward
  double attention = 0;   // of attention weights
  double classifier = 0;  // before the classifier
};

/// What distillation and pruning look at. Each field is filled when it is asked for.
struct Trace {
  bool keep_hidden = false;
  bool keep_attention = false;  // costs the plain attention instead of the fused one
  bool keep_last_projections = false;
  std::vector<at::Tensor> hidden = {};     // (layers + 1) of (sentences, tokens, hidden)
  std::vector<at::Tensor> attention = {};  // (layers) of (sentences, heads, tokens, tokens), logits
  std::vector<at::Tensor> projections = {};  // query, key, value of the last layer: (…, tokens, A)
};

/// Factors on what each head and each neuron of the feed-forward puts out; ones change nothing.
/// Their gradients say what the loss would notice if a unit were removed.
struct Gates {
  std::vector<at::Tensor> heads;    // (layers) of (sentences or 1, heads)
  std::vector<at::Tensor> neurons;  // (layers) of (sentences or 1, intermediate)
};

/// Last hidden states: (sentences, tokens, hidden). `gates` may be null.
[[nodiscard]] at::Tensor encode(const Bert& bert, const TokenTensors& tokens,
                                const Dropout& dropout = {}, Trace* trace = nullptr,
                                const Gates* gates = nullptr);

// The steps of encode() without dropout, for what looks at one of them or replaces it. x is
// (sentences, tokens, hidden) throughout.

/// The sum of the embeddings, normalised.
[[nodiscard]] at::Tensor embedded(const Bert& bert, const TokenTensors& tokens);

/// What the heads of a layer put out, side by side: (sentences, tokens, A). mask as in
/// TokenTensors.
[[nodiscard]] at::Tensor head_outputs(const Bert& bert, std::size_t layer, const at::Tensor& x,
                                      const at::Tensor& mask);

/// What the neurons of a layer's feed-forward put out: (sentences, tokens, intermediate).
[[nodiscard]] at::Tensor neuron_outputs(const Bert& bert, std::size_t layer, const at::Tensor& x);

/// x after the first half of a layer: outputs of its heads projected, added to x, normalised.
[[nodiscard]] at::Tensor add_heads(const Bert& bert, std::size_t layer, const at::Tensor& x,
                                   const at::Tensor& outputs);

/// x after the second half, likewise.
[[nodiscard]] at::Tensor add_neurons(const Bert& bert, std::size_t layer, const at::Tensor& x,
                                     const at::Tensor& outputs);

/// What the head says of encode()'s result: (sentences, labels) for a sequence classifier,
/// (sentences, tokens, labels) for a token classifier, (sentences, tokens, vocabulary) for a masked
/// LM; a bare encoder gives x back.
[[nodiscard]] at::Tensor head_logits(const Bert& bert, const at::Tensor& x,
                                     const Dropout& dropout = {});

/// The masked LM's logits for some positions only: x (positions, hidden) → (positions, vocabulary).
[[nodiscard]] at::Tensor masked_lm_logits(const Bert& bert, const at::Tensor& x);

/// Number of parameters.
[[nodiscard]] std::int64_t parameter_count(const Bert& bert);

}  // namespace espalier::model
