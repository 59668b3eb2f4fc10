// Token classification on words as the data gives them: entities counted as conlleval does.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "evaluation.hpp"
#include "measure/metrics.hpp"
#include "row_slices.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

class TagEvaluation final : public Evaluation {
 public:
  TagEvaluation(Contestants& contestants, const data::Reader& reader)
      : contestants_(contestants),
        reader_(reader),
        has_gold_(reader.columns().label.has_value()),
        slices_(reader, measure::SliceScore::f1, "entity") {
    for (const std::string& label : contestants.labels()) {
      tags_.push_back(measure::is_entity_tag(label) ? label : "I-" + label);
    }
  }

  void add(std::span<const data::Row> rows, std::string* predictions) override {
    std::vector<std::vector<std::string_view>> sentences;
    for (const data::Row& row : rows) sentences.emplace_back(row.words.begin(), row.words.end());
    const std::vector<Tagging> answers = contestants_.model.session.tag_words(sentences);
    score(rows, answers, scorer_);
    n_sentences_ += rows.size();
    for (const Tagging& answer : answers) n_words_ += answer.word_labels.size();
    std::vector<Tagging> others;
    if (contestants_.other) {
      others = contestants_.other->session.tag_words(sentences);
      score(rows, others, other_scorer_);
      compare(rows, answers, others);
    }
    for (std::size_t row = 0; has_gold_ && row < rows.size(); ++row) {
      add_slices(rows[row], answers[row], others.empty() ? nullptr : &others[row]);
    }
    for (std::size_t row = 0; predictions != nullptr && row < rows.size(); ++row) {
      Json line = {{"line", rows[row].line}, {"words", rows[row].words}};
      if (has_gold_) line["tags"] = rows[row].tags;
      line["predicted"] = tags_of(answers[row]);
      append_line(*predictions, line);
    }
  }

  [[nodiscard]] Json result() const override {
    Json result = {{"n", n_sentences_}, {"words", n_words_}};
    if (has_gold_) {
      result.update(scores(scorer_));
      for (const auto& [type, counts] : scorer_.by_type()) {
        result["entities"][type] = {{"precision", counts.precision()},
                                    {"recall", counts.recall()},
                                    {"f1", counts.f1()},
                                    {"gold", counts.gold},
                                    {"predicted", counts.predicted}};
      }
    }
    result["truncated"] = 0;  // longer sentences are read in windows
    if (contestants_.other) {
      result["flips"] = n_flips_;
      if (!distance_.empty()) {
        result["kl"] = distance_.mean_kl();
        result["max_abs_logit_diff"] = distance_.max_difference();
      }
      result["compare"] = {{"model", contestants_.other->name}};
      if (has_gold_) result["compare"].update(scores(other_scorer_));
      result["flip_texts"] = flips_.worst();
    }
    slices_.report(result);
    return result;
  }

 private:
  [[nodiscard]] std::vector<std::string_view> tags_of(const Tagging& answer) const {
    std::vector<std::string_view> tags;
    for (const std::uint32_t label : answer.word_labels) tags.push_back(tags_[label]);
    return tags;
  }

  void score(std::span<const data::Row> rows, const std::vector<Tagging>& answers,
             measure::EntityScorer& scorer) const {
    for (std::size_t row = 0; has_gold_ && row < rows.size(); ++row) {
      const std::vector<std::string_view> gold(rows[row].tags.begin(), rows[row].tags.end());
      try {
        scorer.add(tags_of(answers[row]), gold);
      } catch (const Error& error) {
        data::fail_at(reader_.place(rows[row]), error.what());
      }
    }
  }

  // What one sentence adds to the F1 of each type of entity, "" for all of them together.
  using Outcomes = std::map<std::string, measure::Outcome>;
  [[nodiscard]] Outcomes outcomes(const data::Row& row, const Tagging& answer) const {
    measure::EntityScorer scorer;
    score({&row, 1}, {answer}, scorer);
    const auto outcome = [](const measure::EntityCounts& counts) {
      return measure::Outcome{.won = 2.0 * static_cast<double>(counts.correct),
                              .of = static_cast<double>(counts.gold + counts.predicted)};
    };
    Outcomes outcomes = {{"", outcome(scorer.all())}};
    for (const auto& [type, counts] : scorer.by_type()) outcomes["=" + type] = outcome(counts);
    return outcomes;
  }

  void add_slices(const data::Row& row, const Tagging& answer, const Tagging* other) {
    constexpr measure::Outcome kNothing = {.won = 0, .of = 0};
    Outcomes after = outcomes(row, answer);
    Outcomes before = other != nullptr ? outcomes(row, *other) : Outcomes();
    for (const auto& entry : before) after.try_emplace(entry.first, kNothing);
    for (const auto& [type, outcome] : after) {
      std::optional<measure::Outcome> old;
      if (other != nullptr) old = before.try_emplace(type, kNothing).first->second;
      type.empty() ? slices_.add_row(row, outcome, old)
                   : slices_.add_own(type.substr(1), outcome, old);
    }
  }

  // Flips are words with another label. Logits are compared token by token, for the first
  // max_length tokens of a sentence, when both models cut it into the same tokens.
  void compare(std::span<const data::Row> rows, const std::vector<Tagging>& answers,
               const std::vector<Tagging>& others) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (std::size_t word = 0; word < answers[row].word_labels.size(); ++word) {
        if (answers[row].word_labels[word] == others[row].word_labels[word]) continue;
        ++n_flips_;
        Json flip = {{"word", rows[row].words[word]},
                     {"before", tags_[others[row].word_labels[word]]},
                     {"after", tags_[answers[row].word_labels[word]]}};
        if (has_gold_) flip["label"] = rows[row].tags[word];
        flips_.add(rows[row], std::move(flip), 0);
      }
    }
    Contestant& other = *contestants_.other;
    const std::vector<Text> texts = texts_of(rows);
    const std::uint32_t max_length =
        std::min(contestants_.model.model.info().max_length, other.model.info().max_length);
    const TokenBatch batch = contestants_.model.model.tokenizer().encode(texts, max_length);
    if (batch.ids != other.model.tokenizer().encode(texts, max_length).ids) return;
    std::vector<float> candidate(contestants_.model.session.output_size(batch));
    std::vector<float> reference(other.session.output_size(batch));
    contestants_.model.session.run(batch, candidate);
    other.session.run(batch, reference);
    distance_.add(reference, candidate, tags_.size());
  }

  [[nodiscard]] static Json scores(const measure::EntityScorer& scorer) {
    return {{"accuracy", scorer.tag_accuracy()},
            {"entity_f1", scorer.all().f1()},
            {"entity_precision", scorer.all().precision()},
            {"entity_recall", scorer.all().recall()}};
  }

  Contestants& contestants_;
  const data::Reader& reader_;
  bool has_gold_;
  std::vector<std::string> tags_;  // (labels), as the scorer reads them
  measure::EntityScorer scorer_;
  measure::EntityScorer other_scorer_;
  LogitDistance distance_;
  FlipList flips_;
  RowSlices slices_;
  std::size_t n_flips_ = 0;
  std::size_t n_sentences_ = 0;
  std::size_t n_words_ = 0;
};

}  // namespace

std::unique_ptr<Evaluation> evaluate_tags(Contestants& contestants, const data::Reader& reader) {
  return std::make_unique<TagEvaluation>(contestants, reader);
}

}  // namespace espalier::tools
