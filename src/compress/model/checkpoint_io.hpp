// Between a Bert and a checkpoint folder in Hugging Face layout.
#pragma once

#include <filesystem>

#include "base/atomic_file.hpp"
#include "compress/checkpoint/checkpoint.hpp"
#include "compress/model/bert.hpp"

namespace espalier::model {

/// The checkpoint's parameters as fp32 tensors that own their memory. Throws Error(bad_input)
/// naming file, tensor and index of a value that is not finite.
[[nodiscard]] Bert load_bert(const checkpoint::Checkpoint& checkpoint);

/// How weights are stored.
enum class WeightType { f32, f16 };

/// Writes config.json and model.safetensors into `folder`, which exists; each file whole or not at
/// all, the weights last. f16 rounds to nearest even. Throws Error(failed) naming a parameter that
/// is not finite or does not fit f16, Error(output) when the disk says no.
void save_bert(const Bert& bert, const std::filesystem::path& folder, WeightType type,
               Overwrite overwrite);

}  // namespace espalier::model
