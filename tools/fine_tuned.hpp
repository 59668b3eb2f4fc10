// A fine-tuned checkpoint and the rows that it learns more from and is judged on: what distill and
// prune have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/model/bert.hpp"
#include "compress/objective/task.hpp"
#include "task_data.hpp"
#include "text/tokenizer.hpp"
#include "training_run.hpp"

namespace espalier::tools {

class FineTuned {
 public:
  /// Reads the checkpoint in `folder` and the task from its head; data.train and data.eval may be
  /// empty. max_length: tokens of a sentence. `option` names the folder in messages. Throws
  /// Error(usage) for a masked LM, which answers no task, and what reading throws.
  FineTuned(const std::string& folder, std::string option, const DataRequest& data,
            std::uint32_t max_length);
  FineTuned(const FineTuned&) = delete;  // parts refer to each other
  FineTuned& operator=(const FineTuned&) = delete;

  [[nodiscard]] const checkpoint::Checkpoint& checkpoint() const { return checkpoint_; }
  [[nodiscard]] const objective::TaskKind& kind() const { return kind_; }
  [[nodiscard]] model::Bert& bert() { return bert_; }
  [[nodiscard]] const model::Bert& bert() const { return bert_; }
  [[nodiscard]] const text::TokenizerSpec& tokenizer_spec() const { return spec_; }
  [[nodiscard]] const checkpoint::EmbeddingOptions& embedding() const { return embedding_; }
  [[nodiscard]] objective::Tokenizing tokenizing() const {
    return {*tokenizer_, embedding_.max_length};
  }
  [[nodiscard]] bool needs_labels() const { return kind_.name != "embed"; }

  /// Without training rows there is no task.
  [[nodiscard]] const objective::Task* task() const { return task_.get(); }
  [[nodiscard]] const objective::TaskObjective* training() const {
    return training_ ? &*training_ : nullptr;
  }
  [[nodiscard]] const objective::Examples& held_out() const { return held_out_; }
  [[nodiscard]] const objective::Judge* judge() const { return judge_ ? &*judge_ : nullptr; }

  /// Weights, tokenizer and data, for a resumed run to agree with.
  void add_settings(train::Settings& settings) const;

  /// What a model made of this one is written with.
  [[nodiscard]] Artefacts artefacts() const;

 private:
  void read_data(const DataRequest& data);

  std::string option_;
  DataRequest data_;
  checkpoint::Checkpoint checkpoint_;
  const objective::TaskKind& kind_;
  model::Bert bert_;
  text::TokenizerSpec spec_;
  checkpoint::EmbeddingOptions embedding_;
  std::optional<text::Tokenizer> tokenizer_;
  std::unique_ptr<objective::Task> task_;
  objective::Examples labelled_;
  objective::Examples held_out_;
  std::optional<objective::TaskObjective> training_;
  std::optional<objective::TaskJudge> judge_;
};

}  // namespace espalier::tools
