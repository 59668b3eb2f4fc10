// espalier finetune: a checkpoint learns a task from labelled rows.
#include <charconv>
#include <filesystem>
#include <memory>
#include <optional>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/objective/task.hpp"
#include "espalier/error.hpp"
#include "finetune_request.hpp"
#include "json_text.hpp"
#include "output.hpp"
#include "report.hpp"
#include "task_data.hpp"
#include "text/utf8.hpp"
#include "train_commands.hpp"
#include "training_run.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
using objective::TaskKind;

// The labels of the head that is trained: the checkpoint's, the user's, or the data's.
std::vector<std::string> labels_of(const FinetuneOptions& options, const TaskKind& kind,
                                   const objective::LabelledRows& rows,
                                   const checkpoint::BertConfig& config, bool keeps_head) {
  if (!kind.has_labels) {
    if (!options.labels.empty()) {
      throw Error(ErrorCode::usage, "--task " + options.task + " has no labels");
    }
    if (keeps_head) return config.labels;
    return kind.architecture == checkpoint::Architecture::model
               ? std::vector<std::string>{}
               : std::vector<std::string>{"LABEL_0"};
  }
  if (keeps_head) return config.labels;
  if (!text::is_valid_utf8(options.labels)) throw Error(ErrorCode::usage, "--labels is not UTF-8");
  std::vector<std::string> labels;
  if (options.labels.empty()) {
    labels = kind.find_labels(rows);
  } else {
    for (const std::string_view label : split(options.labels, ',')) labels.emplace_back(label);
  }
  if (labels.size() < 2 && kind.problem_type != checkpoint::ProblemType::multi_label) {
    throw Error(ErrorCode::bad_input, "'" + rows.file + "' has one label only, '" + labels.at(0) +
                                          "'; there is nothing to tell apart");
  }
  return labels;
}

std::vector<float> class_weights(const FinetuneOptions& options, const TaskKind& kind,
                                 const objective::Examples& examples, std::size_t n_labels) {
  if (options.class_weights.empty()) return {};
  if (!kind.has_labels) {
    throw Error(ErrorCode::usage, "--class-weights: --task " + options.task + " has no classes");
  }
  if (options.class_weights == "balanced") {
    if (kind.problem_type == checkpoint::ProblemType::multi_label) {
      throw Error(ErrorCode::usage,
                  "--class-weights balanced is for one label a row; give numbers");
    }
    return objective::balanced_weights(examples, n_labels);
  }
  std::vector<float> weights;
  for (const std::string_view part : split(options.class_weights, ',')) {
    double weight = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), weight);
    if (error != std::errc() || end != part.data() + part.size() || !(weight >= 0) ||
        weight > 1e6) {
      throw Error(ErrorCode::usage,
                  "--class-weights takes 'balanced' or numbers of at least 0, "
                  "not '" +
                      one_line(part, 80) + "'");
    }
    weights.push_back(static_cast<float>(weight));
  }
  if (weights.size() != n_labels) {
    throw Error(ErrorCode::usage, "--class-weights has " + std::to_string(weights.size()) +
                                      " numbers, there are " + std::to_string(n_labels) +
                                      " labels");
  }
  return weights;
}

// What a label that is not the model's means depends on where the labels came from.
objective::Examples read_examples(const objective::Task& task, const objective::LabelledRows& rows,
                                  const objective::Tokenizing& with, bool keeps_head) {
  try {
    return task.read(rows, with);
  } catch (const Error& error) {
    if (!keeps_head || error.code() != ErrorCode::bad_input) throw;
    throw Error(error.code(), std::string(error.what()) +
                                  "; these are the checkpoint's labels: --new-head learns those "
                                  "of the data instead");
  }
}

std::string joined(const std::vector<std::string>& labels) {
  std::string text;
  for (const std::string& label : labels) text += (text.empty() ? "" : ", ") + label;
  return one_line(text, 100);
}

// Everything that is read and checked before the first step.
class Finetuning {
 public:
  explicit Finetuning(const FinetuneOptions& options)
      : options_(options),
        kind_(objective::task_kind(options.task)),
        start_(checkpoint::Checkpoint::open(options.folder)),
        embedding_(embedding_options()),
        tokenizer_(tokenizer_of(start_)) {
    for (const std::string& line : start_.notes()) note("note: " + line);
    const objective::LabelledRows rows = rows_of(options.data.train);
    keeps_head_ = !options.new_head && options.labels.empty() &&
                  objective::has_head_for(start_.config(), kind_);
    labels_ = labels_of(options, kind_, rows, start_.config(), keeps_head_);
    read_data(rows);
    make_model();
  }

  model::Bert& bert() { return bert_; }
  [[nodiscard]] const objective::Objective& objective() const { return *objective_; }
  [[nodiscard]] const objective::Judge* judge() const { return judge_ ? &*judge_ : nullptr; }

