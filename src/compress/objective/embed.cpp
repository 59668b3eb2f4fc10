// One vector for a text, so that the cosine of two vectors says how alike the texts are. Pairs with
// a score: CoSENT, which only asks that likelier pairs get larger cosines and so needs no scale of
// the scores (Su 2022, kexue.fm/archives/8847). Pairs without: each first text must find its second
// among all second texts of the batch (Henderson et al. 2017, "Efficient natural language response
// suggestion", §4).
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "compress/objective/sentences.hpp"
#include "data/labels.hpp"
#include "measure/correlation.hpp"

namespace espalier::objective {
namespace {

constexpr double kInverseTemperature = 20;  // as both sources have it

// Percent of the first texts whose nearest second text, among all of them, is their own. vectors:
// (pairs, 2, hidden), of length 1.
double retrieval_accuracy(const at::Tensor& vectors) {
  constexpr std::int64_t kRows = 256;  // at once: all cosines of many pairs would not fit
  const at::Tensor second = vectors.select(1, 1).t();
  const std::int64_t n = vectors.size(0);
  std::int64_t n_found = 0;
  for (std::int64_t begin = 0; begin < n; begin += kRows) {
    const std::int64_t end = std::min(begin + kRows, n);
    const at::Tensor nearest = at::matmul(vectors.select(1, 0).slice(0, begin, end), second);
    n_found += (nearest.argmax(-1) == at::arange(begin, end, at::kLong)).sum().item<std::int64_t>();
  }
  return 100.0 * static_cast<double>(n_found) / static_cast<double>(n);
}

class Embed final : public Task {
 public:
  explicit Embed(const TaskOptions& options)
      : pooling_(options.embedding.pooling), scored_(options.scored) {}

  Examples read(const LabelledRows& rows, const Tokenizing& with) const override {
    Examples examples;
    examples.file = rows.file;
    examples.texts_each = 2;
    examples.is_scored = scored_ || !rows.rows.front().label.empty();
    std::vector<float> targets;
    text::Scratch scratch;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      append_sentence(examples, {.first = rows.rows[row].text}, with, scratch);
      append_sentence(examples, {.first = rows.rows[row].pair.value()}, with, scratch);
      examples.lines.push_back(rows.rows[row].line);
      examples.rows.push_back(row);
      targets.push_back(examples.is_scored ? static_cast<float>(data::parse_score(
                                                 rows.rows[row].label, rows.place(row)))
                                           : 0.0F);
    }
    examples.targets = tensor_of(targets);
    return examples;
  }

  // Unit vectors (sentences, hidden).
  at::Tensor answers(const model::Bert&, const at::Tensor& x, const model::TokenTensors& tokens,
                     const model::Dropout&) const override {
    at::Tensor pooled;
    if (pooling_ == checkpoint::Pooling::cls) {
      pooled = x.select(1, 0);
    } else if (!tokens.mask.defined()) {
      pooled = x.mean(1);
    } else {
      const at::Tensor weights = tokens.mask.to(x.scalar_type()).unsqueeze(-1);
      pooled = (x * weights).sum(1) / weights.sum(1);
    }
    return pooled / pooled.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-12);
  }

  at::Tensor loss(const at::Tensor& answers, const at::Tensor& targets) const override {
    const std::int64_t n = answers.size(0) / 2;
    const at::Tensor first = answers.slice(0, 0, n);
    const at::Tensor second = answers.slice(0, n);
    if (!scored_) {
      const at::Tensor cosines = at::matmul(first, second.t()) * kInverseTemperature;
      return at::cross_entropy_loss(cosines, at::arange(n, targets.options().dtype(at::kLong)));
    }
    const at::Tensor cosine = (first * second).sum(-1) * kInverseTemperature;
    // [i, j]: how much larger the cosine of pair i is; counts only where pair j ought to be ahead.
    const at::Tensor ahead = cosine.unsqueeze(1) - cosine.unsqueeze(0);
    const at::Tensor wrong_way = targets.unsqueeze(1) < targets.unsqueeze(0);
    const at::Tensor terms = ahead.masked_fill(wrong_way.logical_not(), -INFINITY).flatten();
    return at::logsumexp(at::cat({at::zeros({1}, terms.options()), terms}), 0);
  }

  Scores judge(const model::Bert& bert, const Examples& data) const override {
    const at::Tensor vectors =
        answer_all(*this, bert, data).view({static_cast<std::int64_t>(data.size()), 2, -1});
    if (!data.is_scored) return {{"retrieval_accuracy", retrieval_accuracy(vectors)}};
    const at::Tensor cosines = (vectors.select(1, 0) * vectors.select(1, 1)).sum(-1).contiguous();
    const auto* predicted = cosines.const_data_ptr<float>();
    const auto* gold = data.targets.const_data_ptr<float>();
    const std::vector<double> first(predicted, predicted + data.size());
    const std::vector<double> second(gold, gold + data.size());
    return {{"spearman", 100 * measure::spearman(first, second).value_or(0)},
            {"pearson", 100 * measure::pearson(first, second).value_or(0)}};
  }

 private:
  checkpoint::Pooling pooling_;
  bool scored_;
};

}  // namespace

std::unique_ptr<Task> make_embed(const TaskOptions& options) {
  return std::make_unique<Embed>(options);
}

}  // namespace espalier::objective
