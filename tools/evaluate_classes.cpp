// Classification, one label out of many: accuracy, F1, MCC.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/labels.hpp"
#include "evaluation.hpp"
#include "measure/metrics.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

class ClassEvaluation final : public Evaluation {
 public:
  ClassEvaluation(Contestants& contestants, const data::Reader& reader)
      : contestants_(contestants),
        reader_(reader),
        labels_(contestants.labels()),
        has_gold_(reader.columns().label.has_value()) {}

  void add(std::span<const data::Row> rows, std::string* predictions) override {
    if (has_gold_) {
      for (const data::Row& row : rows)
        gold_.push_back(labels_.index(row.label, reader_.place(row)));
    }
    const std::vector<Text> texts = texts_of(rows);
    const std::vector<Classification> answers = contestants_.model.session.classify(texts);
    for (const Classification& answer : answers) {
      predicted_.push_back(answer.label);
      n_truncated_ += answer.truncated ? 1 : 0;
    }
    if (contestants_.other) compare(answers, contestants_.other->session.classify(texts));
    for (std::size_t row = 0; predictions != nullptr && row < rows.size(); ++row) {
      const Classification& answer = answers[row];
      Json line = {{"line", rows[row].line}};
      if (has_gold_) line["label"] = labels_.name(gold_[gold_.size() - rows.size() + row]);
      line.update({{"predicted", labels_.name(answer.label)},
                   {"score", shortest(answer.score)},
                   {"logits", shortest(answer.logits)},
                   {"truncated", answer.truncated}});
      append_line(*predictions, line);
    }
  }

  [[nodiscard]] Json result() const override {
    Json result = {{"n", predicted_.size()}};
    if (has_gold_) {
      result.update(scores(predicted_));
      const std::vector<std::uint8_t> right = right_rows(predicted_);
      const auto n_right = static_cast<std::size_t>(std::count(right.begin(), right.end(), 1));
      const measure::Interval interval = measure::wilson_interval(n_right, right.size());
      result["accuracy_95"] = {interval.low, interval.high};
    }
    result["truncated"] = n_truncated_;
    if (contestants_.other) {
      result["flips"] = distance_.n_flips();
      result["kl"] = distance_.mean_kl();
      result["max_abs_logit_diff"] = distance_.max_difference();
      result["compare"] = {{"model", contestants_.other->name}};
      if (has_gold_) {
        result["compare"].update(scores(other_predicted_));
        const measure::McNemar test =
            measure::mcnemar(right_rows(predicted_), right_rows(other_predicted_));
        result["mcnemar_p"] = test.p_exact;
        const measure::Interval difference = measure::paired_difference(test, gold_.size());
        result["accuracy_difference_95"] = {difference.low, difference.high};
      }
    }
    return result;
  }

 private:
  void compare(const std::vector<Classification>& answers,
               const std::vector<Classification>& others) {
    std::vector<float> candidate;
    std::vector<float> reference;
    for (std::size_t row = 0; row < answers.size(); ++row) {
      candidate.insert(candidate.end(), answers[row].logits.begin(), answers[row].logits.end());
      reference.insert(reference.end(), others[row].logits.begin(), others[row].logits.end());
      other_predicted_.push_back(others[row].label);
    }
    distance_.add(reference, candidate, labels_.size());
  }

  [[nodiscard]] Json scores(const std::vector<std::size_t>& predicted) const {
    const measure::ClassCounts counts = measure::count_classes(predicted, gold_, labels_.size());
    return {{"accuracy", measure::accuracy(counts)},
            {"f1", measure::usual_f1(counts)},
            {"mcc", measure::mcc(counts)}};
  }

  [[nodiscard]] std::vector<std::uint8_t> right_rows(
      const std::vector<std::size_t>& predicted) const {
    std::vector<std::uint8_t> right(gold_.size());
    for (std::size_t row = 0; row < gold_.size(); ++row) right[row] = predicted[row] == gold_[row];
    return right;
  }

  Contestants& contestants_;
  const data::Reader& reader_;
  data::LabelMap labels_;
  bool has_gold_;
  std::vector<std::size_t> gold_;
  std::vector<std::size_t> predicted_;
  std::vector<std::size_t> other_predicted_;
  LogitDistance distance_;
  std::size_t n_truncated_ = 0;
};

}  // namespace

std::unique_ptr<Evaluation> evaluate_classes(Contestants& contestants, const data::Reader& reader) {
  return std::make_unique<ClassEvaluation>(contestants, reader);
}

}  // namespace espalier::tools
