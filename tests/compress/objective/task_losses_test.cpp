// The loss of every task against its formula, summed in double by plain loops.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/compress/objective/task_testing.hpp"

namespace espalier::objective {
namespace {

// fp32 against double: answers of a few units, sums of a few dozen terms.
constexpr double kTolerance = 1e-5;

using Matrix = std::vector<std::vector<double>>;

at::Tensor random_tensor(std::vector<std::int64_t> shape, std::int64_t seed) {
  at::manual_seed(static_cast<std::uint64_t>(seed));
  return at::randn(shape);
}

Matrix matrix_of(const at::Tensor& tensor) {
  Matrix matrix;
  for (std::int64_t row = 0; row < tensor.size(0); ++row) {
    std::vector<double>& values = matrix.emplace_back();
    for (std::int64_t column = 0; column < tensor.size(1); ++column) {
      values.push_back(tensor[row][column].item<double>());
    }
  }
  return matrix;
}

// -log softmax(logits)[target]
double surprise(const std::vector<double>& logits, std::size_t target) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  return std::log(sum) - logits[target];
}

// Mean of the surprises by weight; targets below 0 are left out.
double cross_entropy(const Matrix& logits, const std::vector<std::int64_t>& targets,
                     const std::vector<float>& weights) {
  double sum = 0;
  double total = 0;
  for (std::size_t row = 0; row < logits.size(); ++row) {
    if (targets[row] < 0) continue;
    const auto target = static_cast<std::size_t>(targets[row]);
    sum += static_cast<double>(weights[target]) * surprise(logits[row], target);
    total += static_cast<double>(weights[target]);
  }
  return sum / total;
}

Matrix unit_rows(const at::Tensor& tensor) {
  Matrix matrix = matrix_of(tensor);
  for (std::vector<double>& row : matrix) {
    double squares = 0;
    for (const double value : row) squares += value * value;
    for (double& value : row) value /= std::sqrt(squares);
  }
  return matrix;
}

double dot(const std::vector<double>& first, const std::vector<double>& second) {
  double sum = 0;
  for (std::size_t index = 0; index < first.size(); ++index) sum += first[index] * second[index];
  return sum;
}

at::Tensor unit(const at::Tensor& tensor) {
  return tensor / tensor.norm(2, {-1}, /*keepdim=*/true);
}

double loss_of(const Task& task, const at::Tensor& answers, const at::Tensor& targets) {
  return task.loss(answers, targets).item<double>();
}

TEST(ClassifyLoss, IsTheMeanCrossEntropy) {
  const at::Tensor answers = random_tensor({5, 3}, 1);
  const std::vector<std::int64_t> targets = {2, 0, 1, 2, 2};

  const double loss =
      loss_of(*make_classify({.labels = {"a", "b", "c"}}), answers, at::tensor(targets));

  EXPECT_NEAR(loss, cross_entropy(matrix_of(answers), targets, {1, 1, 1}), kTolerance);
}

TEST(ClassifyLoss, WeighsExamplesByTheirClass) {
  const at::Tensor answers = random_tensor({5, 3}, 2);
  const std::vector<std::int64_t> targets = {2, 0, 1, 2, 2};
  const std::vector<float> weights = {0.5F, 4, 0.25F};

  const double loss = loss_of(*make_classify({.labels = {"a", "b", "c"}, .class_weights = weights}),
                              answers, at::tensor(targets));

  EXPECT_NEAR(loss, cross_entropy(matrix_of(answers), targets, weights), kTolerance);
}

TEST(ClassifyLoss, IsZeroWithoutGradientWhenNoExampleHasAWeight) {
  const at::Tensor answers = random_tensor({2, 2}, 3).set_requires_grad(true);

  const at::Tensor loss = make_classify({.labels = {"a", "b"}, .class_weights = {0, 1}})
                              ->loss(answers, at::tensor(std::vector<std::int64_t>{0, 0}));
  loss.backward();

  EXPECT_EQ(loss.item<double>(), 0.0);
  EXPECT_TRUE(at::equal(answers.grad(), at::zeros({2, 2})));
}

TEST(MultiLabelLoss, IsTheMeanOverAllCellsWeighedByLabel) {
  const at::Tensor answers = random_tensor({4, 3}, 4);
  const at::Tensor targets =
      at::tensor(std::vector<float>{1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0}).view({4, 3});
  const std::vector<float> weights = {1, 3, 0.5F};
  double expected = 0;
  double plain = 0;
  const Matrix logits = matrix_of(answers);
  const Matrix wanted = matrix_of(targets);
  for (std::size_t row = 0; row < 4; ++row) {
    for (std::size_t label = 0; label < 3; ++label) {
      const double sign = wanted[row][label] > 0 ? 1 : -1;
      const double term = std::log(1 + std::exp(-sign * logits[row][label]));
      plain += term / 12;
      expected += static_cast<double>(weights[label]) * term / 12;
    }
  }

  EXPECT_NEAR(loss_of(*make_multi_label({.labels = {"a", "b", "c"}}), answers, targets), plain,
              kTolerance);
  EXPECT_NEAR(loss_of(*make_multi_label({.labels = {"a", "b", "c"}, .class_weights = weights}),
                      answers, targets),
              expected, kTolerance);
}

TEST(RegressLoss, IsTheMeanSquaredError) {
  const at::Tensor answers = at::tensor(std::vector<float>{1, 2.5F, -1}).view({3, 1});
  const at::Tensor targets = at::tensor(std::vector<float>{0, 2, 1});

  EXPECT_NEAR(loss_of(*make_regress({}), answers, targets), (1 + 0.25 + 4) / 3, kTolerance);
}

TEST(TagLoss, LooksAtFirstPiecesOnlyAndWeighsThem) {
  const at::Tensor answers = random_tensor({2, 4, 3}, 5);
  const std::vector<std::int64_t> targets = {kIgnored, 2, kIgnored, 0, kIgnored, 1, 2, kIgnored};
  const at::Tensor shaped = at::tensor(targets).view({2, 4});
  const Matrix logits = matrix_of(answers.view({8, 3}));

  EXPECT_NEAR(loss_of(*make_tag({.labels = {"O", "B-X", "I-X"}}), answers, shaped),
              cross_entropy(logits, targets, {1, 1, 1}), kTolerance);
  EXPECT_NEAR(loss_of(*make_tag({.labels = {"O", "B-X", "I-X"}, .class_weights = {0.2F, 1, 3}}),
                      answers, shaped),
              cross_entropy(logits, targets, {0.2F, 1, 3}), kTolerance);
}

TEST(TagLoss, IsZeroOfABatchWithoutAReadableWord) {
  const at::Tensor answers = random_tensor({1, 2, 2}, 6);

  EXPECT_EQ(
      loss_of(*make_tag({.labels = {"O", "B-X"}}), answers, at::full({1, 2}, kIgnored, at::kLong)),
      0.0);
}

TEST(EmbedLoss, OfScoredPairsIsCoSent) {
  // Pairs that are nearly alike: their cosines are so close that every pair of pairs shows.
  const at::Tensor first = random_tensor({6, 8}, 7);
  const at::Tensor vectors = at::cat({first, first + 0.3 * random_tensor({6, 8}, 8)});
  const std::vector<float> scores = {3, 1, 4, 1, 5, 3};  // ties, which ask for nothing
  const Matrix rows = unit_rows(vectors);
  double sum = 1;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (scores[i] >= scores[j]) continue;
      const double cosine_i = dot(rows[i], rows[i + scores.size()]);
      const double cosine_j = dot(rows[j], rows[j + scores.size()]);
      sum += std::exp(20 * (cosine_i - cosine_j));
    }
  }

  // Arguments of exp reach 20 times an fp32 cosine.
  EXPECT_NEAR(loss_of(*make_embed({}), unit(vectors), at::tensor(scores)), std::log(sum),
              20 * kTolerance);
}

