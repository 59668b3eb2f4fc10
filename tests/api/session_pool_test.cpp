// Many threads, few sessions, the same answers.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
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

/// A pool of one session that a call holds until release().
class BusyPool {
 public:
  BusyPool() {
    holder_ = std::thread([this] { n_answers_ = pool_.classify(as_texts(long_text_)).size(); });
    is_held_.get_future().wait();
  }
  ~BusyPool() { release(); }

  /// Answers of the call that held the session.
  std::size_t release() {
    if (holder_.joinable()) {
      released_.set_value();
      holder_.join();
    }
    return n_answers_;
  }

  /// What becomes of a call; ErrorCode{} is an answer.
  [[nodiscard]] ErrorCode ask(const CallLimits& call) {
    const std::vector<Text> texts = {{.first = "the film", .second = {}}};
    try {
      (void)pool_.classify(texts, call);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode{};
  }

 private:
  /// The warning that a text was cut comes in the middle of the call that cut it.
  void hold(LogLevel level) {
    if (level != LogLevel::warning) return;  // those of making the session are infos
    is_held_.set_value();
    released_.get_future().wait();
  }

  const std::vector<std::string> long_text_ = {"the film is good and the tree grows"};
  std::promise<void> is_held_;
  std::promise<void> released_;
  std::size_t n_answers_ = 0;
  SessionPool pool_{testing::open_tiny(),
                    {.session = {.n_threads = 1,
                                 .backend = "reference",
                                 .max_length = 4,
                                 .log = [this](LogLevel level, std::string_view) { hold(level); }},
                     .n_workers = 1}};
  std::thread holder_;
};

TEST(SessionPool, AWaitingCallGivesUpAtItsDeadline) {
  BusyPool busy;

  const auto now = std::chrono::steady_clock::now();
  EXPECT_EQ(busy.ask({.deadline = now}), ErrorCode::deadline);
  EXPECT_EQ(busy.ask({.deadline = now + std::chrono::milliseconds(5)}), ErrorCode::deadline);

  EXPECT_EQ(busy.release(), 1U);
  EXPECT_EQ(busy.ask({}), ErrorCode{});
}

TEST(SessionPool, AWaitingCallGivesUpWhenItIsCancelled) {
  BusyPool busy;
  std::int32_t cancel = 0;

  auto waiting = std::async(std::launch::async, [&] { return busy.ask({.cancel = &cancel}); });
  std::atomic_ref(cancel).store(1);

  EXPECT_EQ(waiting.get(), ErrorCode::cancelled);
  EXPECT_EQ(busy.release(), 1U);
}

TEST(SessionPool, AWaitingCallWithinItsLimitsIsAnswered) {
  BusyPool busy;
  const std::int32_t cancel = 0;
  const CallLimits far = {.cancel = &cancel,
                          .deadline = std::chrono::steady_clock::now() + std::chrono::hours(1)};

  auto waiting = std::async(std::launch::async, [&] { return busy.ask(far); });
  EXPECT_EQ(busy.release(), 1U);

  EXPECT_EQ(waiting.get(), ErrorCode{});
}

TEST(SessionPool, PassesLimitsOnToItsSessions) {
  SessionPool classifiers(testing::open_tiny(), {.n_workers = 1});
  SessionPool taggers(testing::open_tiny(testing::tiny_tagger()), {.n_workers = 1});
  SessionPool embedders(testing::open_tiny(testing::tiny_embedder()), {.n_workers = 1});
  const std::vector<std::string_view> text = {"john lives in berlin"};
  const std::vector<Text> texts = {{.first = text[0], .second = {}}};
  const std::int32_t cancel = 1;
  const CallLimits call = {.cancel = &cancel};

  EXPECT_THROW((void)classifiers.classify(texts, call), Error);
  EXPECT_THROW((void)taggers.tag(text, call), Error);
  EXPECT_THROW((void)embedders.embed(texts, call), Error);
}

TEST(SessionPool, RefusesAtOnceWhatNoSessionCanBe) {
  EXPECT_THROW(SessionPool(testing::open_tiny(), {.session = {.backend = "none"}}), Error);
}

}  // namespace
}  // namespace espalier
