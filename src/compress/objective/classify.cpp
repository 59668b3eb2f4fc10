// One label out of many for a text or a pair of texts: cross entropy, accuracy, F1, MCC.
#include "compress/objective/sentences.hpp"
#include "data/labels.hpp"
#include "espalier/error.hpp"
#include "measure/classification.hpp"

namespace espalier::objective {
namespace {

class Classify final : public Task {
 public:
  explicit Classify(const TaskOptions& options) : labels_(options.labels) {
    if (!options.class_weights.empty()) weights_ = tensor_of(options.class_weights);
  }

  Examples read(const LabelledRows& rows, const Tokenizing& with) const override {
    Examples examples = read_sentences(rows, with);
    std::vector<std::int64_t> targets;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      targets.push_back(
          static_cast<std::int64_t>(labels_.index(rows.rows[row].label, rows.place(row))));
    }
    examples.targets = tensor_of(targets);
    return examples;
  }

  at::Tensor loss(const at::Tensor& answers, const at::Tensor& targets) const override {
    const at::Tensor weights = weights_.defined() ? weights_.to(answers.device()) : weights_;
    return mean_cross_entropy(answers, targets, weights);
  }

  Scores judge(const model::Bert& bert, const Examples& data) const override {
    const at::Tensor best = answer_all(*this, bert, data).argmax(-1);
    const auto* predicted = best.const_data_ptr<std::int64_t>();
    const auto* gold = data.targets.const_data_ptr<std::int64_t>();
    const measure::ClassCounts counts =
        measure::count_classes(std::vector<std::size_t>(predicted, predicted + data.size()),
                               std::vector<std::size_t>(gold, gold + data.size()), labels_.size());
    return {{"accuracy", measure::accuracy(counts)},
            {"f1", measure::usual_f1(counts)},
            {"mcc", measure::mcc(counts)}};
  }

 private:
  data::LabelMap labels_;
  at::Tensor weights_;  // (labels), or undefined
};

}  // namespace

std::unique_ptr<Task> make_classify(const TaskOptions& options) {
  return std::make_unique<Classify>(options);
}

std::vector<float> balanced_weights(const Examples& data, std::size_t n_labels) {
  std::vector<std::size_t> counts(n_labels);
  const auto* target = data.targets.const_data_ptr<std::int64_t>();
  std::size_t n_counted = 0;
  for (std::int64_t index = 0; index < data.targets.numel(); ++index) {
    if (target[index] == kIgnored) continue;
    ++counts[static_cast<std::size_t>(target[index])];
    ++n_counted;
  }
  std::vector<float> weights;
  for (std::size_t label = 0; label < n_labels; ++label) {
    if (counts[label] == 0) {
      throw Error(ErrorCode::bad_input, "label " + std::to_string(label) + " has no example in '" +
                                            data.file +
                                            "', so classes cannot be balanced; give the weights "
                                            "or more data");
    }
    weights.push_back(static_cast<float>(static_cast<double>(n_counted) /
                                         static_cast<double>(n_labels * counts[label])));
  }
  return weights;
}

}  // namespace espalier::objective