  [[nodiscard]] Identity identity() const {
    Identity identity = identity_of("espalier finetune", options_);
    add_hashes(identity.settings, "weights", start_.weight_paths());
    identity.settings.emplace_back("tokenizer", tokenizer_hash(start_.model_folder()));
    add_hashes(identity.settings, "--train", {options_.data.train});
    if (judge_) add_hashes(identity.settings, "--eval", {options_.data.eval});
    return identity;
  }

  [[nodiscard]] Artefacts artefacts() const {
    Artefacts artefacts{.tokenizer_folder = start_.model_folder()};
    if (options_.task == "embed") artefacts.embedding = embedding_;
    return artefacts;
  }

  [[nodiscard]] Json facts() const {
    Json facts = {{"stage", "finetune"}, {"task", options_.task}, {"labels", labels_}};
    facts["start"] = base_name(options_.folder);
    facts["train"] = input_facts(options_.data.train);
    if (judge_) facts["eval"] = input_facts(options_.data.eval);
    facts["options"] = option_facts(options_);
    return facts;
  }

 private:
  [[nodiscard]] objective::LabelledRows rows_of(const std::string& file) const {
    return read_rows(options_.data, kind_, file, /*need_label=*/options_.task != "embed");
  }

  [[nodiscard]] checkpoint::EmbeddingOptions embedding_options() const {
    checkpoint::EmbeddingOptions embedding =
        start_.embedding().value_or(checkpoint::EmbeddingOptions{.normalize = true});
    embedding.max_length = std::min(options_.training.max_length, start_.config().positions);
    return embedding;
  }

  void read_data(const objective::LabelledRows& rows) {
    const objective::Tokenizing with{tokenizer_, embedding_.max_length};
    objective::TaskOptions options{
        .labels = labels_, .embedding = embedding_, .scored = !rows.rows.front().label.empty()};
    // The weights may depend on the examples, which do not depend on them.
    examples_ = read_examples(*kind_.make(options), rows, with, keeps_head_);
    options.class_weights = class_weights(options_, kind_, examples_, labels_.size());
    task_ = kind_.make(options);
    objective_.emplace(*task_, examples_, start_.config().pad_id);
    if (!options_.data.eval.empty()) {
      held_out_ = read_examples(*task_, rows_of(options_.data.eval), with, keeps_head_);
      judge_.emplace(*task_, held_out_);
    }
    if (examples_.n_truncated > 0) {
      note("note: " + std::to_string(examples_.n_truncated) + " of " +
           std::to_string(examples_.tokens.n_sentences()) +
           " training texts are longer than --max-length and cut");
    }
  }

  void make_model() {
    bert_ = model::load_bert(start_);
    if (!keeps_head_) {
      if (bert_.classifier) note("note: a new head replaces the one that the checkpoint brings");
      model::replace_head(bert_, kind_.architecture, kind_.problem_type, labels_,
                          options_.training.seed);
    }
    note("fine-tuning " + base_name(options_.folder) + " (" +
         std::to_string(model::parameter_count(bert_)) + " parameters) on " +
         std::to_string(examples_.size()) + " examples" +
         (labels_.size() > 1 ? ", labels " + joined(labels_) : ""));
  }

  const FinetuneOptions& options_;
  const TaskKind& kind_;
  checkpoint::Checkpoint start_;
  checkpoint::EmbeddingOptions embedding_;
  text::Tokenizer tokenizer_;
  bool keeps_head_ = false;
  std::vector<std::string> labels_;
  std::unique_ptr<objective::Task> task_;
  objective::Examples examples_;
  objective::Examples held_out_;
  std::optional<objective::TaskObjective> objective_;
  std::optional<objective::TaskJudge> judge_;
  model::Bert bert_;
};

void run(const FinetuneOptions& options) {
  TrainingRun run(options.training, {options.folder});
  Finetuning job(options);
  run.train(job.bert(), job.objective(), job.judge(), job.identity());
  run.finish(job.bert(), job.artefacts(), job.facts());
}

}  // namespace

Command finetune_command() {
  return make_command<FinetuneOptions>(
      {.name = "finetune",
       .summary = "teach a BERT checkpoint a task from labelled rows (TSV, CSV, JSONL, CoNLL)",
       .examples =
           "espalier finetune ./minilm --task classify --train train.tsv --eval dev.tsv -o out\n"
           "espalier finetune ./bert --task tag --train eng.train --eval eng.testa -o ner\n"
           "espalier finetune ./bert --task regress --train sts.tsv --text-column a "
           "--pair-column b -o sts",
       .details =
           "OUT becomes a checkpoint folder for quantize, distill and finetune, with "
           "training.json\n"
           "(scores, seconds, joules) and training/ (log.jsonl, loss.svg). Ctrl-C saves and says\n"
           "how to go on; a resumed run ends with the same bits. Labels come from the "
           "checkpoint's\n"
           "head where it fits the task, else from the data; tags are learnt as IOB2. embed reads\n"
           "pairs: with a score they are ranked by it, without one they are alike and the others\n"
           "of the batch are not."},
      run);
}

}  // namespace espalier::tools
