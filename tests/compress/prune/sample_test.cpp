#include "compress/prune/sample.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/compress/prune/small_model.hpp"

namespace espalier::prune {
namespace {

std::vector<std::size_t> examples_of(const Sample& sample) {
  std::vector<std::size_t> all;
  for (const objective::Batch& batch : sample.batches) {
    all.insert(all.end(), batch.examples.begin(), batch.examples.end());
  }
  return all;
}

std::vector<at::Tensor> tensors_of(const UnitGradients& gradients) {
  std::vector<at::Tensor> all = gradients.heads;
  all.insert(all.end(), gradients.neurons.begin(), gradients.neurons.end());
  return all;
}

// A batch of a few sentences of different lengths, in double precision.
struct FewSentences {
  explicit FewSentences(std::string_view kind = "classify", std::uint32_t n_labels = 2)
      : task(objective::task_kind(kind).make({.labels = labels(n_labels)})) {
    at::set_num_threads(1);
    checkpoint::BertConfig config = small_config();
    config.architecture = objective::task_kind(kind).architecture;
    config.problem_type = objective::task_kind(kind).problem_type;
    config.labels = labels(n_labels);
    bert = in_double(lively_bert(config));
    bert.classifier->weight.mul_(2);  // some answers are sure, so that temperature is seen
    if (kind == "tag")
      data.targets = at::zeros({static_cast<std::int64_t>(data.tokens.ids.size())}, at::kLong);
    sample = draw_sample(examples, 7, 1);
  }

  static std::vector<std::string> labels(std::uint32_t n_labels) {
    std::vector<std::string> names;
    for (std::uint32_t label = 0; label < n_labels; ++label) names.push_back(std::to_string(label));
    return names;
  }

