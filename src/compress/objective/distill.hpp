// Distillation: a student learns from examples' labels and from what its teacher makes of the same
// texts, labelled or not. A preset is a row of weights; the comparisons are in distill_terms.hpp.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compress/objective/task.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::objective {

/// How much each part of the loss counts; 0: it is not computed.
struct DistillWeights {
  double task = 0;       // the task's own loss, on examples with labels
  double logits = 0;     // the head's answers, at a temperature
  double patient = 0;    // directions of hidden states of the layers below the last
  double hidden = 0;     // hidden states of the embeddings and all layers
  double attention = 0;  // attention before its softmax, of all layers
  double relations = 0;  // queries, keys and values of the last layer, each among themselves
};

struct DistillPreset {
  std::string_view name;
  DistillWeights weights;
};

/// `logits` (Hinton et al. 2015), `patient` (Sun et al. 2019), `tinybert` (Jiao et al. 2020, whose
/// two phases are one here), `minilm` (Wang et al. 2021) and `hidden`, hidden states of all layers
/// for students that have the teacher's width. All of them also listen to the teacher's answers,
/// nine parts to one of the labels.
[[nodiscard]] std::span<const DistillPreset> distill_presets();

/// Throws Error(usage), listing the names, when there is no such preset.
[[nodiscard]] const DistillPreset& distill_preset(std::string_view name);

struct DistillOptions {
  DistillWeights weights = distill_preset("logits").weights;
  double temperature = 2;
  /// For each of the student's layers the one of the teacher, from 0, that it is compared with, not
  /// falling; empty: evenly spread, last with last, as model::choose_layers() has it.
  std::vector<std::size_t> layer_map = {};
  /// Where answers are kept for the next run with the same teacher; empty: nowhere. Used when
  /// nothing inside the teacher is looked at.
  std::filesystem::path cache_folder = {};
  /// What the answers depend on besides teacher and tokens: the task's name, of embed its pooling.
  std::string cache_name = {};
  std::uint64_t seed = 1;       // of the first values of parameters()
  OnProgress on_progress = {};  // of asking the teacher before the first step
};

/// Throws Error(usage) for a weight that is negative or not finite, for weights that ask nothing of
/// the teacher, and for a temperature that is not in [0.1, 100].
void validate(const DistillOptions& options);

/// Throws Error(bad_input), naming the first piece or the setting that differs, unless both cut
/// texts into the same token ids.
void check_same_tokens(const text::TokenizerSpec& teacher, const text::TokenizerSpec& student);

/// One part of a loss, before it is weighted.
struct DistillTerm {
  std::string_view name;  // as in DistillWeights
  double weight = 0;
  at::Tensor value;  // a scalar
};

/// Labelled examples first, then unlabelled ones. Runs the teacher on every batch where something
/// inside it is compared, without gradients and in fp32; else its answers are computed once, in the
/// constructor. What it is made from must outlive it. One thread at a time.
class DistillObjective final : public Objective {
 public:
  /// `labelled`: examples of any task. `unlabelled`: one sentence an example (a pair of texts that
  /// are read together is one), no targets; null: none. `teacher` is trained for the same task and
  /// on the device where the student will be.
  /// Throws Error(bad_input) where teacher and student cannot answer the same question (vocabulary,
  /// head, labels) or a sentence is longer than the teacher takes, and what validate() and
  /// teacher_answers() throw; Error(usage) where the shapes of the two rule a comparison out.
  DistillObjective(const TaskObjective& labelled, const Examples* unlabelled,
                   const model::Bert& teacher, const checkpoint::BertConfig& student,
                   DistillOptions options);

  [[nodiscard]] std::size_t size() const override;
  [[nodiscard]] std::uint32_t length(std::size_t example) const override;
  /// Sentences of labelled examples come first in `tokens`, and `targets` are theirs alone.
  [[nodiscard]] Batch batch(std::span<const std::size_t> examples,
                            std::uint64_t draw) const override;
  /// The mean over the batch's examples: the task's own loss counts by their share of labels.
  [[nodiscard]] at::Tensor loss(const model::Bert& bert, const Batch& batch,
                                const model::Dropout& dropout) const override;
  /// Projections (teacher's width, student's width) for hidden states of different widths.
  [[nodiscard]] std::vector<NamedTensor> parameters() const override { return projections_; }
  [[nodiscard]] std::string place(std::size_t example) const override;

  /// What loss() adds up. The task's term is absent from a batch without labels.
  [[nodiscard]] std::vector<DistillTerm> terms(const model::Bert& bert, const Batch& batch,
                                               const model::Dropout& dropout) const;

  /// Whether the teacher's answers were found in the cache.
  [[nodiscard]] bool answers_from_cache() const noexcept { return answers_from_cache_; }

 private:
  struct Seen;  // what the losses are made from, of one of the two models

  void check_models(const checkpoint::BertConfig& student) const;
  void check_comparisons(const checkpoint::BertConfig& student) const;
  void add_projection(const char* name, const checkpoint::BertConfig& student);
  [[nodiscard]] bool is_labelled(std::size_t example) const noexcept;
  [[nodiscard]] bool looks_inside() const noexcept;
  [[nodiscard]] std::vector<std::size_t> sentences_of(std::span<const std::size_t> examples) const;
  [[nodiscard]] Seen look(const model::Bert& bert, const model::TokenTensors& tokens,
                          const model::Dropout& dropout) const;
  [[nodiscard]] Seen look_at_teacher(const Batch& batch) const;
  [[nodiscard]] at::Tensor projected(const at::Tensor& student, std::string_view name) const;
  [[nodiscard]] at::Tensor task_term(const Seen& student, const Batch& batch) const;
  [[nodiscard]] at::Tensor logits_term(const Seen& student, const Seen& teacher,
                                       const at::Tensor& mask) const;
  [[nodiscard]] at::Tensor patient_sum(const Seen& student, const Seen& teacher,
                                       const at::Tensor& mask) const;
  [[nodiscard]] at::Tensor hidden_sum(const Seen& student, const Seen& teacher,
                                      const at::Tensor& mask) const;
  [[nodiscard]] at::Tensor attention_sum(const Seen& student, const Seen& teacher,
                                         const at::Tensor& mask) const;
  [[nodiscard]] at::Tensor relation_sum(const Seen& student, const Seen& teacher,
                                        const at::Tensor& mask) const;

  const TaskObjective& labelled_;
  const Examples* unlabelled_;
  const model::Bert& teacher_;
  DistillOptions options_;
  Examples all_;        // tokens of both, labelled sentences first
  at::Tensor answers_;  // the teacher's to all_, unless it is run on every batch
  bool answers_from_cache_ = false;
  std::vector<NamedTensor> projections_;
};

}  // namespace espalier::objective
