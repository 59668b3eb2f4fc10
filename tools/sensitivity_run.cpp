#include "sensitivity_run.hpp"

#include <algorithm>
#include <cmath>

#include "compress/export/precision_rules.hpp"
#include "evaluation.hpp"
#include "format/writer.hpp"
#include "measure/metrics.hpp"

namespace espalier::tools {
namespace {

constexpr std::size_t kChunkRows = 64;  // Ctrl-C is heard after each

/// Everything a model answers that is compared.
struct Answers {
  std::vector<float> values;  // (n, width): logits, values or vectors
  std::vector<std::uint32_t>
      choices;  // labels of rows or words; multi_label: (rows, labels), 0 or 1
  std::size_t n_truncated = 0;

  void add_truncated(bool truncated) { n_truncated += truncated ? 1 : 0; }
};

void classify(Session& session, Task task, std::span<const data::Row> rows, Answers& answers) {
  for (const Classification& answer : session.classify(texts_of(rows))) {
    answers.add_truncated(answer.truncated);
    if (task == Task::multi_label) {
      // A sigmoid of x is the softmax of (0, x): each cell is a distribution over yes and no.
      for (const float logit : answer.logits) {
        answers.values.insert(answers.values.end(), {0.0F, logit});
      }
      for (const float score : answer.scores) answers.choices.push_back(score >= 0.5F ? 1 : 0);
      continue;
    }
    answers.values.insert(answers.values.end(), answer.logits.begin(), answer.logits.end());
    if (task == Task::classify) answers.choices.push_back(static_cast<std::uint32_t>(answer.label));
  }
}

// The texts of a pair are embedded each by itself.
void embed(Session& session, std::span<const data::Row> rows, Answers& answers) {
  std::vector<Text> texts;
  for (const data::Row& row : rows) {
    texts.push_back({.first = row.text});
    if (row.pair) texts.push_back({.first = *row.pair});
  }
  for (const Embedding& answer : session.embed(texts)) {
    answers.add_truncated(answer.truncated);
    answers.values.insert(answers.values.end(), answer.values.begin(), answer.values.end());
  }
}

// Labels of the words; logits of the tokens, of the first max_length of a sentence.
void tag(const Model& model, Session& session, std::span<const data::Row> rows, Answers& answers) {
  std::vector<std::vector<std::string_view>> sentences;
  for (const data::Row& row : rows) sentences.emplace_back(row.words.begin(), row.words.end());
  for (const Tagging& answer : session.tag_words(sentences)) {
    answers.choices.insert(answers.choices.end(), answer.word_labels.begin(),
                           answer.word_labels.end());
  }
  const TokenBatch batch = model.tokenizer().encode(texts_of(rows), model.info().max_length);
  const std::size_t first = answers.values.size();
  answers.values.resize(first + session.output_size(batch));
  session.run(batch, std::span(answers.values).subspan(first));
}

std::size_t width_of(const ModelInfo& info) {
  switch (info.task) {
    case Task::embed:
      return info.hidden;
    case Task::multi_label:
      return 2;
    case Task::classify:
    case Task::regress:
    case Task::tag:
    case Task::fill_mask:
      break;
  }
  return info.labels.size();
}

class Measurement {
 public:
  Measurement(const SensitivityInput& input,
              const std::function<void(std::size_t, std::size_t)>& on_rows)
      : input_(input), on_rows_(on_rows), names_(compress::part_names(input.fp32.layers.size())) {}

  Sensitivity run() {
    Sensitivity result;
    result.task = input_.fp32.task;
    result.n_rows = input_.rows.size();
    {
      const Model model = stored(input_.fp32);
      width_ = width_of(model.info());
      reference_ = answers_of(model);
    }
    result.n_answers = n_answers();
    result.n_truncated = reference_.n_truncated;
    result.all_int8 = distance_of(input_.int8);
    format::ModelSpec attention = input_.int8;
    for (std::size_t part = 0; part < names_.size(); ++part) {
      compress::take_part(attention, input_.fp32, part);
    }
    result.attention = distance_of(attention);
    for (std::size_t part = 0; part < names_.size(); ++part) {
      result.parts.push_back({.name = names_[part],
                              .saved_bytes = saved_bytes(part),
                              .alone_int8 = distance_of_mixture(input_.fp32, input_.int8, part),
                              .alone_fp32 = distance_of_mixture(input_.int8, input_.fp32, part)});
      result.saved_bytes += result.parts.back().saved_bytes;
    }
    std::stable_sort(result.parts.begin(), result.parts.end(),
                     [](const PartSensitivity& a, const PartSensitivity& b) {
                       return a.alone_int8.value > b.alone_int8.value;
                     });
    return result;
  }

