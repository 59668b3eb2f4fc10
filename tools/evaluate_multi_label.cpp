// Classification with any number of labels a row: a label is predicted when its sigmoid is at least
// one half. Micro-F1, and rows with every label right as accuracy.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "data/labels.hpp"
#include "evaluation.hpp"
#include "measure/metrics.hpp"
#include "report.hpp"
#include "row_slices.hpp"

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
        has_gold_(reader.columns().label.has_value()),
        slices_(reader, measure::SliceScore::f1, "label") {}

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
    add_decisions(answers, predicted_, scores_);
    if (contestants_.other) {
      const std::vector<Classification> others = contestants_.other->session.classify(texts);
      add_decisions(others, other_predicted_, other_scores_);
      compare(rows, answers, others);
    }
    if (has_gold_) add_slices(rows);
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
    if (has_gold_) result.update(scores(predicted_, scores_));
    result["truncated"] = n_truncated_;
    if (contestants_.other) {
      result["flips"] = n_flips_;
      result["kl"] = distance_.mean_kl();
      result["max_abs_logit_diff"] = distance_.max_difference();
      result["compare"] = {{"model", contestants_.other->name}};
      if (has_gold_) result["compare"].update(scores(other_predicted_, other_scores_));
      result["flip_texts"] = flips_.worst();
    }
    slices_.report(result);
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
                     std::vector<std::uint8_t>& decisions, std::vector<float>& scores) const {
    for (const Classification& answer : answers) {
      for (const float score : answer.scores) decisions.push_back(score >= kThreshold ? 1 : 0);
      if (has_gold_) scores.insert(scores.end(), answer.scores.begin(), answer.scores.end());
    }
  }

  // A sigmoid of x is the softmax of (0, x): each cell is a distribution over yes and no.
  void compare(std::span<const data::Row> rows, const std::vector<Classification>& answers,
               const std::vector<Classification>& others) {
    std::vector<float> candidate;
    std::vector<float> reference;
    for (std::size_t row = 0; row < answers.size(); ++row) {
      for (std::size_t label = 0; label < labels_.size(); ++label) {
        candidate.insert(candidate.end(), {0.0F, answers[row].logits[label]});
        reference.insert(reference.end(), {0.0F, others[row].logits[label]});
      }
      const std::vector<std::size_t> before = decided(others[row]);
      const std::vector<std::size_t> after = decided(answers[row]);
      if (before == after) continue;
      ++n_flips_;
      double change = 0;
      for (std::size_t label = 0; label < labels_.size(); ++label) {
        change = std::max(change, std::abs(double{answers[row].scores[label]} -
                                           double{others[row].scores[label]}));
      }
      flips_.add(rows[row], {{"before", names(before)}, {"after", names(after)}}, change);
    }
    distance_.add(reference, candidate, 2);
  }

  // F1 of the cells first to first + n of the data; a cell is a row with a label.
  [[nodiscard]] measure::Outcome outcome(const std::vector<std::uint8_t>& predicted,
                                         std::size_t first, std::size_t n) const {
    measure::Outcome outcome{.won = 0, .of = 0};
    for (std::size_t cell = first; cell < first + n; ++cell) {
      outcome.won += 2.0 * (gold_[cell] & predicted[cell]);
      outcome.of += gold_[cell] + predicted[cell];
    }
    return outcome;
  }

  // The rows are the last that were answered. A label counts in the rows where it is or is seen.
  void add_slices(std::span<const data::Row> rows) {
    const auto add = [&](std::size_t first, std::size_t n, const auto& to) {
      std::optional<measure::Outcome> before;
      if (contestants_.other) before = outcome(other_predicted_, first, n);
      to(outcome(predicted_, first, n), before);
    };
    for (std::size_t index = 0; index < rows.size(); ++index) {
      const std::size_t first = gold_.size() - (rows.size() - index) * labels_.size();
      add(first, labels_.size(), [&](const auto& after, const auto& before) {
        slices_.add_row(rows[index], after, before);
      });
      for (std::size_t label = 0; label < labels_.size(); ++label) {
        add(first + label, 1, [&](const auto& after, const auto& before) {
          if (after.of == 0 && (!before || before->of == 0)) return;
          slices_.add_own(labels_.name(label), after, before);
        });
      }
    }
  }

  [[nodiscard]] Json scores(const std::vector<std::uint8_t>& predicted,
                            const std::vector<float>& probabilities) const {
    const measure::MultiLabelScores scores =
        measure::multi_label_scores(predicted, gold_, labels_.size());
    Json json = {{"accuracy", scores.exact_match}, {"f1", scores.micro_f1}};
    json.update(calibration_json(measure::cell_calibration(probabilities, gold_)));
    return json;
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
  std::vector<float> scores_;  // (rows, labels), probabilities; of labelled rows only
  std::vector<float> other_scores_;
  LogitDistance distance_;
  FlipList flips_;
  RowSlices slices_;
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
