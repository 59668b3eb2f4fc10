// One training run from the command line, from the check of its output folder to its last line:
// what finetune, pretrain and distill have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compress/checkpoint/sentence_transformers.hpp"
#include "compress/model/checkpoint_io.hpp"
#include "output_folder.hpp"
#include "text/tokenizer_spec.hpp"
#include "training_request.hpp"

namespace espalier::tools {

/// What a run leaves besides weights.
struct Artefacts {
  std::filesystem::path tokenizer_folder = {};                 // whose tokenizer files are copied
  std::optional<text::TokenizerSpec> new_tokenizer = {};       // written instead
  std::optional<checkpoint::EmbeddingOptions> embedding = {};  // of sentence vectors
};

class TrainingRun {
 public:
  /// Checks the output folder, sets the number of threads and finds the device, before anything is
  /// read. inputs: folders that must not be the output. Throws Error(output) when the folder is in
  /// use, Error(usage) when there is nothing to resume, Error(unavailable) for a device or bf16
  /// that is not here.
  TrainingRun(const TrainingRequest& request, const std::vector<std::string>& inputs);

  [[nodiscard]] at::Device device() const noexcept { return device_; }
  [[nodiscard]] unsigned n_threads() const noexcept { return static_cast<unsigned>(n_threads_); }

  /// Trains. Ctrl-C and SIGTERM save, print the command that goes on and throw Error(interrupted)
  /// or Error(terminated). identity.settings include the hashes of what is trained on. shaper: what
  /// makes the model smaller meanwhile, or null.
  void train(model::Bert& bert, const objective::Objective& objective,
             const objective::Judge* judge, Identity identity, train::Shaper* shaper = nullptr);

  /// Writes the checkpoint and the card, training.json, which holds `facts` and then what train()
  /// has to say, and removes what only a resumed run needs. Returns the card. Without train() the
  /// bert is written as it is.
  nlohmann::ordered_json write(model::Bert& bert, const Artefacts& artefacts,
                               nlohmann::ordered_json facts);

  /// Writes the card anew.
  void write_card(const nlohmann::ordered_json& card) const;

  /// write(), then prints the card or a line of it.
  void finish(model::Bert& bert, const Artefacts& artefacts, nlohmann::ordered_json facts);

 private:
  void write_checkpoint(const model::Bert& bert, const Artefacts& artefacts) const;

  const TrainingRequest& request_;
  std::filesystem::path folder_;  // OUT
  std::filesystem::path work_;    // OUT/training
  at::Device device_;
  int n_threads_ = 0;
  train::TrainingResult result_;
  nlohmann::ordered_json report_;  // of train()
};

/// What tells a tokenizer from another one, as hex digits: a vocab.txt, or all that a folder says
/// of how texts are cut and how its weights are shaped.
[[nodiscard]] std::string tokenizer_hash(const std::filesystem::path& place);

/// Adds the XXH3-64 of each of `files` under `name`: what a run depends on counts by content.
void add_hashes(train::Settings& settings, const std::string& name,
                const std::vector<std::filesystem::path>& files);

/// The options that decide what is learnt, as training.json lists them.
template <typename Options>
nlohmann::ordered_json option_facts(const Options& options) {
  nlohmann::ordered_json facts;
  for (const auto& [name, value] : identity_of("", options).settings) {
    facts[name.substr(2)] = value;  // without its dashes
  }
  return facts;
}

/// A data file as reports name it: base name and XXH3-64 of its bytes.
[[nodiscard]] nlohmann::ordered_json input_facts(const std::string& file);

}  // namespace espalier::tools
