// One encoder under several names: BERT and the descendants of it that compute the same, DistilBERT
// (Sanh et al. 2019). A family is a row here, with what its checkpoints call keys and tensors and
// the little that it computes differently; nothing else asks which one it is.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "format/spec.hpp"

namespace espalier::checkpoint {

enum class Family : std::uint8_t { bert, distilbert };

/// A size in config.json.
struct SizeKey {
  std::string_view key;
  std::uint32_t otherwise = 0;  // when the key is absent; 0: it must be there
  // Another name that `transformers` takes for the key; refused, since both could be there.
  std::string_view alias = {};
};

/// Keys of config.json that differ between families.
struct ConfigKeys {
  SizeKey hidden, n_layers, n_heads, intermediate, vocab, positions;
  std::string_view activation;
  std::string_view token_types;                      // empty: there are no segments
  std::string_view layer_norm_eps;                   // empty: always 1e-12
  std::string_view hidden_dropout;                   // a probability
  std::string_view attention_dropout;                // a probability
  std::span<const std::string_view> without_effect;  // on what is computed here
};

/// Names of tensors without ".weight" and ".bias". Those of the embeddings are the same everywhere.
struct TensorNames {
  std::string_view encoder;  // before the encoder's names where a head lies beside it
  std::string_view layer;    // then the index, a dot, and one of the eight that follow
  std::string_view query, key, value, attention_output, attention_norm;
  std::string_view up, down, output_norm;
  std::string_view pooler;
  bool pooler_in_encoder;  // then a bare encoder may have one, under the encoder's prefix
  std::string_view transform, transform_norm, decoder;  // of the masked LM
  std::string_view decoder_bias;                        // the whole name
};

struct FamilyRow {
  Family family;
  std::string_view model_type;    // in config.json
  std::string_view class_prefix;  // of "ForSequenceClassification" and so on
  format::PoolerActivation pooler_activation;
  ConfigKeys keys;
  TensorNames names;
};

/// Every family, in the order of the enum.
[[nodiscard]] std::span<const FamilyRow> families() noexcept;

[[nodiscard]] const FamilyRow& row_of(Family family) noexcept;

}  // namespace espalier::checkpoint
