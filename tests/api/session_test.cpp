// Classification, embedding and mask filling through the public API.
#include "espalier/session.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "tests/api/tiny_models.hpp"

namespace espalier {
namespace {

using testing::as_texts;
using testing::open_tiny;
using testing::some_texts;
using testing::TinyArchitecture;
using testing::TinyCheckpoint;

template <typename Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
  }
  return "no error";
}

TEST(Session, GivesProbabilitiesOfAllLabels) {
  Session session(open_tiny());

  for (const Classification& answer : session.classify(as_texts(some_texts()))) {
    ASSERT_EQ(answer.scores.size(), 2U);
    // Two rounded quotients of a rounded sum: each off by less than 2^-22.
    EXPECT_NEAR(answer.scores[0] + answer.scores[1], 1.0F, 0x1p-21F);
    EXPECT_EQ(answer.label, answer.logits[1] > answer.logits[0] ? 1U : 0U);
    EXPECT_EQ(answer.score, answer.scores[answer.label]);
  }
}

TEST(Session, GivesASigmoidForEachOfManyLabels) {
  TinyCheckpoint tiny;
  tiny.problem_type = "multi_label_classification";
  Session session(open_tiny(tiny));

  const Classification answer = session.classify({"the film is good"})[0];

  for (std::size_t label = 0; label < 2; ++label) {
    EXPECT_NEAR(answer.scores[label], 1 / (1 + std::exp(-answer.logits[label])), 1e-6F);
  }
}

TEST(Session, GivesTheValueOfARegression) {
  TinyCheckpoint tiny;
  tiny.labels = {"value"};
  Session session(open_tiny(tiny));

  const Classification answer = session.classify({"the film is good"})[0];

  EXPECT_EQ(answer.score, answer.logits[0]);
  EXPECT_EQ(answer.label, 0U);
}

TEST(Session, MarksWhatItCut) {
  Session session(open_tiny());

  const std::vector<Classification> answers = session.classify(as_texts(some_texts()));

  EXPECT_FALSE(answers[0].truncated);
  EXPECT_EQ(answers[1].n_tokens, 2U);
  EXPECT_TRUE(answers[4].truncated);
  EXPECT_EQ(answers[4].n_tokens, 64U);
}

TEST(Session, CutsAtItsOwnMaxLength) {
  Session session(open_tiny(), {.max_length = 7});

  EXPECT_EQ(session.classify(as_texts(some_texts()))[4].n_tokens, 7U);
}

TEST(Session, RefusesALengthTheModelDoesNotTake) {
  const Model model = open_tiny();

  EXPECT_EQ(refusal([&] { Session(model, {.max_length = 65}); }).rfind("2: max_length is 65", 0),
            0U);
  EXPECT_EQ(refusal([&] { Session(model, {.max_length = 2}); }).rfind("2: max_length is 2", 0), 0U);
}

TEST(Session, ReadsAPairTogether) {
  Session session(open_tiny());
  const std::vector<Text> texts = {{"the film", "is good"}, {"the film is good", std::nullopt}};

  const std::vector<Classification> answers = session.classify(texts);

  EXPECT_EQ(answers[0].n_tokens, answers[1].n_tokens + 1);
  EXPECT_NE(answers[0].logits, answers[1].logits);
}

TEST(Session, AnswersNothingToNothing) {
  Session session(open_tiny());

  EXPECT_TRUE(session.classify(std::vector<Text>{}).empty());
}

TEST(Session, RefusesTheCallOfAnotherTask) {
  Session session(open_tiny());
  const std::vector<std::string_view> texts = {"a"};

  EXPECT_EQ(refusal([&] { (void)session.embed({"a"}); }),
            "2: embed is not what this model does: its task is classify");
  EXPECT_EQ(refusal([&] { (void)session.tag(texts); }).rfind("2: tag ", 0), 0U);
  EXPECT_EQ(refusal([&] { (void)session.fill_mask(texts); }).rfind("2: fill_mask ", 0), 0U);
}

TEST(Session, Int8AnswersDoNotDependOnBatchOrderThreadsOrBackEnd) {
  const Model model = open_tiny();
  const std::vector<std::string> strings = some_texts();
  std::vector<Text> texts = as_texts(strings);
  std::vector<std::vector<float>> alone;
  Session one(model, {.n_threads = 1, .backend = "reference"});
  for (const Text& text : texts) {
    alone.push_back(one.classify(std::vector<Text>{text})[0].logits);
  }
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::reverse(texts.begin(), texts.end());
  std::reverse(order.begin(), order.end());

  for (const std::string& backend : testing::backends_here()) {
    for (const unsigned n_threads : {1U, 2U, 3U}) {
      Session session(model, {.n_threads = n_threads, .backend = backend});
      const std::vector<Classification> answers = session.classify(texts);
      for (std::size_t i = 0; i < answers.size(); ++i) {
        const std::vector<float>& expected = alone[order[i]];
        EXPECT_EQ(std::memcmp(answers[i].logits.data(), expected.data(), 2 * sizeof(float)), 0)
            << backend << ", " << n_threads << " threads, text " << order[i];
      }
    }
  }
}

