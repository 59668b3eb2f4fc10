// The tasks that a model is fine-tuned for: how labelled rows become examples, what the model
// answers to them, the loss on its answers and the scores of a whole data set. One file a task, one
// row in tasks.cpp.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compress/checkpoint/sentence_transformers.hpp"
#include "compress/objective/labelled_rows.hpp"
#include "compress/objective/objective.hpp"
#include "text/tokenizer.hpp"

namespace espalier::objective {

/// Labelled rows as token ids and numbers.
struct Examples {
  std::string file;                // for messages, without folders
  TokenBatch tokens;               // (sentences); without spans
  std::uint32_t texts_each = 1;    // sentences an example: 2 for pairs that are embedded apart
  std::vector<std::size_t> lines;  // (examples), where each begins in the file
  std::vector<std::size_t> rows;   // (examples), its row: a long tagged sentence gives several
  at::Tensor targets;              // (examples, ...) or, of tags, (tokens): kIgnored where none
  bool is_scored = true;           // embed: whether its pairs have scores
  std::size_t n_truncated = 0;     // sentences that lost pieces at max_length

  [[nodiscard]] std::size_t size() const noexcept { return lines.size(); }
  [[nodiscard]] std::string place(std::size_t example) const;
  /// Tokens of the example's longest text.
  [[nodiscard]] std::uint32_t length(std::size_t example) const;
};

/// How rows are tokenised.
struct Tokenizing {
  const text::Tokenizer& tokenizer;
  std::uint32_t max_length = 128;  // tokens, [CLS] and [SEP] included
};

/// One kind of question. Immutable and thread-safe.
class Task {
 public:
  virtual ~Task() = default;

  /// Throws Error(bad_input), naming the line, for a label that the task does not have.
  [[nodiscard]] virtual Examples read(const LabelledRows& rows, const Tokenizing& with) const = 0;

  /// What encode()'s result `x` says: logits as head_logits() shapes them, or sentence vectors.
  [[nodiscard]] virtual at::Tensor answers(const model::Bert& bert, const at::Tensor& x,
                                           const model::TokenTensors& tokens,
                                           const model::Dropout& dropout) const;

  /// The targets of some examples of `data`, as loss() reads them.
  [[nodiscard]] virtual at::Tensor targets(const Examples& data,
                                           std::span<const std::size_t> examples) const;

  /// Mean over the batch, a scalar.
  [[nodiscard]] virtual at::Tensor loss(const at::Tensor& answers,
                                        const at::Tensor& targets) const = 0;

  /// Scores of all examples of `data`, asked of `bert`; gradients are off.
  [[nodiscard]] virtual Scores judge(const model::Bert& bert, const Examples& data) const = 0;
};

struct TaskOptions {
  std::vector<std::string> labels = {};   // of classify, multi_label and tag
  std::vector<float> class_weights = {};  // (labels) of the loss; empty: 1 each
  checkpoint::EmbeddingOptions embedding = {};
  bool scored = true;  // embed: learn from pairs' scores; else all other texts of a batch are wrong
};

/// A row of the table.
struct TaskKind {
  std::string_view name;  // as --task takes it
  checkpoint::Architecture architecture;
  checkpoint::ProblemType problem_type;
  bool has_labels;
  bool needs_pair;
  /// The labels in training data; null: the task has none.
  std::vector<std::string> (*find_labels)(const LabelledRows& rows);
  std::unique_ptr<Task> (*make)(const TaskOptions& options);
};

/// Whether a checkpoint's head answers the question of such a task.
[[nodiscard]] bool has_head_for(const checkpoint::BertConfig& config, const TaskKind& kind);

[[nodiscard]] std::span<const TaskKind> task_kinds();

/// Throws Error(usage), listing the names, when there is no such task.
[[nodiscard]] const TaskKind& task_kind(std::string_view name);

// One for each file.
[[nodiscard]] std::unique_ptr<Task> make_classify(const TaskOptions& options);
[[nodiscard]] std::unique_ptr<Task> make_multi_label(const TaskOptions& options);
[[nodiscard]] std::unique_ptr<Task> make_regress(const TaskOptions& options);
[[nodiscard]] std::unique_ptr<Task> make_tag(const TaskOptions& options);
[[nodiscard]] std::unique_ptr<Task> make_embed(const TaskOptions& options);
[[nodiscard]] std::vector<std::string> tags_in(const LabelledRows& rows);
[[nodiscard]] std::vector<std::string> listed_labels_in(const LabelledRows& rows);

/// "balanced" weights: examples / (labels * examples of the label). Throws Error(bad_input) when a
/// label has no example.
[[nodiscard]] std::vector<float> balanced_weights(const Examples& data, std::size_t n_labels);

/// A task's loss on its training examples, which outlive it.
class TaskObjective final : public Objective {
 public:
  TaskObjective(const Task& task, const Examples& data, std::uint32_t pad_id)
      : task_(task), data_(data), pad_id_(pad_id) {}

  [[nodiscard]] std::size_t size() const override { return data_.size(); }
  [[nodiscard]] std::uint32_t length(std::size_t example) const override {
    return data_.length(example);
  }
  [[nodiscard]] Batch batch(std::span<const std::size_t> examples,
                            std::uint64_t draw) const override;
  [[nodiscard]] at::Tensor loss(const model::Bert& bert, const Batch& batch,
                                const model::Dropout& dropout) const override;
  [[nodiscard]] std::string place(std::size_t example) const override {
    return data_.place(example);
  }

  [[nodiscard]] const Task& task() const noexcept { return task_; }
  [[nodiscard]] const Examples& data() const noexcept { return data_; }

 private:
  const Task& task_;
  const Examples& data_;
  std::uint32_t pad_id_;
};

/// A task's scores on held-out examples, which outlive it.
class TaskJudge final : public Judge {
 public:
  TaskJudge(const Task& task, const Examples& data) : task_(task), data_(data) {}
  [[nodiscard]] Scores judge(const model::Bert& bert) const override {
    return task_.judge(bert, data_);
  }

 private:
  const Task& task_;
  const Examples& data_;
};

/// Told of long work, in between: how much is done of how much. May throw to end it.
using OnProgress = std::function<void(std::size_t done, std::size_t total)>;

/// The task's answers to all sentences of `data`, (sentences, ...) on the CPU, or with `by_token`
/// (tokens, labels) without padding. No dropout. Progress counts tokens.
[[nodiscard]] at::Tensor answer_all(const Task& task, const model::Bert& bert, const Examples& data,
                                    bool by_token = false, const OnProgress& on_progress = {});

/// The device of a model's parameters.
[[nodiscard]] at::Device device_of(const model::Bert& bert);

/// A batch on another device.
[[nodiscard]] Batch to_device(Batch batch, at::Device device);
[[nodiscard]] model::TokenTensors to_device(model::TokenTensors tokens, at::Device device);

}  // namespace espalier::objective
