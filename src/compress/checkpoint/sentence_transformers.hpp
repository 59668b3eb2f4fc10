// The sentence-transformers layout: which modules turn token states into one vector.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace espalier::checkpoint {

/// How the states of a sentence's tokens become one vector.
enum class Pooling {
  mean,  ///< average over all tokens, [CLS] and [SEP] included
  cls,   ///< the state of the first token, without the pooler's layer
};

struct EmbeddingOptions {
  Pooling pooling = Pooling::mean;
  bool normalize = false;        // divide the vector by its Euclidean length
  bool lower_case = false;       // the text is lower-cased before the tokenizer sees it
  std::uint32_t max_length = 0;  // tokens with [CLS] and [SEP]; 0: not stated
};

/// Where a checkpoint's transformer lies and what follows it.
struct EmbeddingLayout {
  std::filesystem::path transformer;  // folder with config.json and the weights
  std::optional<EmbeddingOptions> embedding;
  bool has_pipeline = false;  // modules.json exists: this is an embedding model whatever its class
  std::uint32_t dimension = 0;  // as the pooling module states it; 0: not stated
  std::vector<std::string> notes;
};

/// Reads modules.json, the pooling module's config.json and sentence_bert_config.json of `folder`.
/// Without modules.json, 1_Pooling/config.json alone is enough; without either there is no
/// embedding. Accepts Transformer, Pooling (mean or cls), and Normalize last or not at all; throws
/// Error(bad_input) naming any other module or pooling, because its vectors would differ.
[[nodiscard]] EmbeddingLayout read_embedding_layout(const std::filesystem::path& folder);

}  // namespace espalier::checkpoint