  std::unique_ptr<objective::Task> task;
  objective::Examples data = train::small_examples(7, 3);
  objective::TaskObjective examples{*task, data, 0};
  model::Bert bert;
  Sample sample;
};

model::Gates open_gates(const model::Bert& bert, std::int64_t n_sentences) {
  model::Gates gates;
  for (const checkpoint::LayerWidths& widths : bert.config.layers) {
    gates.heads.push_back(at::ones({n_sentences, static_cast<std::int64_t>(widths.heads.size())},
                                   bert.word.options()));
    gates.neurons.push_back(at::ones({n_sentences, widths.intermediate}, bert.word.options()));
  }
  return gates;
}

std::vector<at::Tensor> tensors_of(const model::Gates& gates) {
  std::vector<at::Tensor> all = gates.heads;
  all.insert(all.end(), gates.neurons.begin(), gates.neurons.end());
  return all;
}

at::Tensor gated_answers(const FewSentences& few, const model::Gates& gates) {
  const model::TokenTensors& tokens = few.sample.batches[0].tokens;
  return few.task->answers(few.bert, model::encode(few.bert, tokens, {}, nullptr, &gates), tokens,
                           {});
}

// Derivatives of a row of answers by all gates of its sentence: (gates) of (units, answers), a row
// being one of (sentences) or, of tags, of (sentences, tokens).
std::vector<at::Tensor> jacobian(const FewSentences& few, std::int64_t sentence,
                                 std::int64_t token) {
  const model::Gates gates = open_gates(few.bert, few.sample.batches[0].tokens.ids.size(0));
  const std::vector<at::Tensor> all = tensors_of(gates);
  for (const at::Tensor& gate : all) gate.set_requires_grad(true);
  const at::Tensor answers = gated_answers(few, gates);
  const at::Tensor row = answers.dim() == 3 ? answers[sentence][token] : answers[sentence];
  std::vector<std::vector<at::Tensor>> columns(all.size());
  for (std::int64_t answer = 0; answer < row.size(0); ++answer) {
    for (const at::Tensor& gate : all) gate.mutable_grad() = at::Tensor();
    row[answer].backward({}, /*retain_graph=*/true);
    for (std::size_t gate = 0; gate < all.size(); ++gate) {
      columns[gate].push_back(all[gate].grad()[sentence]);
    }
  }
  std::vector<at::Tensor> jacobians;
  for (const auto& column : columns) jacobians.push_back(at::stack(column, 1));
  return jacobians;
}

constexpr double kTemperature = 2;

// The curvature, by the answers of a row, of the divergence from them: what it is for classes, for
// labels that are each true or not, and for numbers.
at::Tensor curvature(const std::string& kind, const at::Tensor& row) {
  if (kind == "multi_label") {
    const at::Tensor chances = at::sigmoid(row / kTemperature);
    return at::diag(chances * (1 - chances));
  }
  if (kind == "regress") return at::eye(row.size(0), row.options());
  const at::Tensor chances = at::softmax(row / kTemperature, -1);
  return at::diag(chances) - at::outer(chances, chances);
}

// (gates) of (sentences, units): the sum over the rows of a sentence of J curvature Jᵀ's diagonal.
std::vector<at::Tensor> information(const FewSentences& few, const std::string& kind) {
  const model::TokenTensors& tokens = few.sample.batches[0].tokens;
  const model::Gates gates = open_gates(few.bert, tokens.ids.size(0));
  const at::Tensor answers = gated_answers(few, gates);
  std::vector<at::Tensor> all;
  for (const at::Tensor& gate : tensors_of(gates)) all.push_back(at::zeros_like(gate));
  for (std::int64_t sentence = 0; sentence < tokens.ids.size(0); ++sentence) {
    const std::int64_t n_rows =
        answers.dim() == 3 ? tokens.mask[sentence].sum().item<std::int64_t>() : 1;
    for (std::int64_t token = 0; token < n_rows; ++token) {
      const at::Tensor row = answers.dim() == 3 ? answers[sentence][token] : answers[sentence];
      const std::vector<at::Tensor> by_gate = jacobian(few, sentence, token);
      for (std::size_t gate = 0; gate < by_gate.size(); ++gate) {
        all[gate][sentence] += (by_gate[gate].matmul(curvature(kind, row)) * by_gate[gate]).sum(1);
      }
    }
  }
  return all;
}

TEST(DrawSample, TakesTheSameExamplesForTheSameSeed) {
  const PruningTask task;

  const Sample first = draw_sample(task.training, 50, 7);
  const Sample again = draw_sample(task.training, 50, 7);
  const Sample other = draw_sample(task.training, 50, 8);

  EXPECT_EQ(first.n_sentences, 50U);
  EXPECT_EQ(examples_of(first), examples_of(again));
  EXPECT_NE(examples_of(first), examples_of(other));
  const std::vector<std::size_t> taken = examples_of(first);
  EXPECT_EQ(std::set<std::size_t>(taken.begin(), taken.end()).size(), 50U);
}

TEST(DrawSample, TakesAllWhenThereAreFewer) {
  const PruningTask task;

  const Sample sample = draw_sample(task.training, 1000, 7);

  EXPECT_EQ(sample.n_sentences, 160U);
  std::vector<std::size_t> taken = examples_of(sample);
  std::sort(taken.begin(), taken.end());
  for (std::size_t example = 0; example < taken.size(); ++example) {
    EXPECT_EQ(taken[example], example);
  }
}

TEST(DrawSample, CountsTokensWithoutPadding) {
  const PruningTask task;
  const Sample sample = draw_sample(task.training, 90, 7);

  std::size_t n_tokens = 0, n_padded = 0;
  for (const std::size_t example : examples_of(sample)) n_tokens += task.train.length(example);
  for (const objective::Batch& batch : sample.batches) {
    n_padded += static_cast<std::size_t>(batch.tokens.ids.numel());
  }

  EXPECT_EQ(sample.n_tokens, n_tokens);
  EXPECT_LT(n_tokens, n_padded);
  EXPECT_EQ(sample.n_sentences, 90U);
  EXPECT_DOUBLE_EQ(sample.mean_length(), static_cast<double>(n_tokens) / 90);
}

TEST(DrawSample, PutsLikeLengthsTogether) {
  const PruningTask task;
  const Sample sample = draw_sample(task.training, 90, 7);

  std::vector<std::uint32_t> lengths;
  for (const std::size_t example : examples_of(sample)) {
    lengths.push_back(task.train.length(example));
  }

  EXPECT_TRUE(std::is_sorted(lengths.begin(), lengths.end()));
}

// A central difference over 2e-5 is off by 1e-10 / 6 of a third derivative, and by 1e-15 / 1e-5.
TEST(LabelGradients, AreThoseThatDifferencesOfTheLossShow) {
  const FewSentences few;
  ASSERT_EQ(few.sample.batches.size(), 1U);
  const objective::Batch& batch = few.sample.batches[0];
  const auto loss = [&](const model::Gates& gates) {
    return 7 * few.task->loss(gated_answers(few, gates), batch.targets).item<double>();
  };
  constexpr double kStep = 1e-5;

  const std::vector<at::Tensor> gradients = tensors_of(label_gradients(few.bert, few.sample));

  const model::Gates gates = open_gates(few.bert, 7);
  const std::vector<at::Tensor> all = tensors_of(gates);
  for (std::size_t gate = 0; gate < all.size(); ++gate) {
    ASSERT_EQ(gradients[gate].sizes(), all[gate].sizes());
    EXPECT_GT(gradients[gate].abs().max().item<double>(), 1e-4);
    for (std::int64_t unit = 0; unit < all[gate].size(1); unit += 3) {
      at::Tensor factor = all[gate][unit % 7][unit];
      factor.fill_(1 + kStep);
      const double above = loss(gates);
      factor.fill_(1 - kStep);
      const double below = loss(gates);
      factor.fill_(1);
      EXPECT_NEAR(gradients[gate][unit % 7][unit].item<double>(), (above - below) / (2 * kStep),
                  1e-7)
          << gate << " " << unit;
    }
  }
}

TEST(LabelGradients, StandForSentencesInTheOrderOfTheBatches) {
  const PruningTask task;
  const model::Bert bert = in_double(lively_bert(small_config()));
  Sample second = task.sample;
  second.batches = {task.sample.batches[1]};

  const std::vector<at::Tensor> all = tensors_of(label_gradients(bert, task.sample));
  const std::vector<at::Tensor> alone = tensors_of(label_gradients(bert, second));

  for (std::size_t gate = 0; gate < all.size(); ++gate) {
    EXPECT_EQ(all[gate].size(0), 120);
    EXPECT_TRUE(all[gate].slice(0, 32, 64).equal(alone[gate])) << gate;
  }
}

TEST(LabelGradients, OfAModelWithoutAnyUnitAreEmpty) {
  const PruningTask task;
  const model::Bert bert = model::cut(lively_bert(small_config()), std::vector<model::Kept>(2));

  const UnitGradients gradients = label_gradients(bert, task.sample);

  EXPECT_EQ(gradients.heads[1].numel(), 0);
  EXPECT_EQ(gradients.neurons[0].numel(), 0);
}

class AnswerGradients : public ::testing::TestWithParam<const char*> {};

// Over many seeds the mean of the squares comes as near to the information as its standard error,
// which the squares themselves show, lets expect: 6 of them, for some hundred units.
TEST_P(AnswerGradients, HaveTheInformationOfTheAnswersAsMeanSquare) {
  const std::string kind = GetParam();
  const FewSentences few(kind, kind == "regress" ? 1 : kind == "multi_label" ? 3 : 2);
  ASSERT_EQ(few.sample.batches.size(), 1U);
  ASSERT_TRUE(few.sample.batches[0].tokens.mask.defined());
  constexpr int kSeeds = 300;
  const std::vector<at::Tensor> expected = information(few, kind);
  std::vector<at::Tensor> sums, squares;
  for (const at::Tensor& gate : expected) {
    sums.push_back(at::zeros_like(gate));
    squares.push_back(at::zeros_like(gate));
  }

  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::vector<at::Tensor> drawn =
        tensors_of(answer_gradients(few.bert, few.sample, kTemperature, seed));
    for (std::size_t gate = 0; gate < drawn.size(); ++gate) {
      sums[gate] += drawn[gate].square();
      squares[gate] += drawn[gate].square().square();
    }
  }

