// Writes tiny random BERT and DistilBERT checkpoint folders in Hugging Face layout, for the tests
// of every room that reads checkpoints or what was made of them. Nothing here uses the reader under
// test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/safetensors_builder.hpp"

namespace espalier::testing {

/// Which class wrote the checkpoint.
enum class TinyArchitecture { model, sequence_classification, token_classification, masked_lm };

/// The heads (indices into the original ones) and the feed-forward width that a layer kept.
struct TinyLayer {
  std::vector<std::uint32_t> heads = {};
  std::uint32_t intermediate = 0;
};

enum class TinyPooling { mean, cls };

/// What to write. The defaults are a two-layer BertForSequenceClassification with two labels.
struct TinyCheckpoint {
  bool distilbert = false;  // names and keys of DistilBERT, no segments, no pooler in a bare model
  TinyArchitecture architecture = TinyArchitecture::sequence_classification;
  std::uint32_t hidden = 32;
  std::uint32_t heads = 4;
  std::uint32_t layers = 2;
  std::uint32_t intermediate = 64;
  std::uint32_t positions = 64;
  std::vector<std::string> labels = {"negative", "positive"};  // ignored where there is no head
  std::string problem_type = {};                               // "": not in the config
  StoredAs stored_as = StoredAs::f32;
  std::uint64_t seed = 1;
  std::vector<TinyLayer> uneven = {};  // one a layer, or empty: every layer whole
  std::uint32_t embedding_rank = 0;    // of a factorised word table; 0: it is whole
  bool bert_prefix = true;             // false: names start with "embeddings." or "encoder."
  bool gamma_beta = false;             // true: LayerNorm.gamma and .beta, as in old files
  bool pooler = true;                  // ignored by token_classification and masked_lm
  std::uint32_t shards = 1;            // > 1: model.safetensors.index.json and as many shards
  bool sentence_transformers = false;  // true: modules.json, 1_Pooling, sentence_bert_config.json
  TinyPooling pooling = TinyPooling::mean;
  bool normalize = true;              // adds 2_Normalize
  std::uint32_t max_seq_length = 32;  // in sentence_bert_config.json
  std::string config_patch = "{}";    // JSON merge patch (RFC 7386) over config.json
  std::function<void(std::vector<TinyTensor>&)> edit_tensors = {};  // last word on what is stored
};

/// The tensors of `tiny`, by the names it asks for, after edit_tensors. The same seed gives the
/// same values whatever the names or the stored type are.
[[nodiscard]] std::vector<TinyTensor> tiny_tensors(const TinyCheckpoint& tiny);

/// Writes config.json, the safetensors file or shards, vocab.txt and tokenizer_config.json into
/// `folder`, which is made when missing. Returns `folder`. Throws std::runtime_error when it
/// cannot.
std::filesystem::path write_tiny_checkpoint(const std::filesystem::path& folder,
                                            const TinyCheckpoint& tiny = {});

}  // namespace espalier::testing
