// The table of tasks, how rows become examples, answers to a whole data set, and that every task of
// the table is learnt.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "compress/objective/padding.hpp"
#include "tests/compress/objective/task_testing.hpp"

namespace espalier::objective {
namespace {

using checkpoint::Architecture;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

Examples read_rows(const Task& task, std::vector<data::Row> rows) {
  return task.read(rows_of(std::move(rows)), up_to(32));
}

TEST(TaskKinds, AreFoundByTheirNames) {
  std::set<std::string_view> names;
  for (const TaskKind& kind : task_kinds()) {
    EXPECT_EQ(&task_kind(kind.name), &kind);
    EXPECT_EQ(kind.has_labels, kind.find_labels != nullptr) << kind.name;
    names.insert(kind.name);
  }

  EXPECT_EQ(names.size(), task_kinds().size());
}

TEST(TaskKinds, AreListedWhenThereIsNoSuchTask) {
  try {
    (void)task_kind("translate");
    FAIL() << "there is a task 'translate'";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'translate'"), HasSubstr("classify, pair")));
    for (const TaskKind& kind : task_kinds()) {
      EXPECT_THAT(error.what(), HasSubstr(std::string(kind.name)));
    }
  }
}

TEST(Classify, ReadsLabelsByTheirPlaceInTheList) {
  const Examples examples = read_rows(
      *make_classify({.labels = {"pos", "neg"}}),
      {{.text = "rain", .label = "neg"}, {.text = "the sun", .pair = "cats", .label = "pos"}});

  EXPECT_TRUE(at::equal(examples.targets, at::tensor(std::vector<std::int64_t>{1, 0})));
  EXPECT_THAT(examples.tokens.offsets, ElementsAre(0, 3, 3 + 7));
  EXPECT_THAT(std::vector<std::uint8_t>(examples.tokens.segments.begin() + 3,
                                        examples.tokens.segments.end()),
              ElementsAre(0, 0, 0, 0, 1, 1, 1));
  EXPECT_THAT(examples.lines, ElementsAre(2, 3));
  EXPECT_THAT(examples.rows, ElementsAre(0, 1));
  EXPECT_EQ(examples.n_truncated, 0U);
  EXPECT_EQ(examples.place(1), "line 3 of 'train.tsv'");
}

TEST(Classify, CountsTruncatedSentences) {
  const Examples examples = make_classify({.labels = {"a"}})
                                ->read(rows_of({{.text = "rain sun rain sun", .label = "a"},
                                                {.text = "rain", .label = "a"}}),
                                       up_to(5));

  EXPECT_EQ(examples.n_truncated, 1U);
  EXPECT_EQ(examples.length(0), 5U);
  EXPECT_EQ(examples.length(1), 3U);
}

TEST(Tasks, RefuseAnUnknownLabelNamingItsLine) {
  const std::vector<data::Row> rows = {{.text = "rain", .label = "late"},
                                       {.text = "rain", .label = "lost"}};
  for (const auto make : {make_classify, make_multi_label}) {
    const auto task = make({.labels = {"late", "early"}});
    EXPECT_THAT(refusal_of([&] { (void)read_rows(*task, rows); }),
                AllOf(HasSubstr("line 3 of 'train.tsv'"), HasSubstr("'lost'"),
                      HasSubstr("'late', 'early'")));
  }
}

TEST(Tasks, RefuseAScoreThatIsNoNumberNamingItsLine) {
  const std::vector<data::Row> rows = {{.text = "rain", .pair = "sun", .label = "1.5"},
                                       {.text = "rain", .pair = "sun", .label = "high"}};
  for (const auto make : {make_regress, make_embed}) {
    const auto task = make({});
    EXPECT_THAT(refusal_of([&] { (void)read_rows(*task, rows); }),
                AllOf(HasSubstr("line 3 of 'train.tsv'"), HasSubstr("'high'")));
  }
}

TEST(MultiLabel, ReadsJsonListsAndCommaLists) {
  const Examples examples =
      read_rows(*make_multi_label({.labels = {"late", "lost", "lost, late"}}),
                {{.text = "rain", .label = R"(["lost","late"])"},
                 {.text = "rain", .label = "lost,late"},
                 {.text = "rain", .label = "lost, late"},  // the name of a label
                 {.text = "rain", .label = ""}});

  const std::vector<float> expected = {1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0};
  EXPECT_TRUE(at::equal(examples.targets, at::tensor(expected).view({4, 3})));
}

TEST(Regress, ReadsScores) {
  const Examples examples = read_rows(
      *make_regress({}), {{.text = "rain", .label = "2.5"}, {.text = "sun", .label = "-1e1"}});

  EXPECT_TRUE(at::equal(examples.targets, at::tensor(std::vector<float>{2.5F, -10})));
}

TEST(Embed, ReadsTheTwoTextsOfAPairApart) {
  const Examples examples =
      read_rows(*make_embed({}), {{.text = "the rain", .pair = "sun", .label = "3"},
                                  {.text = "cat", .pair = "the brown fox", .label = "0.5"}});

  EXPECT_EQ(examples.size(), 2U);
  EXPECT_EQ(examples.texts_each, 2U);
  EXPECT_THAT(examples.tokens.offsets, ElementsAre(0, 4, 7, 10, 15));
  EXPECT_EQ(examples.length(0), 4U);
  EXPECT_EQ(examples.length(1), 5U);  // of the second text
  EXPECT_TRUE(at::equal(examples.targets, at::tensor(std::vector<float>{3, 0.5F})));
}

TEST(Embed, NeedsNoScoresForPairsThatBelongTogether) {
  const std::vector<data::Row> rows = {{.text = "rain", .pair = "sun"}};

  EXPECT_TRUE(at::equal(read_rows(*make_embed({.scored = false}), rows).targets, at::zeros({1})));
  EXPECT_THAT(refusal_of([&] { (void)read_rows(*make_embed({}), rows); }),
              HasSubstr("line 2 of 'train.tsv'"));
}

TEST(Embed, BatchesFirstTextsBeforeSecondOnes) {
  const auto task = make_embed({});
  const Examples examples = read_rows(*task, {{.text = "rain", .pair = "sun", .label = "3"},
                                              {.text = "cat", .pair = "fox", .label = "0"},
                                              {.text = "wall", .pair = "garden", .label = "1"}});
  const TaskObjective objective(*task, examples, 0);
  const std::vector<std::size_t> chosen = {2, 0};

  const Batch batch = objective.batch(chosen, 0);

  Words words;
  for (std::int64_t text = 0; text < batch.tokens.ids.size(0); ++text) {
    words.emplace_back(shared_tokenizer().piece(
        static_cast<TokenId>(batch.tokens.ids[text][1].item<std::int32_t>())));
  }
  EXPECT_THAT(words, ElementsAre("wall", "rain", "garden", "sun"));
  EXPECT_TRUE(at::equal(batch.targets, at::tensor(std::vector<float>{1, 3})));
}

Examples with_targets(const std::vector<std::int64_t>& targets) {
  Examples examples;
  examples.file = "train.tsv";
  examples.targets = at::tensor(targets, at::kLong);
  return examples;
}

TEST(BalancedWeights, GiveEveryLabelTheSameSum) {
  // 6 targets, 3 labels; ignored ones do not count.
  EXPECT_THAT(balanced_weights(with_targets({0, 1, 0, kIgnored, 2, 0, 1, kIgnored}), 3),
              ElementsAre(6.0F / 9, 1.0F, 2.0F));
}

TEST(BalancedWeights, RefuseALabelWithoutExamples) {
  EXPECT_THAT(refusal_of([] {
                (void)balanced_weights(with_targets({0, 2, 0}), 3);
              }),
              AllOf(HasSubstr("label 1"), HasSubstr("'train.tsv'")));
}

// 400 rows of 1 to 12 words: several inference batches of unlike lengths.
std::vector<data::Row> many_rows() {
  const Words vocabulary = {"rain", "sun", "tree", "leaf", "wall", "garden", "cat", "fox"};
  Random random(1);
  std::vector<data::Row> rows;
  for (int row = 0; row < 400; ++row) {
    data::Row& next = rows.emplace_back();
    const std::size_t n_words = 1 + random.below(12);
    for (std::size_t word = 0; word < n_words; ++word) {
      next.words.push_back(vocabulary[random.below(vocabulary.size())]);
      next.tags.push_back("O");
    }
    next.text = data::join_words(next.words);
    next.pair = "the " + next.words[0];
    next.label = "1";
  }
  return rows;
}

class AnswerAll : public ::testing::TestWithParam<const char*> {};

TEST_P(AnswerAll, EqualsOneSentenceAtATime) {
  const at::NoGradGuard no_gradients;
  at::set_num_threads(1);  // such small products are slower on many
  const TaskKind& kind = task_kind(GetParam());
  const Words labels = kind.architecture == Architecture::model ? Words() : Words{"O", "1"};
  const auto task = kind.make({.labels = {"O", "1"}});
  const model::Bert bert = lively_bert(tiny_config(kind.architecture, labels), 3);
  const Examples data = read_rows(*task, many_rows());
  const bool by_token = kind.architecture == Architecture::token_classification;

  const at::Tensor all = answer_all(*task, bert, data, by_token);

  ASSERT_GT(data.tokens.n_tokens(), 2048U);  // more than one batch
  double largest = 0;
  for (std::size_t sentence = 0; sentence < data.tokens.n_sentences(); ++sentence) {
    const model::TokenTensors tokens = pad(data.tokens, {&sentence, 1}, 0);
    ASSERT_FALSE(tokens.mask.defined());
    const at::Tensor alone = task->answers(bert, model::encode(bert, tokens), tokens, {})[0];
    const auto row = static_cast<std::int64_t>(sentence);
    const at::Tensor together =
        by_token ? all.slice(0, data.tokens.offsets[sentence], data.tokens.offsets[sentence + 1])
                 : all[row];
    ASSERT_EQ(together.sizes(), alone.sizes());
    largest = std::max(largest, (together - alone).abs().max().item<double>());
  }
  EXPECT_LT(largest, 1e-5);
  EXPECT_GT(all.std(0).max().item<double>(), 1e-2);  // answers differ, so places matter
}

INSTANTIATE_TEST_SUITE_P(Tasks, AnswerAll, ::testing::Values("classify", "pair", "tag", "embed"));

// 32 rows that answer any task of the table: texts of one kind have the label "yes", score 1, a
// partner of the same kind and B-X tags.
std::vector<data::Row> easy_rows(const TaskKind& kind) {
  const Words good = {"rain", "sun", "tree", "leaf"};
  const Words bad = {"bank", "money", "city", "wall"};
  std::vector<data::Row> rows;
  for (std::size_t row = 0; row < 32; ++row) {
    const bool yes = row % 2 == 0;
    const std::string word = (yes ? good : bad)[row / 2 % 4];
    data::Row& next = rows.emplace_back();
    next.words = {"the", word, row % 3 == 0 ? "grow" : "was"};
    next.tags = {"O", yes ? "B-X" : "B-Y", "O"};
    next.text = data::join_words(next.words);
    next.label = yes ? "yes" : "no";
    if (!kind.has_labels) next.label = yes ? "1" : "0";
    // Vectors of the first kind of pair shall be alike, of the second not.
    if (kind.needs_pair) next.pair = "the " + good[(row / 2 + 1) % 4];
  }
  return rows;
}

// Against the gradient, at most 0.05 far: losses differ in how steep they are.
void take_plain_step(model::Bert& bert) {
  const at::NoGradGuard no_gradients;
  double squares = 0;
  model::for_each_parameter(bert, [&](const std::string&, const at::Tensor& value) {
    if (value.grad().defined()) squares += value.grad().square().sum().item<double>();
  });
  model::for_each_parameter(bert, [&](const std::string&, at::Tensor& value) {
    if (!value.grad().defined()) return;  // no task uses all parts
    value.sub_(value.grad(), 0.05 / std::max(1.0, std::sqrt(squares)));
    value.mutable_grad().reset();
  });
}

class EveryTask : public ::testing::TestWithParam<std::size_t> {};

TEST_P(EveryTask, IsLearntFromThirtyTwoExamples) {
  at::set_num_threads(1);
  const TaskKind& kind = task_kinds()[GetParam()];
  SCOPED_TRACE(kind.name);
  const LabelledRows rows = rows_of(easy_rows(kind));
  const Words labels = kind.find_labels == nullptr ? Words() : kind.find_labels(rows);
  const auto task = kind.make({.labels = labels});
  const Examples examples = task->read(rows, up_to(32));
  const TaskObjective objective(*task, examples, 0);
  ASSERT_EQ(objective.size(), 32U);
  checkpoint::BertConfig config = tiny_config(kind.architecture, labels);
  if (kind.problem_type == checkpoint::ProblemType::regression) config.labels = {"score"};
  model::Bert bert = lively_bert(config, 4);
  model::for_each_parameter(
      bert, [](const std::string&, at::Tensor& value) { value.set_requires_grad(true); });
  std::vector<std::size_t> all(objective.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const Batch batch = objective.batch(all, 0);
  const double before = objective.loss(bert, batch, {}).item<double>();

  for (int step = 0; step < 100; ++step) {
    objective.loss(bert, batch, {}).backward();
    take_plain_step(bert);
  }

  EXPECT_GT(before, 0.1);
  EXPECT_LT(objective.loss(bert, batch, {}).item<double>(), before / 2);
  const at::NoGradGuard no_gradients;
  const Scores scores = TaskJudge(*task, examples).judge(bert);
  EXPECT_GT(scores.at(0).value, 80) << scores[0].name;
}

INSTANTIATE_TEST_SUITE_P(OfTheTable, EveryTask,
                         ::testing::Range(std::size_t{0}, task_kinds().size()));

TEST(TaskObjective, GivesDropoutToTheModel) {
  const auto task = make_classify({.labels = {"no", "yes"}});
  const Examples examples = read_rows(*task, easy_rows(task_kind("classify")));
  const TaskObjective objective(*task, examples, 0);
  const model::Bert bert =
      lively_bert(tiny_config(Architecture::sequence_classification, {"no", "yes"}), 5);
  const std::vector<std::size_t> some = {0, 1, 2, 3};
  const Batch batch = objective.batch(some, 0);
  const auto loss = [&](const model::Dropout& dropout) {
    return objective.loss(bert, batch, dropout).item<double>();
  };

  EXPECT_EQ(loss({}), loss({}));
  EXPECT_NE(loss({.hidden = 0.5}), loss({}));
  EXPECT_NE(loss({.classifier = 0.5}), loss({}));
}

}  // namespace
}  // namespace espalier::objective
