// The scores of a model that knows its words by heart, against what one counts by hand.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/compress/objective/task_testing.hpp"

namespace espalier::objective {
namespace {

using checkpoint::Architecture;
using Words = std::vector<std::string>;

// Of scores that are percentages of counts; their logits are rounded, not they.
constexpr double kTolerance = 1e-3;

class Judges : public ::testing::Test {
 protected:
  static Scores judge(const Task& task, const model::Bert& bert, std::vector<data::Row> rows,
                      std::uint32_t max_length = 32) {
    const Examples data = task.read(rows_of(std::move(rows)), up_to(max_length));
    return TaskJudge(task, data).judge(bert);
  }

 private:
  at::NoGradGuard no_gradients_;
};

// A row of `answers` for each word.
at::Tensor answers_of(const std::vector<float>& answers, std::int64_t n_words) {
  return at::tensor(answers).view({n_words, -1});
}

TEST_F(Judges, OfClassesCountAccuracyF1AndMcc) {
  const auto task = make_classify({.labels = {"no", "yes"}});
  const model::Bert bert = knowing_bert(Architecture::sequence_classification, {"rain", "sun"},
                                        answers_of({0, 1, 1, 0}, 2));  // rain: yes, sun: no

  const Scores scores = judge(*task, bert,
                              {{.text = "rain", .label = "yes"},
                               {.text = "rain", .label = "yes"},
                               {.text = "rain", .label = "no"},
                               {.text = "sun", .label = "no"},
                               {.text = "sun", .label = "yes"}});

  // Of yes 2 true, 1 false, 1 missed; of no 1 true.
  EXPECT_EQ(scores[0].name, "accuracy");
  EXPECT_NEAR(scores[0].value, 60, kTolerance);
  EXPECT_NEAR(score_of(scores, "f1"), 100 * 4.0 / 6, kTolerance);
  EXPECT_NEAR(score_of(scores, "mcc"), (2.0 * 1 - 1 * 1) / 6, kTolerance);
}

TEST_F(Judges, OfManyLabelsCountCellsAndWholeRows) {
  const auto task = make_multi_label({.labels = {"late", "lost"}});
  const model::Bert bert =
      knowing_bert(Architecture::sequence_classification, {"rain", "sun", "tree"},
                   answers_of({1, -1, 1, 1, -1, -1}, 3));  // late; late and lost; nothing

  const Scores scores = judge(*task, bert,
                              {{.text = "rain", .label = "late"},
                               {.text = "sun", .label = "late"},
                               {.text = "tree", .label = "lost"}});

  EXPECT_EQ(scores[0].name, "micro_f1");
  EXPECT_NEAR(scores[0].value, 100 * 4.0 / 6, kTolerance);  // 2 true, 1 false, 1 missed
  EXPECT_NEAR(score_of(scores, "exact_match"), 100 / 3.0, kTolerance);
}

TEST_F(Judges, OfNumbersGiveCorrelationsAndError) {
  const auto task = make_regress({});
  // The state of [CLS] is sqrt(15) along its word's dimension of 16 and -1/sqrt(15) along others.
  // With answers whose sum is 0 the logit is the answer times the difference of the two tanh.
  const double scale = std::tanh(std::sqrt(15.0)) - std::tanh(-1 / std::sqrt(15.0));
  const at::Tensor wanted = answers_of({-3, -1, 1, 3}, 4);
  const Words words = {"rain", "sun", "tree", "leaf"};
  const model::Bert bert =
      knowing_bert(Architecture::sequence_classification, words, wanted / scale);

  const Scores scores = judge(*task, bert,
                              {{.text = "rain", .label = "-3"},
                               {.text = "sun", .label = "1"},
                               {.text = "tree", .label = "-1"},
                               {.text = "leaf", .label = "7"}});

  EXPECT_EQ(scores[0].name, "spearman");
  EXPECT_NEAR(scores[0].value, 100 * (1 - 6 * 2 / (4.0 * 15)), kTolerance);
  EXPECT_NEAR(score_of(scores, "pearson"), 100 * 28 / std::sqrt(20.0 * 56), kTolerance);
  EXPECT_NEAR(score_of(scores, "rmse"), std::sqrt(6.0), kTolerance);
}

TEST_F(Judges, OfNumbersGiveAConstantModelNoCorrelation) {
  const auto task = make_regress({});
  const model::Bert bert =
      knowing_bert(Architecture::sequence_classification, {"rain", "sun"}, answers_of({0, 0}, 2));

  const Scores scores =
      judge(*task, bert, {{.text = "rain", .label = "3"}, {.text = "sun", .label = "-1"}});

  EXPECT_EQ(score_of(scores, "spearman"), 0);
  EXPECT_EQ(score_of(scores, "pearson"), 0);
  EXPECT_NEAR(score_of(scores, "rmse"), std::sqrt(5.0), kTolerance);
}

TEST_F(Judges, OfVectorsRankCosines) {
  const model::Bert bert = knowing_bert(Architecture::model, {"rain", "sun"}, at::empty({0, 0}));

  for (const checkpoint::Pooling pooling : {checkpoint::Pooling::mean, checkpoint::Pooling::cls}) {
    const auto task = make_embed({.embedding = {.pooling = pooling}});
    // The cosines are 1, one between and the least.
    const Scores scores = judge(*task, bert,
                                {{.text = "rain", .pair = "rain", .label = "3"},
                                 {.text = "rain sun", .pair = "rain", .label = "5"},
                                 {.text = "sun", .pair = "rain", .label = "0"}});

    EXPECT_EQ(scores[0].name, "spearman");
    EXPECT_NEAR(scores[0].value, 50, kTolerance);
    EXPECT_LT(score_of(scores, "pearson"), 90);
  }
}

TEST_F(Judges, OfVectorsWithoutScoresCountTheFirstTextsThatFindTheirSecond) {
  const model::Bert bert = knowing_bert(Architecture::model, {"rain", "sun"}, at::empty({0, 0}));
  const auto task = make_embed({.scored = false});

  // The third first text lies nearest to the second text of the second pair.
  const Scores scores = judge(*task, bert,
                              {{.text = "rain", .pair = "rain"},
                               {.text = "sun", .pair = "sun"},
                               {.text = "sun", .pair = "rain sun"}});

  ASSERT_EQ(scores.size(), 1U);
  EXPECT_EQ(scores[0].name, "retrieval_accuracy");
  EXPECT_NEAR(scores[0].value, 100.0 * 2 / 3, kTolerance);
}

// A tagger that answers rain: O, sun: B-PER, tree: I-PER, leaf: B-LOC.
constexpr std::int64_t kTags = 4;
const Words kTagNames = {"O", "B-PER", "I-PER", "B-LOC"};
const Words kTagWords = {"rain", "sun", "tree", "leaf"};

model::Bert tagger() {
  return knowing_bert(Architecture::token_classification, kTagWords, at::eye(kTags));
}

TEST_F(Judges, OfTagsCountWholeEntities) {
  const auto task = make_tag({.labels = kTagNames});

  // Answers PER 0-2, LOC 3-4, PER 4-5 and, in the second sentence, PER 0-1.
  const Scores scores = judge(*task, tagger(),
                              {{.words = {"sun", "tree", "rain", "leaf", "sun"},
                                .tags = {"B-PER", "I-PER", "O", "O", "B-PER"}},
                               {.words = {"sun", "rain"}, .tags = {"B-PER", "I-PER"}}});

  EXPECT_EQ(scores[0].name, "entity_f1");
  EXPECT_NEAR(scores[0].value, 100 * 2.0 * 2 / (4 + 3), kTolerance);
  EXPECT_NEAR(score_of(scores, "precision"), 100 * 2.0 / 4, kTolerance);
  EXPECT_NEAR(score_of(scores, "recall"), 100 * 2.0 / 3, kTolerance);
  EXPECT_NEAR(score_of(scores, "tag_accuracy"), 100 * 5.0 / 7, kTolerance);
}

TEST_F(Judges, OfTagsJudgeAnEntityAcrossWindowsAsOne) {
  const auto task = make_tag({.labels = kTagNames});
  const std::vector<data::Row> rows = {
      {.words = {"rain", "sun", "sun", "rain"}, .tags = {"O", "B-PER", "I-PER", "O"}}};

  // Two words a window: apart, the second window's I-PER and B-PER would be the same entity.
  const Scores scores = judge(*task, tagger(), rows, 4);

  EXPECT_EQ(score_of(scores, "entity_f1"), 0);
  EXPECT_NEAR(score_of(scores, "tag_accuracy"), 75, kTolerance);
}

TEST_F(Judges, OfTagsKeepSentencesApart) {
  const auto task = make_tag({.labels = kTagNames});

  // Were they one sentence, its answer would be one entity and its tags two.
  const Scores scores =
      judge(*task, tagger(),
            {{.words = {"sun"}, .tags = {"B-PER"}}, {.words = {"tree"}, .tags = {"B-PER"}}});

  EXPECT_EQ(score_of(scores, "entity_f1"), 100);
}

TEST_F(Judges, OfTagsTakePartsOfSpeechAsAnEntityAWord) {
  const auto task = make_tag({.labels = {"DT", "NN", "VB", "JJ"}});

  const Scores scores =
      judge(*task, tagger(),
            {{.words = {"rain", "sun", "sun", "leaf"}, .tags = {"DT", "NN", "NN", "VB"}}});

  EXPECT_NEAR(score_of(scores, "entity_f1"), 75, kTolerance);
  EXPECT_NEAR(score_of(scores, "tag_accuracy"), 75, kTolerance);
}

TEST_F(Judges, OfTagsPassOverWordsThatNoModelCanRead) {
  const auto task = make_tag({.labels = kTagNames});

  const Scores scores =
      judge(*task, tagger(), {{.words = {"sun", "\x01", "rain"}, .tags = {"B-PER", "B-LOC", "O"}}});

  EXPECT_EQ(score_of(scores, "entity_f1"), 100);
  EXPECT_EQ(score_of(scores, "tag_accuracy"), 100);
}

}  // namespace
}  // namespace espalier::objective
