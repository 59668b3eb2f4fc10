// Writes the files with which the sentence-transformers package finds out how a checkpoint makes
// vectors; sentence_transformers.hpp reads them back.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/atomic_file.hpp"
#include "compress/checkpoint/sentence_transformers.hpp"

namespace espalier::checkpoint {

/// Writes modules.json, 1_Pooling/config.json and sentence_bert_config.json into `folder`, which
/// exists and holds the transformer itself. dimension: of a vector. Each file whole or not at all.
/// Throws Error(output).
void write_embedding_layout(const std::filesystem::path& folder, const EmbeddingOptions& options,
                            std::uint32_t dimension, Overwrite overwrite);

/// Removes what would make a reader take the model in `folder` for one that makes vectors, such as
/// an earlier one left there. Throws Error(output).
void remove_embedding_layout(const std::filesystem::path& folder);

}  // namespace espalier::checkpoint
