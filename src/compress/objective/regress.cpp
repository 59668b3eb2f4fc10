// One number for a text or a pair of texts: squared error, Spearman and Pearson.
#include <ATen/ops/mse_loss.h>

#include <cmath>

#include "compress/objective/sentences.hpp"
#include "data/labels.hpp"
#include "measure/correlation.hpp"

namespace espalier::objective {
namespace {

class Regress final : public Task {
 public:
  Examples read(const LabelledRows& rows, const Tokenizing& with) const override {
    Examples examples = read_sentences(rows, with);
    std::vector<float> targets;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      targets.push_back(
          static_cast<float>(data::parse_score(rows.rows[row].label, rows.place(row))));
    }
    examples.targets = tensor_of(targets);
    return examples;
  }

  at::Tensor loss(const at::Tensor& answers, const at::Tensor& targets) const override {
    return at::mse_loss(answers.squeeze(-1), targets);
  }

  Scores judge(const model::Bert& bert, const Examples& data) const override {
    const at::Tensor answers = answer_all(*this, bert, data).squeeze(-1).contiguous();
    const auto* predicted = answers.const_data_ptr<float>();
    const auto* gold = data.targets.const_data_ptr<float>();
    const std::vector<double> first(predicted, predicted + data.size());
    const std::vector<double> second(gold, gold + data.size());
    const double rmse = std::sqrt(at::mse_loss(answers, data.targets).item<double>());
    // A model that says the same of everything orders nothing: no correlation is 0, not an error.
    return {{"spearman", 100 * measure::spearman(first, second).value_or(0)},
            {"pearson", 100 * measure::pearson(first, second).value_or(0)},
            {"rmse", rmse}};
  }
};

}  // namespace

std::unique_ptr<Task> make_regress(const TaskOptions&) {
  return std::make_unique<Regress>();
}

}  // namespace espalier::objective
