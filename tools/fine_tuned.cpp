#include "fine_tuned.hpp"

#include <algorithm>
#include <utility>

#include "compress/model/checkpoint_io.hpp"
#include "espalier/error.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

// The task that a model was trained for.
const objective::TaskKind& kind_of(const std::string& folder,
                                   const checkpoint::BertConfig& config) {
  for (const objective::TaskKind& kind : objective::task_kinds()) {
    if (objective::has_head_for(config, kind)) return kind;
  }
  throw Error(ErrorCode::usage,
              "'" + base_name(folder) + "' is a masked LM and answers no task; fine-tune it first");
}

}  // namespace

FineTuned::FineTuned(const std::string& folder, std::string option, const DataRequest& data,
                     std::uint32_t max_length)
    : option_(std::move(option)),
      data_(data),
      checkpoint_(checkpoint::Checkpoint::open(folder)),
      kind_(kind_of(folder, checkpoint_.config())),
      bert_(model::load_bert(checkpoint_)),
      spec_(tokenizer_of(checkpoint_)),
      embedding_(
          checkpoint_.embedding().value_or(checkpoint::EmbeddingOptions{.normalize = true})) {
  embedding_.max_length = std::min(max_length, bert_.config.positions);
  tokenizer_.emplace(spec_);
  if (!data.train.empty()) read_data(data);
}

void FineTuned::read_data(const DataRequest& data) {
  const objective::LabelledRows rows = read_rows(data, kind_, data.train, needs_labels());
  task_ = kind_.make({.labels = bert_.config.labels,
                      .embedding = embedding_,
                      .scored = !rows.rows.front().label.empty()});
  labelled_ = task_->read(rows, tokenizing());
  training_.emplace(*task_, labelled_, bert_.config.pad_id);
  if (data.eval.empty()) return;
  held_out_ = task_->read(read_rows(data, kind_, data.eval, needs_labels()), tokenizing());
  judge_.emplace(*task_, held_out_);
}

void FineTuned::add_settings(train::Settings& settings) const {
  add_hashes(settings, option_, checkpoint_.weight_paths());
  settings.emplace_back("tokenizer", tokenizer_hash(checkpoint_.model_folder()));
  if (!data_.train.empty()) add_hashes(settings, "--train", {data_.train});
  if (judge_) add_hashes(settings, "--eval", {data_.eval});
}

Artefacts FineTuned::artefacts() const {
  Artefacts artefacts{.tokenizer_folder = checkpoint_.model_folder()};
  if (kind_.name == "embed") artefacts.embedding = embedding_;
  return artefacts;
}

}  // namespace espalier::tools
