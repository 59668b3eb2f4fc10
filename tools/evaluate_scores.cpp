// Models whose answer is a number: regression, and embeddings of pairs, whose cosine is held
// against a score of similarity. Spearman and Pearson.
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

// Numbers of one model against those of the data.
Json correlations(const std::vector<double>& predicted, const std::vector<double>& gold) {
  const auto number = [](std::optional<double> value) { return value ? Json(*value) : Json(); };
  return {{"spearman", number(measure::spearman(predicted, gold))},
          {"pearson", number(measure::pearson(predicted, gold))}};
}

void add_gold(std::span<const data::Row> rows, const data::Reader& reader,
              std::vector<double>& gold) {
  for (const data::Row& row : rows) {
    gold.push_back(data::parse_score(row.label, reader.place(row)));
  }
}

class RegressionEvaluation final : public Evaluation {
 public:
  RegressionEvaluation(Contestants& contestants, const data::Reader& reader)
      : contestants_(contestants),
        reader_(reader),
        has_gold_(reader.columns().label.has_value()),
        slices_(reader, measure::SliceScore::mean_error, "") {}

  void add(std::span<const data::Row> rows, std::string* predictions) override {
    if (has_gold_) add_gold(rows, reader_, gold_);
    const std::vector<Text> texts = texts_of(rows);
    const std::vector<Classification> answers = contestants_.model.session.classify(texts);
    for (const Classification& answer : answers) {
      predicted_.push_back(double{answer.score});
      n_truncated_ += answer.truncated ? 1 : 0;
    }
    if (contestants_.other) {
      for (const Classification& answer : contestants_.other->session.classify(texts)) {
        other_predicted_.push_back(double{answer.score});
      }
    }
    for (std::size_t index = 0; has_gold_ && index < rows.size(); ++index) {
      const std::size_t row = gold_.size() - rows.size() + index;
      std::optional<measure::Outcome> before;
      if (contestants_.other) before = {.won = std::abs(other_predicted_[row] - gold_[row])};
      slices_.add_row(rows[index], {.won = std::abs(predicted_[row] - gold_[row])}, before);
    }
    for (std::size_t row = 0; predictions != nullptr && row < rows.size(); ++row) {
      Json line = {{"line", rows[row].line}};
      if (has_gold_) line["score"] = gold_[gold_.size() - rows.size() + row];
      line.update(
          {{"predicted", shortest(answers[row].score)}, {"truncated", answers[row].truncated}});
      append_line(*predictions, line);
    }
  }

  [[nodiscard]] Json result() const override {
    Json result = {{"n", predicted_.size()}};
    if (has_gold_) result.update(correlations(predicted_, gold_));
    result["truncated"] = n_truncated_;
    if (contestants_.other) {
      double difference = 0;
      for (std::size_t row = 0; row < predicted_.size(); ++row) {
        difference = std::max(difference, std::abs(predicted_[row] - other_predicted_[row]));
      }
      result["max_abs_logit_diff"] = difference;
      result["compare"] = {{"model", contestants_.other->name}};
      if (has_gold_) result["compare"].update(correlations(other_predicted_, gold_));
    }
    slices_.report(result);
    return result;
  }

 private:
  Contestants& contestants_;
  const data::Reader& reader_;
  bool has_gold_;
  RowSlices slices_;
  std::vector<double> gold_;
  std::vector<double> predicted_;
  std::vector<double> other_predicted_;
  std::size_t n_truncated_ = 0;
};

class EmbeddingEvaluation final : public Evaluation {
 public:
  EmbeddingEvaluation(Contestants& contestants, const data::Reader& reader)
      : contestants_(contestants),
        reader_(reader),
        has_pair_(reader.columns().pair.has_value()),
        has_gold_(has_pair_ && reader.columns().label.has_value()) {
    if (contestants.other &&
        contestants.other->model.info().hidden != contestants.model.model.info().hidden) {
      throw Error(ErrorCode::bad_input, "the two models' vectors differ in width");
    }
    if (!reader.columns().slices.empty()) {
      throw Error(ErrorCode::usage,
                  "--slice-column needs a score of each row, and pairs of embeddings have only a "
                  "rank among all of them");
    }
  }

