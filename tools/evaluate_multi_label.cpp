// Classification with any number of labels a row: a label is predicted when its sigmoid is at least
// one half. Micro-F1, and rows with every label right as accuracy.
#include <nlohmann/json.hpp>

#include "data/labels.hpp"
#include "evaluation.hpp"
#include "measure/metrics.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr float kThreshold = 0.5F;

class MultiLabelEvaluation final : public Evaluation {
 public:
  MultiLabelEvaluation(Contestants& contestants, const data::Reader& reader)
      : contestants_(contestants),
        reader_(reader),
        labels_(contestants.labels()),
        has_gold_(reader.columns().label.has_value()) {}

  void add(std::span<const data::Row> rows, std::string* predictions) override {
    std::vector<std::vector<std::size_t>> gold;
    for (const data::Row& row : rows) {
      if (!has_gold_) break;
      gold.push_back(labels_.indexes(row.label, reader_.place(row)));
      const std::size_t first = gold_.size();
      gold_.resize(first + labels_.size());
      for (const std::size_t label : gold.back()) gold_[first + label] = 1;
    }
    const std::vector<Text> texts = texts_of(rows);
    const std::vector<Classification> answers = contestants_.model.session.classify(texts);
    for (const Classification& answer : answers) n_truncated_ += answer.truncated ? 1 : 0;
    n_rows_ += rows.size();
    add_decisions(answers, predicted_);
    if (contestants_.other) {
      const std::vector<Classification> others = contestants_.other->session.classify(texts);
      add_decisions(others, other_predicted_);
      compare(answers, others);
    }
    for (std::size_t row = 0; predictions != nullptr && row < rows.size(); ++row) {
      Json line = {{"line", rows[row].line}};
      if (has_gold_) line["labels"] = names(gold[row]);
      line.update({{"predicted", names(decided(answers[row]))},
                   {"logits", shortest(answers[row].logits)},
                   {"truncated", answers[row].truncated}});
      append_line(*predictions, line);
    }
  }

  [[nodiscard]] Json result() const override {
    Json result = {{"n", n_rows_}};
    if (has_gold_) result.update(scores(predicted_));
    result["truncated"] = n_truncated_;
    if (contestants_.other) {
      result["flips"] = n_flips_;
      result["kl"] = distance_.mean_kl();
      result["max_abs_logit_diff"] = distance_.max_difference();
      result["compare"] = {{"model", contestants_.other->name}};
      if (has_gold_) result["compare"].update(scores(other_predicted_));
    }
    return result;
  }

 private:
  static std::vector<std::size_t> decided(const Classification& answer) {
    std::vector<std::size_t> labels;
    for (std::size_t label = 0; label < answer.scores.size(); ++label) {
      if (answer.scores[label] >= kThreshold) labels.push_back(label);
    }
    return labels;
  }

  void add_decisions(const std::vector<Classification>& answers,
                     std::vector<std::uint8_t>& decisions) const {
    for (const Classification& answer : answers) {
      for (const float score : answer.scores) decisions.push_back(score >= kThreshold ? 1 : 0);
    }
  }

  // A sigmoid of x is the softmax of (0, x): each cell is a distribution over yes and no.
  void compare(const std::vector<Classification>& answers,
               const std::vector<Classification>& others) {
    std::vector<float> candidate;
    std::vector<float> reference;
    for (std::size_t row = 0; row < answers.size(); ++row) {
      for (std::size_t label = 0; label < labels_.size(); ++label) {
        candidate.insert(candidate.end(), {0.0F, answers[row].logits[label]});
        reference.insert(reference.end(), {0.0F, others[row].logits[label]});
      }
      n_flips_ += decided(answers[row]) == decided(others[row]) ? 0 : 1;
    }
    distance_.add(reference, candidate, 2);
  }

  [[nodiscard]] Json scores(const std::vector<std::uint8_t>& predicted) const {
    const measure::MultiLabelScores scores =
        measure::multi_label_scores(predicted, gold_, labels_.size());
    return {{"accuracy", scores.exact_match}, {"f1", scores.micro_f1}};
  }

  [[nodiscard]] Json names(const std::vector<std::size_t>& labels) const {
    Json list = Json::array();
    for (const std::size_t label : labels) list.push_back(labels_.name(label));
    return list;
  }

  Contestants& contestants_;
  const data::Reader& reader_;
  data::LabelMap labels_;
  bool has_gold_;
  std::vector<std::uint8_t> gold_;       // (rows, labels), 0 or 1
  std::vector<std::uint8_t> predicted_;  // the same
  std::vector<std::uint8_t> other_predicted_;
  LogitDistance distance_;
  std::size_t n_flips_ = 0;  // rows with another set of labels
  std::size_t n_rows_ = 0;
  std::size_t n_truncated_ = 0;
};

}  // namespace

std::unique_ptr<Evaluation> evaluate_multi_label(Contestants& contestants,
                                                 const data::Reader& reader) {
  return std::make_unique<MultiLabelEvaluation>(contestants, reader);
}

}  // namespace espalier::tools
