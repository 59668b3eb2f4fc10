#include "compress/prune/sample.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/multinomial.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/random.hpp"

namespace espalier::prune {
namespace {

using checkpoint::Architecture;
using checkpoint::ProblemType;

constexpr std::size_t kBatchSize = 32;

model::Gates open_gates(const model::Bert& bert, std::int64_t n_sentences) {
  model::Gates gates;
  const auto ones = [&](std::size_t units) {
    return at::ones({n_sentences, static_cast<std::int64_t>(units)}, bert.word.options())
        .requires_grad_(true);
  };
  for (const checkpoint::LayerWidths& widths : bert.config.layers) {
    gates.heads.push_back(ones(widths.heads.size()));
    gates.neurons.push_back(ones(widths.intermediate));
  }
  return gates;
}

// A unit that no path leads through has no gradient.
at::Tensor gradient_of(const at::Tensor& gate) {
  return gate.grad().defined() ? gate.grad() : gate.detach() * 0;
}

using LossOf = std::function<at::Tensor(const at::Tensor& answers, const objective::Batch& batch)>;

// `loss_of` is a sum over sentences.
UnitGradients gradients(const model::Bert& bert, const Sample& sample, const LossOf& loss_of) {
  const at::AutoGradMode with_gradients(true);
  const std::size_t n_layers = bert.layers.size();
  std::vector<std::vector<at::Tensor>> heads(n_layers), neurons(n_layers);
  for (const objective::Batch& batch : sample.batches) {
    const model::Gates gates = open_gates(bert, batch.tokens.ids.size(0));
    const at::Tensor x = model::encode(bert, batch.tokens, {}, nullptr, &gates);
    const at::Tensor loss = loss_of(sample.task->answers(bert, x, batch.tokens, {}), batch);
    if (loss.requires_grad()) loss.backward();  // not where no layer has any unit
    for (std::size_t layer = 0; layer < n_layers; ++layer) {
      heads[layer].push_back(gradient_of(gates.heads[layer]));
      neurons[layer].push_back(gradient_of(gates.neurons[layer]));
    }
  }
  UnitGradients all;
  for (std::size_t layer = 0; layer < n_layers; ++layer) {
    all.heads.push_back(at::cat(heads[layer]));
    all.neurons.push_back(at::cat(neurons[layer]));
  }
  return all;
}

// A direction for every row of `answers` (rows, answers), of mean square the curvature of the
// divergence between answers that are read this way.
at::Tensor draw_direction(const checkpoint::BertConfig& config, const at::Tensor& answers,
                          double temperature, const at::Generator& generator) {
  const bool is_classes = config.architecture == Architecture::token_classification ||
                          (config.architecture == Architecture::sequence_classification &&
                           config.problem_type == ProblemType::single_label);
  if (is_classes) {
    const at::Tensor chances = at::softmax(answers / temperature, -1);
    const at::Tensor drawn =
        at::multinomial(chances, 1, /*replacement=*/true, generator).squeeze(-1);
    return chances - at::one_hot(drawn, answers.size(-1)).to(chances.dtype());
  }
  if (config.architecture == Architecture::sequence_classification &&
      config.problem_type == ProblemType::multi_label) {
    const at::Tensor chances = at::sigmoid(answers / temperature);
    return chances - at::bernoulli(chances, generator);
  }
  return at::randn_like(answers, generator);  // numbers and vectors, compared by squared distance
}

}  // namespace

Sample draw_sample(const objective::TaskObjective& data, std::size_t n_examples,
                   std::uint64_t seed) {
  std::vector<std::size_t> order(data.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(mix(seed));
  shuffle(std::span<std::size_t>(order), random);
  order.resize(std::min(n_examples, order.size()));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return data.length(a) < data.length(b); });
  Sample sample;
  sample.task = &data.task();
  for (std::size_t begin = 0; begin < order.size(); begin += kBatchSize) {
    const std::size_t end = std::min(begin + kBatchSize, order.size());
    objective::Batch batch =
        data.batch(std::span(order).subspan(begin, end - begin), mix(seed, begin));
    const at::Tensor& mask = batch.tokens.mask;
    sample.n_sentences += static_cast<std::size_t>(batch.tokens.ids.size(0));
    sample.n_tokens += static_cast<std::size_t>(mask.defined() ? mask.sum().item<std::int64_t>()
                                                               : batch.tokens.ids.numel());
    sample.batches.push_back(std::move(batch));
  }
  return sample;
}

UnitGradients label_gradients(const model::Bert& bert, const Sample& sample) {
  return gradients(bert, sample, [&](const at::Tensor& answers, const objective::Batch& batch) {
    return sample.task->loss(answers, batch.targets) * batch.tokens.ids.size(0);
  });
}

UnitGradients answer_gradients(const model::Bert& bert, const Sample& sample, double temperature,
                               std::uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(mix(seed));
  return gradients(bert, sample, [&](const at::Tensor& answers, const objective::Batch& batch) {
    at::Tensor rows = answers;
    if (answers.dim() == 3) {  // (sentences, tokens, answers): of tokens, without padding
      rows =
          batch.tokens.mask.defined() ? answers.index({batch.tokens.mask}) : answers.flatten(0, 1);
    }
    const at::Tensor direction = draw_direction(bert.config, rows.detach(), temperature, generator);
    return (rows * direction).sum();
  });
}

}  // namespace espalier::prune