 private:
  /// The model as its file would be, without a self-test: that of a mixture is nobody's.
  static Model stored(format::ModelSpec spec) {
    spec.self_test = {};
    return Model::open(format::to_bytes(spec));
  }

  std::int64_t saved_bytes(std::size_t part) const {
    return static_cast<std::int64_t>(compress::part_bytes(input_.fp32, part)) -
           static_cast<std::int64_t>(compress::part_bytes(input_.int8, part));
  }

  AnswerDistance distance_of_mixture(format::ModelSpec base, const format::ModelSpec& other,
                                     std::size_t part) {
    compress::take_part(base, other, part);
    return distance_of(base);
  }

  AnswerDistance distance_of(const format::ModelSpec& spec) {
    return distance(answers_of(stored(spec)));
  }

  Answers answers_of(const Model& model) {
    Session session(model, input_.session);
    Answers answers;
    for (std::size_t first = 0; first < input_.rows.size(); first += kChunkRows) {
      const auto rows =
          input_.rows.subspan(first, std::min(kChunkRows, input_.rows.size() - first));
      switch (model.info().task) {
        case Task::classify:
        case Task::multi_label:
        case Task::regress:
          classify(session, model.info().task, rows, answers);
          break;
        case Task::embed:
          embed(session, rows, answers);
          break;
        case Task::tag:
          tag(model, session, rows, answers);
          break;
        case Task::fill_mask:
          break;  // refused before
      }
      n_done_ += rows.size();
      on_rows_(n_done_, (3 + 2 * names_.size()) * input_.rows.size());
    }
    return answers;
  }

  AnswerDistance distance(const Answers& answers) const {
    const measure::LogitPair pair{reference_.values, answers.values, width_};
    switch (input_.fp32.task) {
      case Task::classify:
      case Task::multi_label:
      case Task::tag:
        return {measure::mean_kl(pair), flips(answers.choices)};
      case Task::regress:
        return {mean_abs_difference(answers.values)};
      case Task::embed:
        return {1 - measure::mean_cosine(pair)};
      case Task::fill_mask:
        break;  // refused before
    }
    return {};
  }

  double mean_abs_difference(const std::vector<float>& values) const {
    double sum = 0;
    for (std::size_t row = 0; row < values.size(); ++row) {
      sum += std::abs(double{values[row]} - double{reference_.values[row]});
    }
    return sum / static_cast<double>(values.size());
  }

  /// Choices that lie together, one a label for multi_label, flip together.
  std::size_t flips(const std::vector<std::uint32_t>& choices) const {
    const std::size_t n_together = choices_of_an_answer();
    std::size_t n_flips = 0;
    for (std::size_t first = 0; first < choices.size(); first += n_together) {
      const auto begin = choices.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = begin + static_cast<std::ptrdiff_t>(n_together);
      const auto other = reference_.choices.begin() + static_cast<std::ptrdiff_t>(first);
      n_flips += std::equal(begin, end, other) ? 0 : 1;
    }
    return n_flips;
  }

  std::size_t choices_of_an_answer() const {
    return input_.fp32.task == Task::multi_label ? input_.fp32.labels.size() : 1;
  }

  std::size_t n_answers() const {
    if (input_.fp32.task == Task::embed) return reference_.values.size() / width_;
    if (input_.fp32.task == Task::tag) return reference_.choices.size();
    return input_.rows.size();
  }

  const SensitivityInput& input_;
  const std::function<void(std::size_t, std::size_t)>& on_rows_;
  std::vector<std::string> names_;
  std::size_t width_ = 0;
  Answers reference_;
  std::size_t n_done_ = 0;
};

}  // namespace

std::string_view distance_name(Task task) noexcept {
  switch (task) {
    case Task::classify:
    case Task::multi_label:
    case Task::tag:
    case Task::fill_mask:
      break;
    case Task::regress:
      return "mean_abs_difference";
    case Task::embed:
      return "cosine_distance";
  }
  return "kl";
}

Sensitivity measure_sensitivity(
    const SensitivityInput& input,
    const std::function<void(std::size_t done, std::size_t total)>& on_rows) {
  if (input.fp32.task == Task::fill_mask) {
    throw Error(ErrorCode::usage,
                "a fill_mask model has no answers to compare here; measure one fine-tuned for a "
                "task");
  }
  return Measurement(input, on_rows).run();
}

}  // namespace espalier::tools
