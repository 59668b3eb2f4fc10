// What heads ask of the encoder, and how logits become scores.
#include "runtime/heads.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/tiny_model.hpp"

namespace espalier::runtime {
namespace {

using testing::make_tiny_model;

HeadPlan plan(const testing::TinyModel& tiny) {
  const testing::OwnedModel model = make_tiny_model(tiny);
  return head_plan(model.spec());
}

TEST(HeadPlan, AsksForFirstTokensOnlyWhereTheHeadReadsThemAlone) {
  EXPECT_EQ(plan({.task = Task::classify}).last_layer, Rows::first_of_each);
  EXPECT_EQ(plan({.task = Task::multi_label}).last_layer, Rows::first_of_each);
  EXPECT_EQ(plan({.task = Task::regress}).last_layer, Rows::first_of_each);
  EXPECT_EQ(plan({.task = Task::embed, .pooling = format::Pooling::cls}).last_layer,
            Rows::first_of_each);
  EXPECT_EQ(plan({.task = Task::embed, .pooling = format::Pooling::mean}).last_layer, Rows::all);
  EXPECT_EQ(plan({.task = Task::tag}).last_layer, Rows::all);
  EXPECT_EQ(plan({.task = Task::fill_mask}).last_layer, Rows::all);
}

TEST(HeadPlan, SparesNoRowsInAModelWithoutLayers) {
  EXPECT_EQ(plan({.n_heads = {}, .intermediate = {}}).last_layer, Rows::all);
}

TEST(HeadPlan, KnowsTheWidthOfItsRows) {
  EXPECT_EQ(plan({.task = Task::classify, .labels = {"a", "b", "c"}}).width, 3U);
  EXPECT_EQ(plan({.task = Task::regress}).width, 1U);
  EXPECT_EQ(plan({.task = Task::embed, .hidden = 40}).width, 40U);
  EXPECT_EQ(plan({.task = Task::fill_mask}).width, 64U);
}

TEST(HeadPlan, CountsTheRowsOfAnAnswer) {
  const std::vector<TokenId> sentence = {TokenId{2}, TokenId{4}, TokenId{9}, TokenId{4},
                                         TokenId{3}};

  EXPECT_EQ(plan({.task = Task::classify}).answer_rows(sentence), 1U);
  EXPECT_EQ(plan({.task = Task::embed}).answer_rows(sentence), 1U);
  EXPECT_EQ(plan({.task = Task::tag}).answer_rows(sentence), 5U);
  EXPECT_EQ(plan({.task = Task::fill_mask}).answer_rows(sentence), 2U);
}

TEST(Scores, SoftmaxAgreesWithDoublePrecisionAndSumsToOne) {
  const std::vector<float> logits = {1.0F, -2.5F, 0.25F, 30.0F, 29.0F};
  double total = 0;
  for (const float logit : logits) total += std::exp(double{logit} - 30.0);
  std::vector<float> scores = logits;

  logits_to_scores(ScoreKind::softmax, scores);

  for (std::size_t i = 0; i < logits.size(); ++i) {
    EXPECT_NEAR(scores[i], std::exp(double{logits[i]} - 30.0) / total, 3e-7) << i;
  }
}

TEST(Scores, SoftmaxOfHugeLogitsIsFinite) {
  std::vector<float> scores = {3e38F, -3e38F};

  logits_to_scores(ScoreKind::softmax, scores);

  EXPECT_EQ(scores[0], 1.0F);
  EXPECT_LT(scores[1], 1e-37F);
}

TEST(Scores, SigmoidAgreesWithDoublePrecisionOnBothSides) {
  const std::vector<float> logits = {0.0F, 1.5F, -1.5F, 20.0F, -20.0F};
  std::vector<float> scores = logits;

  logits_to_scores(ScoreKind::sigmoid, scores);

  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double truth = 1.0 / (1.0 + std::exp(-double{logits[i]}));
    EXPECT_NEAR(scores[i], truth, 4e-7 * truth) << i;
  }
}

TEST(Scores, RegressionIsItself) {
  std::vector<float> scores = {-3.5F};

  logits_to_scores(score_kind(Task::regress), scores);

  EXPECT_EQ(scores[0], -3.5F);
}

TEST(L2Normalize, MakesALengthOfOne) {
  std::vector<float> x = {3.0F, 0.0F, -4.0F};

  l2_normalize(x);

  EXPECT_EQ(x, (std::vector<float>{3.0F / 5.0F, 0.0F, -4.0F / 5.0F}));
}

TEST(L2Normalize, LeavesZeroAlone) {
  std::vector<float> x(5, 0.0F);

  l2_normalize(x);

  EXPECT_EQ(x, std::vector<float>(5, 0.0F));
}

}  // namespace
}  // namespace espalier::runtime