  for (std::size_t gate = 0; gate < expected.size(); ++gate) {
    const at::Tensor mean = sums[gate] / kSeeds;
    const at::Tensor variance = squares[gate] / kSeeds - mean.square();
    const at::Tensor error = (variance.clamp_min(0) / kSeeds).sqrt();
    const at::Tensor far = (mean - expected[gate]).abs() > 6 * error + 1e-9 * expected[gate];
    EXPECT_EQ(far.sum().item<std::int64_t>(), 0) << gate;
    EXPECT_LT((error.sum() / expected[gate].sum()).item<double>(), 0.2) << "too few seeds to see";
  }
}

INSTANTIATE_TEST_SUITE_P(OfTasks, AnswerGradients,
                         ::testing::Values("classify", "multi_label", "regress", "tag"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(AnswerGradientsOfASeed, AreTheSameAgainAndLookAtNoLabel) {
  FewSentences few;
  const UnitGradients first = answer_gradients(few.bert, few.sample, 1, 5);
  few.sample.batches[0].targets = 1 - few.sample.batches[0].targets;

  const UnitGradients again = answer_gradients(few.bert, few.sample, 1, 5);
  const UnitGradients other = answer_gradients(few.bert, few.sample, 1, 6);

  EXPECT_TRUE(again.neurons[0].equal(first.neurons[0]));
  EXPECT_FALSE(other.neurons[0].equal(first.neurons[0]));
}

}  // namespace
}  // namespace espalier::prune