  void add(std::span<const data::Row> rows, std::string* predictions) override {
    if (has_gold_) add_gold(rows, reader_, gold_);
    n_rows_ += rows.size();
    const Vectors vectors = embed(contestants_.model.session, rows);
    add_cosines(vectors, predicted_);
    if (contestants_.other) {
      const Vectors others = embed(contestants_.other->session, rows);
      add_cosines(others, other_predicted_);
      compare(vectors.first, others.first);
      compare(vectors.second, others.second);
    }
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const bool truncated =
          vectors.first[row].truncated || (has_pair_ && vectors.second[row].truncated);
      n_truncated_ += truncated ? 1 : 0;
      if (predictions == nullptr) continue;
      Json line = {{"line", rows[row].line}};
      if (has_gold_) line["score"] = gold_[gold_.size() - rows.size() + row];
      if (has_pair_) {
        line["predicted"] = predicted_[predicted_.size() - rows.size() + row];
      } else {
        line["embedding"] = shortest(vectors.first[row].values);
      }
      line["truncated"] = truncated;
      append_line(*predictions, line);
    }
  }

  [[nodiscard]] Json result() const override {
    Json result = {{"n", n_rows_}};
    if (has_gold_) result.update(correlations(predicted_, gold_));
    result["truncated"] = n_truncated_;
    if (contestants_.other) {
      result["mean_cosine"] = cosine_sum_ / static_cast<double>(n_compared_);
      result["min_cosine"] = min_cosine_;
      result["compare"] = {{"model", contestants_.other->name}};
      if (has_gold_) result["compare"].update(correlations(other_predicted_, gold_));
    }
    return result;
  }

 private:
  struct Vectors {
    std::vector<Embedding> first;   // (rows)
    std::vector<Embedding> second;  // (rows), or empty without a pair column
  };

  // The texts of a pair are embedded each by itself.
  [[nodiscard]] Vectors embed(Session& session, std::span<const data::Row> rows) const {
    std::vector<Text> first;
    std::vector<Text> second;
    for (const data::Row& row : rows) {
      first.push_back({.first = row.text});
      if (has_pair_) second.push_back({.first = *row.pair});
    }
    return {session.embed(first), session.embed(second)};
  }

  static void add_cosines(const Vectors& vectors, std::vector<double>& cosines) {
    for (std::size_t row = 0; row < vectors.second.size(); ++row) {
      cosines.push_back(measure::cosine(vectors.first[row].values, vectors.second[row].values));
    }
  }

  void compare(const std::vector<Embedding>& vectors, const std::vector<Embedding>& others) {
    for (std::size_t row = 0; row < vectors.size(); ++row) {
      const double cosine = measure::cosine(vectors[row].values, others[row].values);
      cosine_sum_ += cosine;
      min_cosine_ = std::min(min_cosine_, cosine);
      ++n_compared_;
    }
  }

  Contestants& contestants_;
  const data::Reader& reader_;
  bool has_pair_;
  bool has_gold_;
  std::vector<double> gold_;
  std::vector<double> predicted_;  // cosines of the pairs
  std::vector<double> other_predicted_;
  double cosine_sum_ = 0;
  double min_cosine_ = 1;
  std::size_t n_compared_ = 0;
  std::size_t n_rows_ = 0;
  std::size_t n_truncated_ = 0;
};

}  // namespace

std::unique_ptr<Evaluation> evaluate_regression(Contestants& contestants,
                                                const data::Reader& reader) {
  return std::make_unique<RegressionEvaluation>(contestants, reader);
}

std::unique_ptr<Evaluation> evaluate_embeddings(Contestants& contestants,
                                                const data::Reader& reader) {
  return std::make_unique<EmbeddingEvaluation>(contestants, reader);
}

}  // namespace espalier::tools