TEST(Session, Int8StaysCloseToFp32) {
  const std::vector<std::string> strings = some_texts();
  Session int8(open_tiny(testing::tiny_embedder(), Precision::int8));
  Session fp32(open_tiny(testing::tiny_embedder(), Precision::fp32));

  const std::vector<Embedding> a = int8.embed(as_texts(strings));
  const std::vector<Embedding> b = fp32.embed(as_texts(strings));

  for (std::size_t i = 0; i < a.size(); ++i) {
    const double cosine =
        std::inner_product(a[i].values.begin(), a[i].values.end(), b[i].values.begin(), 0.0);
    // A code's error is uniform within 1/254 of a row's largest value, which for these rows is
    // about twice their RMS: 0.5 % noise a matmul, 12 matmuls deep: 1 - cosine near (0.005² * 12)
    // / 2.
    EXPECT_GT(cosine, 0.999) << i;
    EXPECT_NE(a[i].values, b[i].values) << "int8 is not fp32";
  }
}

TEST(Session, EmbeddingsHaveUnitLengthWhereTheCheckpointNormalizes) {
  TinyCheckpoint raw = testing::tiny_embedder();
  raw.normalize = false;
  Session normalized(open_tiny(testing::tiny_embedder()));
  Session as_is(open_tiny(raw));

  const auto norm = [](const Embedding& e) {
    return std::sqrt(std::inner_product(e.values.begin(), e.values.end(), e.values.begin(), 0.0));
  };

  EXPECT_NEAR(norm(normalized.embed({"the film"})[0]), 1.0, 1e-6);
  EXPECT_GT(std::abs(norm(as_is.embed({"the film"})[0]) - 1.0), 1e-3);
}

TEST(Session, FillsEachMaskWithItsBestCandidatesInOrder) {
  const Model model = open_tiny({.architecture = TinyArchitecture::masked_lm});
  Session session(model);
  const std::vector<std::string_view> texts = {"the [MASK] is [MASK]", "no mask", "[MASK]"};

  const std::vector<FilledMasks> answers = session.fill_mask(texts, 3);

  ASSERT_EQ(answers.size(), 3U);
  ASSERT_EQ(answers[0].masks.size(), 2U);
  EXPECT_TRUE(answers[1].masks.empty());
  ASSERT_EQ(answers[2].masks.size(), 1U);
  for (const std::vector<MaskCandidate>& mask : answers[0].masks) {
    ASSERT_EQ(mask.size(), 3U);
    EXPECT_GE(mask[0].score, mask[1].score);
    EXPECT_GE(mask[1].score, mask[2].score);
    EXPECT_EQ(mask[0].piece, model.tokenizer().piece(mask[0].id));
  }
}

TEST(Session, FillsMasksOfManyTextsAsOfEachAlone) {
  Session session(open_tiny({.architecture = TinyArchitecture::masked_lm}));
  std::vector<std::string> strings;
  for (int i = 0; i < 40; ++i) strings.push_back("tree " + std::to_string(i) + " is [MASK]");
  const std::vector<std::string_view> texts(strings.begin(), strings.end());

  const std::vector<FilledMasks> together = session.fill_mask(texts, 1);

  for (std::size_t i = 0; i < texts.size(); i += 13) {
    const FilledMasks alone = session.fill_mask(std::span(&texts[i], 1), 1)[0];
    EXPECT_EQ(together[i].masks[0][0].id, alone.masks[0][0].id) << i;
    EXPECT_EQ(together[i].masks[0][0].score, alone.masks[0][0].score) << i;
  }
}

TEST(Session, OffersNoMoreCandidatesThanPieces) {
  const Model model = open_tiny({.architecture = TinyArchitecture::masked_lm});
  Session session(model);
  const std::vector<std::string_view> texts = {"[MASK]"};

  EXPECT_EQ(session.fill_mask(texts, 1'000'000)[0].masks[0].size(), model.info().vocabulary_size);
  EXPECT_TRUE(session.fill_mask(texts, 0)[0].masks[0].empty());
}

TEST(Session, TwoModelsLiveSideBySide) {
  Session classifier(open_tiny());
  Session embedder(open_tiny(testing::tiny_embedder()));
  const std::vector<float> before = classifier.classify({"the film"})[0].logits;
  const std::vector<float> vector_before = embedder.embed({"the film"})[0].values;

  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(classifier.classify({"the film"})[0].logits, before);
    EXPECT_EQ(embedder.embed({"the film"})[0].values, vector_before);
  }
}

TEST(Session, OutlivesTheModelHandleItWasMadeFrom) {
  auto model = std::make_unique<Model>(open_tiny());
  Session session(*model);
  const std::vector<float> before = session.classify({"the film"})[0].logits;

  model.reset();

  EXPECT_EQ(session.classify({"the film"})[0].logits, before);
}

TEST(Session, NamesItsBackEndAndThreads) {
  Session session(open_tiny(), {.n_threads = 2, .backend = "reference"});

  EXPECT_EQ(session.backend(), "reference");
  EXPECT_FALSE(session.backend_path().empty());
  EXPECT_EQ(session.n_threads(), 2U);
}

}  // namespace
}  // namespace espalier
