// Many threads, few sessions, the same answers.
#include <gtest/gtest.h>

#include <thread>

#include "tests/api/tiny_models.hpp"

namespace espalier {
namespace {

using testing::as_texts;

TEST(SessionPool, AnswersAsOneSessionFromManyThreads) {
  const Model model = testing::open_tiny();
  const std::vector<std::string> strings = testing::some_texts();
  const std::vector<Text> texts = as_texts(strings);
  Session session(model);
  const std::vector<Classification> expected = session.classify(texts);
  SessionPool pool(model, {.session = {.n_threads = 1}, .n_workers = 2});
  constexpr std::size_t kThreads = 6;  // more than workers, so that calls wait
  std::vector<std::size_t> n_same(kThreads, 0);
  constexpr std::size_t kRounds = 20;

  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t round = 0; round < kRounds; ++round) {
        const std::size_t i = (thread + round) % texts.size();
        const auto answers = pool.classify(std::span(&texts[i], 1));
        n_same[thread] += answers[0].logits == expected[i].logits ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(n_same, std::vector<std::size_t>(kThreads, kRounds));
}

TEST(SessionPool, ASessionComesBackAfterAnError) {
  SessionPool pool(testing::open_tiny(), {.session = {.n_threads = 1}, .n_workers = 1});
  const std::vector<Text> texts = {{.first = "the film", .second = {}}};

  for (int round = 0; round < 3; ++round) {
    EXPECT_THROW((void)pool.embed(texts), Error);
  }

  EXPECT_EQ(pool.classify(texts).size(), 1U);  // would wait for ever had the session been lost
}

TEST(SessionPool, TagsAndEmbedsToo) {
  SessionPool taggers(testing::open_tiny(testing::tiny_tagger()), {.n_workers = 1});
  SessionPool embedders(testing::open_tiny(testing::tiny_embedder()), {.n_workers = 1});
  const std::vector<std::string_view> text = {"john lives in berlin"};
  const std::vector<Text> texts = {{.first = text[0], .second = {}}};

  EXPECT_EQ(taggers.tag(text)[0].word_labels.size(), 4U);
  EXPECT_EQ(embedders.embed(texts)[0].values.size(), 32U);
}

TEST(SessionPool, RefusesAtOnceWhatNoSessionCanBe) {
  EXPECT_THROW(SessionPool(testing::open_tiny(), {.session = {.backend = "none"}}), Error);
}

}  // namespace
}  // namespace espalier
