#include "compress/checkpoint/families.hpp"

#include <array>
#include <cstddef>

namespace espalier::checkpoint {
namespace {

constexpr std::array<std::string_view, 8> kBertWithoutEffect = {
    "classifier_dropout",         "directionality",       "layer_norm_epsilon",   "pooler_fc_size",
    "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type"};

// The table of positions is in the weights however it was made; torch decides by
// tie_word_embeddings whether the decoder is tied.
constexpr std::array<std::string_view, 4> kDistilBertWithoutEffect = {
    "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "tie_weights_"};

constexpr std::array<FamilyRow, 2> kFamilies = {
    {{.family = Family::bert,
      .model_type = "bert",
      .class_prefix = "Bert",
      .pooler_activation = format::PoolerActivation::tanh,
      .keys = {.hidden = {"hidden_size"},
               .n_layers = {"num_hidden_layers"},
               .n_heads = {"num_attention_heads"},
               .intermediate = {"intermediate_size"},
               .vocab = {"vocab_size"},
               .positions = {"max_position_embeddings"},
               .activation = "hidden_act",
               .token_types = "type_vocab_size",
               .layer_norm_eps = "layer_norm_eps",
               .hidden_dropout = "hidden_dropout_prob",
               .attention_dropout = "attention_probs_dropout_prob",
               .without_effect = kBertWithoutEffect},
      .names = {.encoder = "bert.",
                .layer = "encoder.layer.",
                .query = "attention.self.query",
                .key = "attention.self.key",
                .value = "attention.self.value",
                .attention_output = "attention.output.dense",
                .attention_norm = "attention.output.LayerNorm",
                .up = "intermediate.dense",
                .down = "output.dense",
                .output_norm = "output.LayerNorm",
                .pooler = "pooler.dense",
                .pooler_in_encoder = true,
                .transform = "cls.predictions.transform.dense",
                .transform_norm = "cls.predictions.transform.LayerNorm",
                .decoder = "cls.predictions.decoder",
                .decoder_bias = "cls.predictions.bias"}},
     {.family = Family::distilbert,
      .model_type = "distilbert",
      .class_prefix = "DistilBert",
      .pooler_activation = format::PoolerActivation::relu,
      .keys = {.hidden = {"dim", 768, "hidden_size"},
               .n_layers = {"n_layers", 6, "num_hidden_layers"},
               .n_heads = {"n_heads", 12, "num_attention_heads"},
               .intermediate = {"hidden_dim", 3072},
               .vocab = {"vocab_size", 30522},
               .positions = {"max_position_embeddings", 512},
               .activation = "activation",
               .token_types = {},
               .layer_norm_eps = {},
               .hidden_dropout = "dropout",
               .attention_dropout = "attention_dropout",
               .without_effect = kDistilBertWithoutEffect},
      .names = {.encoder = "distilbert.",
                .layer = "transformer.layer.",
                .query = "attention.q_lin",
                .key = "attention.k_lin",
                .value = "attention.v_lin",
                .attention_output = "attention.out_lin",
                .attention_norm = "sa_layer_norm",
                .up = "ffn.lin1",
                .down = "ffn.lin2",
                .output_norm = "output_layer_norm",
                .pooler = "pre_classifier",
                .pooler_in_encoder = false,
                .transform = "vocab_transform",
                .transform_norm = "vocab_layer_norm",
                .decoder = "vocab_projector",
                .decoder_bias = "vocab_projector.bias"}}}};

constexpr bool table_is_in_enum_order() {
  for (std::size_t row = 0; row < kFamilies.size(); ++row) {
    if (static_cast<std::size_t>(kFamilies[row].family) != row) return false;
  }
  return true;
}
static_assert(table_is_in_enum_order());

}  // namespace

std::span<const FamilyRow> families() noexcept {
  return kFamilies;
}

const FamilyRow& row_of(Family family) noexcept {
  return kFamilies[static_cast<std::size_t>(family)];
}

}  // namespace espalier::checkpoint
