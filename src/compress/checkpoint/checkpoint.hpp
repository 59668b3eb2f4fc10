// Start here: opens a Hugging Face BERT checkpoint folder and hands out its configuration and its
// parameters. The tokenizer's files in the same folder belong to the text room.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "compress/checkpoint/bert_config.hpp"
#include "compress/checkpoint/bert_parameters.hpp"
#include "compress/checkpoint/sentence_transformers.hpp"
#include "compress/checkpoint/weight_files.hpp"

namespace espalier::checkpoint {

/// A checkpoint whose every name and shape has been checked; values are checked when they are read.
/// Immutable and safe to share between threads. The weights are mapped, not copied: a file that
/// another process shortens meanwhile ends this one.
class Checkpoint {
 public:
  /// Reads config.json, model.safetensors or pytorch_model.bin (or their shards) and, where there
  /// are any, the files of sentence-transformers in `folder`.
  ///
  /// The architecture is the one that config.json names. Two cases have no such name: with
  /// modules.json the checkpoint is a BertModel for embeddings whatever class wrote it, and without
  /// "architectures" it is a BertModel if the weights hold no head, and refused otherwise.
  ///
  /// Throws Error(bad_input) naming the key or tensor, what it is and must be, and the file.
  static Checkpoint open(const std::filesystem::path& folder);

  [[nodiscard]] const BertConfig& config() const noexcept { return config_; }
  [[nodiscard]] const BertParameters& parameters() const noexcept { return parameters_; }

  /// How to make sentence vectors; only ever present when the architecture is BertModel.
  [[nodiscard]] const std::optional<EmbeddingOptions>& embedding() const noexcept {
    return embedding_;
  }

  /// What was left aside, one sentence each, for the user to read.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

  /// The folder with config.json, the weights and the tokenizer: the one opened, or the folder that
  /// modules.json names in it.
  [[nodiscard]] const std::filesystem::path& model_folder() const noexcept { return model_folder_; }

  /// The files that hold the weights, for whoever records where a model came from.
  [[nodiscard]] std::vector<std::filesystem::path> weight_paths() const;

 private:
  Checkpoint(WeightFiles weights, BertParameters parameters)
      : weights_(std::move(weights)), parameters_(std::move(parameters)) {}

  WeightFiles weights_;
  BertParameters parameters_;  // borrows from weights_, whose tensors stay in place when it moves
  BertConfig config_;
  std::optional<EmbeddingOptions> embedding_;
  std::vector<std::string> notes_;
  std::filesystem::path model_folder_;
};

}  // namespace espalier::checkpoint