TEST(EmbedLoss, OfEqualScoresIsZero) {
  const at::Tensor vectors = unit(random_tensor({6, 8}, 8));

  EXPECT_EQ(loss_of(*make_embed({}), vectors, at::ones({3})), 0.0);
}

TEST(EmbedLoss, WithoutScoresTakesTheOtherPairsOfTheBatchAsWrong) {
  const std::size_t n = 5;
  const at::Tensor vectors = random_tensor({2 * static_cast<std::int64_t>(n), 8}, 9);
  const Matrix rows = unit_rows(vectors);
  double expected = 0;
  for (std::size_t first = 0; first < n; ++first) {
    std::vector<double> logits;
    for (std::size_t second = 0; second < n; ++second) {
      logits.push_back(20 * dot(rows[first], rows[n + second]));
    }
    expected += surprise(logits, first) / static_cast<double>(n);
  }

  EXPECT_NEAR(loss_of(*make_embed({.scored = false}), unit(vectors), at::zeros({5})), expected,
              20 * kTolerance);
}

// Loops over tokens instead of a product with the mask.
TEST(EmbedAnswers, AreUnitVectorsOfTheRealTokensOrOfTheFirst) {
  const at::Tensor x = random_tensor({2, 4, 16}, 10);
  model::TokenTensors tokens;
  tokens.mask = at::tensor(std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 0, 0}).view({2, 4}) > 0;
  const model::Bert bert = model::new_bert(tiny_config(checkpoint::Architecture::model, {}), 1);
  const auto answers = [&](checkpoint::Pooling pooling) {
    return make_embed({.embedding = {.pooling = pooling}})->answers(bert, x, tokens, {});
  };

  const at::Tensor mean = at::stack({unit(x[0].sum(0)), unit(x[1].slice(0, 0, 2).sum(0))});
  EXPECT_TRUE(at::allclose(answers(checkpoint::Pooling::mean), mean, 0, kTolerance));
  EXPECT_TRUE(at::allclose(answers(checkpoint::Pooling::cls), unit(x.select(1, 0)), 0, kTolerance));

  tokens.mask = at::Tensor();
  EXPECT_TRUE(at::allclose(answers(checkpoint::Pooling::mean), unit(x.sum(1)), 0, kTolerance));
}

}  // namespace
}  // namespace espalier::objective
