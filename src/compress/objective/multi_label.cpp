// Any number of labels for a text: a sigmoid each, binary cross entropy, micro F1.
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/zeros.h>

#include <set>

#include "compress/objective/sentences.hpp"
#include "data/labels.hpp"
#include "measure/classification.hpp"

namespace espalier::objective {
namespace {

class MultiLabel final : public Task {
 public:
  explicit MultiLabel(const TaskOptions& options) : labels_(options.labels) {
    if (!options.class_weights.empty()) weights_ = tensor_of(options.class_weights);
  }

  Examples read(const LabelledRows& rows, const Tokenizing& with) const override {
    Examples examples = read_sentences(rows, with);
    std::vector<float> targets(rows.rows.size() * labels_.size());
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      for (const std::size_t label : labels_.indexes(rows.rows[row].label, rows.place(row))) {
        targets[row * labels_.size() + label] = 1;
      }
    }
    examples.targets = tensor_of(targets).view({-1, static_cast<std::int64_t>(labels_.size())});
    return examples;
  }

  at::Tensor loss(const at::Tensor& answers, const at::Tensor& targets) const override {
    const at::Tensor weights = weights_.defined() ? weights_.to(answers.device()) : weights_;
    return at::binary_cross_entropy_with_logits(answers, targets, weights);
  }

  Scores judge(const model::Bert& bert, const Examples& data) const override {
    const at::Tensor chosen = (answer_all(*this, bert, data) > 0).to(at::kByte).contiguous();
    const at::Tensor wanted = data.targets.to(at::kByte).contiguous();
    const auto n_cells = static_cast<std::size_t>(chosen.numel());
    const measure::MultiLabelScores scores = measure::multi_label_scores(
        {chosen.const_data_ptr<std::uint8_t>(), n_cells},
        {wanted.const_data_ptr<std::uint8_t>(), n_cells}, labels_.size());
    return {{"micro_f1", scores.micro_f1}, {"exact_match", scores.exact_match}};
  }

 private:
  data::LabelMap labels_;
  at::Tensor weights_;  // (labels), or undefined
};

}  // namespace

std::unique_ptr<Task> make_multi_label(const TaskOptions& options) {
  return std::make_unique<MultiLabel>(options);
}

std::vector<std::string> listed_labels_in(const LabelledRows& rows) {
  std::set<std::string> names;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const data::Place place = rows.place(row);
    data::for_each_listed_label(rows.rows[row].label, place, [&](std::string_view label) {
      if (label.empty()) data::fail_at(place, "a label of the list is empty");
      names.emplace(label);
    });
  }
  return {names.begin(), names.end()};
}

}  // namespace espalier::objective
