// Classification, one label out of many: accuracy, F1, MCC.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/labels.hpp"
#include "evaluation.hpp"
#include "measure/metrics.hpp"
#include "report.hpp"
#include "row_slices.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

class ClassEvaluation final : public Evaluation {
 public:
  ClassEvaluation(Contestants& contestants, const data::Reader& reader)
      : contestants_(contestants),
        reader_(reader),
        labels_(contestants.labels()),
        has_gold_(reader.columns().label.has_value()),
        slices_(reader, measure::SliceScore::accuracy, "label") {}

  void add(std::span<const data::Row> rows, std::string* predictions) override {
    if (has_gold_) {
      for (const data::Row& row : rows)
        gold_.push_back(labels_.index(row.label, reader_.place(row)));
    }
    const std::vector<Text> texts = texts_of(rows);
    const std::vector<Classification> answers = contestants_.model.session.classify(texts);
    for (const Classification& answer : answers) {
      predicted_.push_back(answer.label);
      if (has_gold_) scores_.insert(scores_.end(), answer.scores.begin(), answer.scores.end());
      n_truncated_ += answer.truncated ? 1 : 0;
    }
    if (contestants_.other) compare(rows, answers, contestants_.other->session.classify(texts));
    if (has_gold_) add_slices(rows);
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
      result.update(scores(predicted_, scores_));
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
        result["compare"].update(scores(other_predicted_, other_scores_));
        const measure::McNemar test =
            measure::mcnemar(right_rows(predicted_), right_rows(other_predicted_));
        result["mcnemar_p"] = test.p_exact;
        const measure::Interval difference = measure::paired_difference(test, gold_.size());
        result["accuracy_difference_95"] = {difference.low, difference.high};
      }
      result["flip_texts"] = flips_.worst();
    }
    slices_.report(result);
    return result;
  }

 private:
  void compare(std::span<const data::Row> rows, const std::vector<Classification>& answers,
               const std::vector<Classification>& others) {
    std::vector<float> candidate;
    std::vector<float> reference;
    for (std::size_t row = 0; row < answers.size(); ++row) {
      candidate.insert(candidate.end(), answers[row].logits.begin(), answers[row].logits.end());
      reference.insert(reference.end(), others[row].logits.begin(), others[row].logits.end());
      other_predicted_.push_back(others[row].label);
      if (!has_gold_) continue;
      other_scores_.insert(other_scores_.end(), others[row].scores.begin(),
                           others[row].scores.end());
    }
    for (std::size_t row = 0; row < answers.size(); ++row) {
      if (answers[row].label != others[row].label) add_flip(rows[row], answers[row], others[row]);
    }
    distance_.add(reference, candidate, labels_.size());
  }

  // The answer in question was the less likely one before: by how much it has gained on it.
  void add_flip(const data::Row& row, const Classification& answer, const Classification& other) {
    Json flip = {{"before", labels_.name(other.label)},
                 {"after", labels_.name(answer.label)},
                 {"score_before", shortest(other.score)},
                 {"score_after", shortest(answer.score)}};
    if (has_gold_) flip["label"] = labels_.name(labels_.index(row.label, reader_.place(row)));
    flips_.add(row, std::move(flip),
               double{other.score} - double{answer.scores[other.label]} + double{answer.score} -
                   double{other.scores[answer.label]});
  }

  // The rows are the last that were answered.
  void add_slices(std::span<const data::Row> rows) {
    const std::size_t first = gold_.size() - rows.size();
    const auto outcome = [&](const std::vector<std::size_t>& predicted, std::size_t row) {
      return measure::Outcome{.won = predicted[row] == gold_[row] ? 1.0 : 0.0};
    };
    for (std::size_t index = 0; index < rows.size(); ++index) {
      const std::size_t row = first + index;
      std::optional<measure::Outcome> before;
      if (contestants_.other) before = outcome(other_predicted_, row);
      slices_.add_row(rows[index], outcome(predicted_, row), before);
      slices_.add_own(labels_.name(gold_[row]), outcome(predicted_, row), before);
    }
  }

  [[nodiscard]] Json scores(const std::vector<std::size_t>& predicted,
                            const std::vector<float>& probabilities) const {
    const measure::ClassCounts counts = measure::count_classes(predicted, gold_, labels_.size());
    Json scores = {{"accuracy", measure::accuracy(counts)},
                   {"f1", measure::usual_f1(counts)},
                   {"mcc", measure::mcc(counts)}};
    scores.update(
        calibration_json(measure::class_calibration(probabilities, gold_, labels_.size())));
    return scores;
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
  std::vector<float> scores_;  // (rows, labels), probabilities; of labelled rows only
  std::vector<float> other_scores_;
  LogitDistance distance_;
  FlipList flips_;
  RowSlices slices_;
  std::size_t n_truncated_ = 0;
};

}  // namespace

std::unique_ptr<Evaluation> evaluate_classes(Contestants& contestants, const data::Reader& reader) {
  return std::make_unique<ClassEvaluation>(contestants, reader);
}

}  // namespace espalier::tools
