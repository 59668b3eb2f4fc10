// The way back from a model file: a ModelSpec as a checkpoint folder in Hugging Face layout, its
// weights as fp32 numbers, so that whatever reads checkpoints goes on from there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "compress/checkpoint/bert_config.hpp"
#include "compress/checkpoint/sentence_transformers.hpp"
#include "format/spec.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::compress {

enum class CheckpointShape {
  kept,      ///< as the model is; uneven layers stand under "espalier" in config.json
  original,  ///< zeros for what was removed, so that every layer is whole, and a factorised table
             ///< multiplied out: the same answers, from a folder that the transformers package
             ///< reads, and no smaller
};

struct CheckpointTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
};

/// What a folder says besides its tokenizer.
struct CheckpointParts {
  checkpoint::BertConfig config;
  std::vector<CheckpointTensor> tensors;
  std::optional<checkpoint::EmbeddingOptions> embedding;  // of models that make sentence vectors
};

/// The checkpoint that `spec` would be converted from. fp32 weights keep their bits, others become
/// what dequantize.hpp says. A model file counts its heads and does not name them: those of a layer
/// are said to be the first of the original ones, and the feed-forward's original width to be that
/// of the widest layer. A pooler that an embedding model does without is lost.
/// Throws Error(usage) for a model that no family of checkpoints describes: a head width that does
/// not divide the hidden width, a layer of more heads than fit into it, or a head's activation,
/// segments and epsilon that do not go together.
[[nodiscard]] CheckpointParts checkpoint_of(const format::ModelSpec& spec, CheckpointShape shape);

/// The tokenizer that goes with it. `stored`: as the model file describes it, a [MASK] that it
/// lacks named as the unknown piece.
[[nodiscard]] text::TokenizerSpec tokenizer_of(const format::ModelSpec& spec,
                                               text::TokenizerSpec stored);

/// Writes both into `folder`, which exists: each file whole or not at all, the weights last, and
/// with Overwrite::replace the old weights gone before the first, so that what a killed writer
/// leaves behind is the old checkpoint or is refused, never a mixture. An earlier embedding layout
/// then goes where this model has none. Throws Error(bad_input) as
/// text::write_tokenizer() does, before anything is written, and Error(output).
void write_checkpoint(const CheckpointParts& parts, const text::TokenizerSpec& tokenizer,
                      const std::filesystem::path& folder, Overwrite overwrite);

}  // namespace espalier::compress
