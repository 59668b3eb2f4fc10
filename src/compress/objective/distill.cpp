#include "compress/objective/distill.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/normal.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "compress/model/student.hpp"
#include "compress/objective/distill_terms.hpp"
#include "compress/objective/padding.hpp"
#include "compress/objective/teacher_answers.hpp"

namespace espalier::objective {
namespace {

constexpr const char* kEmbeddingProjection = "distill.embeddings.weight";
constexpr const char* kLayerProjection = "distill.layers.weight";

using checkpoint::Architecture;
using checkpoint::ProblemType;

void append(TokenBatch& tokens, const TokenBatch& more) {
  if (tokens.offsets.empty()) tokens.offsets.push_back(0);
  const std::uint32_t begin = tokens.offsets.back();
  tokens.ids.insert(tokens.ids.end(), more.ids.begin(), more.ids.end());
  tokens.segments.insert(tokens.segments.end(), more.segments.begin(), more.segments.end());
  for (std::size_t sentence = 0; sentence < more.n_sentences(); ++sentence) {
    tokens.offsets.push_back(begin + more.offsets[sentence + 1]);
  }
}

// Rows of the teacher's answers: of a sentence, or of all its tokens.
at::Tensor answer_rows(const TokenBatch& tokens, std::span<const std::size_t> sentences,
                       bool by_token) {
  std::vector<std::int64_t> rows;
  for (const std::size_t sentence : sentences) {
    const std::int64_t first =
        by_token ? tokens.offsets[sentence] : static_cast<std::int64_t>(sentence);
    const std::int64_t last = by_token ? tokens.offsets[sentence + 1] : first + 1;
    for (std::int64_t row = first; row < last; ++row) rows.push_back(row);
  }
  at::Tensor indices = at::empty({static_cast<std::int64_t>(rows.size())}, at::kLong);
  std::copy(rows.begin(), rows.end(), indices.data_ptr<std::int64_t>());
  return indices;
}

}  // namespace

struct DistillObjective::Seen {
  // (sentences, labels) or (sentences, width); of a token classifier (sentences, tokens, labels),
  // but the teacher's from the cache (tokens without padding, labels)
  at::Tensor answers;
  model::Trace trace;
};

DistillObjective::DistillObjective(const TaskObjective& labelled, const Examples* unlabelled,
                                   const model::Bert& teacher,
                                   const checkpoint::BertConfig& student, DistillOptions options)
    : labelled_(labelled),
      unlabelled_(unlabelled),
      teacher_(teacher),
      options_(std::move(options)) {
  validate(options_);
  all_.file = labelled.data().file;
  all_.tokens = {};
  append(all_.tokens, labelled.data().tokens);
  if (unlabelled_ != nullptr) append(all_.tokens, unlabelled_->tokens);
  check_models(student);
  if (options_.layer_map.empty()) {
    options_.layer_map =
        model::choose_layers(teacher.config.n_layers, student.n_layers, model::LayerChoice::spread);
  }
  check_comparisons(student);
  if (student.hidden != teacher.config.hidden) {
    if (options_.weights.hidden > 0) add_projection(kEmbeddingProjection, student);
    if (options_.weights.hidden > 0 || options_.weights.patient > 0) {
      add_projection(kLayerProjection, student);
    }
  }
  if (looks_inside()) return;
  TeacherAnswers answers = teacher_answers(labelled.task(), options_.cache_name, teacher, all_,
                                           options_.cache_folder, options_.on_progress);
  answers_ = std::move(answers.values);
  answers_from_cache_ = answers.from_cache;
}

// Keeps the size of what it projects.
void DistillObjective::add_projection(const char* name, const checkpoint::BertConfig& student) {
  const double deviation = 1.0 / std::sqrt(static_cast<double>(student.hidden));
  const at::Generator generator =
      at::detail::createCPUGenerator(options_.seed + projections_.size());
  projections_.push_back(
      {name, at::normal(0.0, deviation, {teacher_.config.hidden, student.hidden}, generator)
                 .to(device_of(teacher_))});
}

bool DistillObjective::looks_inside() const noexcept {
  const DistillWeights& weights = options_.weights;
  return weights.patient > 0 || weights.hidden > 0 || weights.attention > 0 ||
         weights.relations > 0;
}

bool DistillObjective::is_labelled(std::size_t example) const noexcept {
  return example < labelled_.size();
}

std::size_t DistillObjective::size() const {
  return labelled_.size() + (unlabelled_ != nullptr ? unlabelled_->size() : 0);
}

std::uint32_t DistillObjective::length(std::size_t example) const {
  return is_labelled(example) ? labelled_.length(example)
                              : unlabelled_->length(example - labelled_.size());
}

std::string DistillObjective::place(std::size_t example) const {
  return is_labelled(example) ? labelled_.place(example)
                              : unlabelled_->place(example - labelled_.size());
}

std::vector<std::size_t> DistillObjective::sentences_of(
    std::span<const std::size_t> examples) const {
  const std::size_t texts_each = labelled_.data().texts_each;
  std::vector<std::size_t> sentences;
  // As the task lays out its own batches, then the rest.
  for (std::size_t text = 0; text < texts_each; ++text) {
    for (const std::size_t example : examples) {
      if (is_labelled(example)) sentences.push_back(example * texts_each + text);
    }
  }
  for (const std::size_t example : examples) {
    if (is_labelled(example)) continue;
    sentences.push_back(labelled_.size() * texts_each + example - labelled_.size());
  }
  return sentences;
}

Batch DistillObjective::batch(std::span<const std::size_t> examples, std::uint64_t) const {
  std::vector<std::size_t> with_labels;
  std::copy_if(examples.begin(), examples.end(), std::back_inserter(with_labels),
               [this](std::size_t example) { return is_labelled(example); });
  return {.examples = {examples.begin(), examples.end()},
          .tokens = pad(all_.tokens, sentences_of(examples), teacher_.config.pad_id),
          .targets = labelled_.task().targets(labelled_.data(), with_labels)};
}

DistillObjective::Seen DistillObjective::look(const model::Bert& bert,
                                              const model::TokenTensors& tokens,
                                              const model::Dropout& dropout) const {
  const DistillWeights& weights = options_.weights;
  Seen seen;
  seen.trace.keep_hidden = weights.hidden > 0 || weights.patient > 0;
  seen.trace.keep_attention = weights.attention > 0;
  seen.trace.keep_last_projections = weights.relations > 0;
  const at::Tensor x = model::encode(bert, tokens, dropout, &seen.trace);
  seen.answers = labelled_.task().answers(bert, x, tokens, dropout).to(at::kFloat);
  for (std::vector<at::Tensor>* kept :
       {&seen.trace.hidden, &seen.trace.attention, &seen.trace.projections}) {
    for (at::Tensor& tensor : *kept) tensor = tensor.to(at::kFloat);
  }
  return seen;
}

DistillObjective::Seen DistillObjective::look_at_teacher(const Batch& batch) const {
  const at::NoGradGuard no_grad;
  if (looks_inside()) return look(teacher_, batch.tokens, {});
  const bool by_token = teacher_.config.architecture == Architecture::token_classification;
  const at::Tensor rows = answer_rows(all_.tokens, sentences_of(batch.examples), by_token);
  Seen seen;
  seen.answers = answers_.index_select(0, rows).to(batch.tokens.ids.device());
  return seen;
}

std::vector<DistillTerm> DistillObjective::terms(const model::Bert& bert, const Batch& batch,
                                                 const model::Dropout& dropout) const {
  const Seen student = look(bert, batch.tokens, dropout);
  // The teacher and all comparisons are fp32 even where the student's products are not.
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const Seen teacher = look_at_teacher(batch);
  const at::Tensor& mask = batch.tokens.mask;
  const DistillWeights& weights = options_.weights;
  std::vector<DistillTerm> terms;
  const auto add = [&](std::string_view name, double weight, auto&& value) {
    if (weight > 0) terms.push_back({name, weight, value()});
  };
  if (batch.targets.size(0) > 0) {
    add("task", weights.task, [&] { return task_term(student, batch); });
  }
  add("logits", weights.logits, [&] { return logits_term(student, teacher, mask); });
  add("patient", weights.patient, [&] { return patient_sum(student, teacher, mask); });
  add("hidden", weights.hidden, [&] { return hidden_sum(student, teacher, mask); });
  add("attention", weights.attention, [&] { return attention_sum(student, teacher, mask); });
  add("relations", weights.relations, [&] { return relation_sum(student, teacher, mask); });
  return terms;
}

at::Tensor DistillObjective::loss(const model::Bert& bert, const Batch& batch,
                                  const model::Dropout& dropout) const {
  at::Tensor sum;
  for (const DistillTerm& term : terms(bert, batch, dropout)) {
    const at::Tensor weighted = term.weight * term.value;
    sum = sum.defined() ? sum + weighted : weighted;
  }
  return sum;
}

at::Tensor DistillObjective::task_term(const Seen& student, const Batch& batch) const {
  const auto n_labelled =
      std::count_if(batch.examples.begin(), batch.examples.end(),
                    [this](std::size_t example) { return is_labelled(example); });
  at::Tensor answers = student.answers.slice(0, 0, n_labelled * labelled_.data().texts_each);
  // Sentences without labels may be longer than the longest with them.
  if (answers.dim() == 3) answers = answers.slice(1, 0, batch.targets.size(1));
  const double share = static_cast<double>(n_labelled) / static_cast<double>(batch.examples.size());
  return share * labelled_.task().loss(answers, batch.targets);
}

at::Tensor DistillObjective::logits_term(const Seen& student, const Seen& teacher,
                                         const at::Tensor& mask) const {
  const double temperature = options_.temperature;
  switch (teacher_.config.architecture) {
    case Architecture::token_classification: {
      // All tokens, not only the first of each word: text without tags has no words to go by.
      const at::Tensor wanted =
          teacher.answers.dim() == 3 ? real_rows(teacher.answers, mask) : teacher.answers;
      return class_term(real_rows(student.answers, mask), wanted, temperature);
    }
    case Architecture::model:
    case Architecture::masked_lm:
      return vector_term(student.answers, teacher.answers);
    case Architecture::sequence_classification:
      break;
  }
  switch (teacher_.config.problem_type) {
    case ProblemType::multi_label:
      return label_term(student.answers, teacher.answers, temperature);
    case ProblemType::regression:
      return square_term(student.answers, teacher.answers);
    case ProblemType::single_label:
      break;
  }
  return class_term(student.answers, teacher.answers, temperature);
}

at::Tensor DistillObjective::projected(const at::Tensor& student, std::string_view name) const {
  for (const NamedTensor& projection : projections_) {
    if (projection.name == name) return at::linear(student, projection.value);
  }
  return student;
}

// The last layer is left out, as in the source: the answers say what it should be.
at::Tensor DistillObjective::patient_sum(const Seen& student, const Seen& teacher,
                                         const at::Tensor& mask) const {
  const bool first_token = teacher_.config.architecture == Architecture::sequence_classification;
  const auto rows = [&](const at::Tensor& x) {
    return first_token ? x.select(1, 0) : real_rows(x, mask);
  };
  const std::size_t n_layers = options_.layer_map.size() - 1;
  at::Tensor sum;
  for (std::size_t layer = 0; layer < n_layers; ++layer) {
    const at::Tensor term =
        patient_term(projected(rows(student.trace.hidden[layer + 1]), kLayerProjection),
                     rows(teacher.trace.hidden[options_.layer_map[layer] + 1]));
    sum = sum.defined() ? sum + term : term;
  }
  return sum / static_cast<double>(n_layers);
}

at::Tensor DistillObjective::hidden_sum(const Seen& student, const Seen& teacher,
                                        const at::Tensor& mask) const {
  at::Tensor sum =
      square_term(projected(real_rows(student.trace.hidden[0], mask), kEmbeddingProjection),
                  real_rows(teacher.trace.hidden[0], mask));
  for (std::size_t layer = 0; layer < options_.layer_map.size(); ++layer) {
    sum = sum +
          square_term(projected(real_rows(student.trace.hidden[layer + 1], mask), kLayerProjection),
                      real_rows(teacher.trace.hidden[options_.layer_map[layer] + 1], mask));
  }
  return sum;
}

at::Tensor DistillObjective::attention_sum(const Seen& student, const Seen& teacher,
                                           const at::Tensor& mask) const {
  at::Tensor sum;
  for (std::size_t layer = 0; layer < options_.layer_map.size(); ++layer) {
    const at::Tensor term = attention_term(
        student.trace.attention[layer], teacher.trace.attention[options_.layer_map[layer]], mask);
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

at::Tensor DistillObjective::relation_sum(const Seen& student, const Seen& teacher,
                                          const at::Tensor& mask) const {
  at::Tensor sum;
  for (std::size_t index = 0; index < student.trace.projections.size(); ++index) {
    const at::Tensor& own = student.trace.projections[index];
    const at::Tensor& wanted = teacher.trace.projections[index];
    const at::Tensor term =
        relation_term(own, wanted, mask, relation_heads(own.size(-1), wanted.size(-1)));
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

}  // namespace espalier::objective
