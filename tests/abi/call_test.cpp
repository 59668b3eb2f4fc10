// Sessions, classify and embed through the C interface: the same bits as in C++, and refusals.
#include <atomic>
#include <thread>

#include "tests/abi/c_tiny.hpp"

namespace espalier {
namespace {

using testing::c_text;
using testing::c_texts;
using testing::CModel;
using testing::CSession;
using testing::expect_refused;
using testing::open_c;
using testing::session_c;

TEST(Session, SaysWhatComputes) {
  const std::vector<std::byte> bytes = testing::tiny_bytes();
  const Session expected(Model::open(std::span<const std::byte>(bytes)), {.n_threads = 2});
  const CModel model = open_c(bytes);
  espalier_session_options options{};
  options.n_threads = 2;
  const CSession session = session_c(model, options);
  espalier_session_info info{};
  info.struct_size = sizeof info;

  ASSERT_EQ(espalier_session_get_info(session.get(), &info, nullptr), ESPALIER_OK);

  EXPECT_EQ(info.device, expected.backend());
  EXPECT_EQ(info.code_path, expected.backend_path());
  EXPECT_EQ(info.n_threads, 2U);
  EXPECT_EQ(info.max_length, 64U);
}

TEST(Session, RefusesNullArgumentsAndWrongOptions) {
  const CModel model = open_c();
  espalier_session* session = nullptr;
  espalier_session_options options{};
  options.struct_size = sizeof options;
  espalier_error error;

  expect_refused(espalier_session_open(nullptr, nullptr, &session, &error), error, ESPALIER_USAGE,
                 "model is NULL");
  expect_refused(espalier_session_open(model.get(), nullptr, nullptr, &error), error,
                 ESPALIER_USAGE, "session is NULL");
  expect_refused(espalier_session_get_info(nullptr, nullptr, &error), error, ESPALIER_USAGE,
                 "session is NULL");
  options.device = "abacus";
  expect_refused(espalier_session_open(model.get(), &options, &session, &error), error,
                 ESPALIER_USAGE, "abacus");
  options.device = nullptr;
  options.max_length = 65;
  expect_refused(espalier_session_open(model.get(), &options, &session, &error), error,
                 ESPALIER_USAGE, "max_length is 65");
  EXPECT_EQ(session, nullptr);
}

TEST(Session, OutlivesItsModel) {
  CModel model = open_c();
  const CSession session = session_c(model);
  model.reset();
  const espalier_text text = c_text("the film");
  float scores[2];

  EXPECT_EQ(espalier_classify(session.get(), &text, 1, nullptr, scores, 2, nullptr, nullptr),
            ESPALIER_OK);
}

TEST(Classify, GivesTheBitsOfTheCppInterface) {
  const std::vector<std::byte> bytes = testing::tiny_bytes();
  const std::vector<std::string> strings = testing::some_texts();
  const CModel model = open_c(bytes);
  for (const std::string& device : testing::backends_here()) {
    Session expected(Model::open(std::span<const std::byte>(bytes)), {.backend = device});
    espalier_session_options options{};
    options.device = device.c_str();
    const CSession session = session_c(model, options);
    const std::vector<espalier_text> texts = c_texts(strings);
    std::vector<float> scores(texts.size() * 2 + 1, -7.0F);
    std::vector<std::uint8_t> truncated(texts.size(), 9);

    ASSERT_EQ(espalier_classify(session.get(), texts.data(), texts.size(), nullptr, scores.data(),
                                scores.size(), truncated.data(), nullptr),
              ESPALIER_OK);

    const auto answers = expected.classify(testing::as_texts(strings));
    for (std::size_t text = 0; text < answers.size(); ++text) {
      EXPECT_EQ(scores[text * 2], answers[text].scores[0]);
      EXPECT_EQ(scores[text * 2 + 1], answers[text].scores[1]);
      EXPECT_EQ(truncated[text], answers[text].truncated ? 1 : 0);
    }
    EXPECT_EQ(scores.back(), -7.0F);  // room beyond the answers is left alone
    EXPECT_EQ(truncated[4], 1);       // one of the texts is longer than the model takes
  }
}

TEST(Classify, ReadsPairsAndLengthsUpToTheNul) {
  const std::vector<std::byte> bytes = testing::tiny_bytes();
  Session expected(Model::open(std::span<const std::byte>(bytes)));
  const Text pair = {.first = "is it good", .second = "the film is good"};
  const CModel model = open_c(bytes);
  const CSession session = session_c(model);
  const espalier_text text = {"is it good", ESPALIER_UNTIL_NUL, "the film is good and more", 16};
  float scores[2];

  ASSERT_EQ(espalier_classify(session.get(), &text, 1, nullptr, scores, 2, nullptr, nullptr),
            ESPALIER_OK);

  const Classification answer = expected.classify(std::span(&pair, 1))[0];
  EXPECT_EQ(scores[0], answer.scores[0]);
  EXPECT_EQ(scores[1], answer.scores[1]);
}

TEST(Classify, CutsAtTheSessionsMaxLength) {
  const CModel model = open_c();
  espalier_session_options options{};
  options.max_length = 4;
  const CSession session = session_c(model, options);
  const espalier_text texts[2] = {c_text("the film is good"), c_text("the")};
  float scores[4];
  std::uint8_t truncated[2];

  ASSERT_EQ(espalier_classify(session.get(), texts, 2, nullptr, scores, 4, truncated, nullptr),
            ESPALIER_OK);

  EXPECT_EQ(truncated[0], 1);
  EXPECT_EQ(truncated[1], 0);
}

TEST(Classify, RefusesWhatItCannotAnswer) {
  const CModel model = open_c();
  const CSession session = session_c(model);
  const espalier_text texts[2] = {c_text("the film"), c_text("bad")};
  const espalier_text null_text[2] = {texts[0], {nullptr, 0, nullptr, 0}};
  float scores[4];
  espalier_error error;
  const auto ask = [&](const espalier_text* given, std::size_t n_texts, float* dst,
                       std::size_t n_dst) {
    return espalier_classify(session.get(), given, n_texts, nullptr, dst, n_dst, nullptr, &error);
  };

  expect_refused(espalier_classify(nullptr, texts, 1, nullptr, scores, 4, nullptr, &error), error,
                 ESPALIER_USAGE, "session is NULL");
  expect_refused(ask(nullptr, 2, scores, 4), error, ESPALIER_USAGE, "texts is NULL");
  expect_refused(ask(null_text, 2, scores, 4), error, ESPALIER_USAGE, "text 1 is NULL");
  expect_refused(ask(texts, 2, nullptr, 4), error, ESPALIER_USAGE, "scores is NULL");
  expect_refused(ask(texts, 2, scores, 3), error, ESPALIER_USAGE, "room for 3 scores");
  expect_refused(ask(texts, 0, scores, 4), error, ESPALIER_USAGE, "n_texts is 0");
  EXPECT_EQ(ask(texts, 2, scores, 4), ESPALIER_OK) << error.message;
}

TEST(Classify, RefusesInvalidUtf8OrReadsItAsAsked) {
  const CModel model = open_c();
  const CSession session = session_c(model);
  const std::vector<espalier_text> texts = {
      c_text("bad"), c_text("the \xC3 film"), {"the", 3, "b\xFF", 2}};
  float scores[6];
  float without[2];
  espalier_error error;
  espalier_call_options options{};
  options.struct_size = sizeof options;

  expect_refused(
      espalier_classify(session.get(), texts.data(), 3, nullptr, scores, 6, nullptr, &error), error,
      ESPALIER_BAD_INPUT, "text 1 is no UTF-8 at byte 4");
  expect_refused(
      espalier_classify(session.get(), &texts[2], 1, nullptr, scores, 6, nullptr, &error), error,
      ESPALIER_BAD_INPUT, "text 0, second part, is no UTF-8 at byte 1");
  options.replace_invalid_utf8 = 1;
  ASSERT_EQ(espalier_classify(session.get(), texts.data(), 3, &options, scores, 6, nullptr, &error),
            ESPALIER_OK)
      << error.message;
  const espalier_text clean = c_text("the film");
  ASSERT_EQ(espalier_classify(session.get(), &clean, 1, nullptr, without, 2, nullptr, &error),
            ESPALIER_OK);
  EXPECT_EQ(scores[2], without[0]);  // what is malformed is dropped
}

TEST(Calls, OfAnotherTaskAreRefused) {
  const CModel classifier = open_c();
  const CModel tagger = open_c(testing::tiny_tagger());
  const CSession classifies = session_c(classifier);
  const CSession tags = session_c(tagger);
  const espalier_text text = c_text("the film");
  std::vector<float> values(64);
  espalier_result* result = nullptr;
  espalier_error error;

  expect_refused(
      espalier_embed(classifies.get(), &text, 1, nullptr, values.data(), 64, nullptr, &error),
      error, ESPALIER_USAGE, "its task is classify");
  expect_refused(
      espalier_classify(tags.get(), &text, 1, nullptr, values.data(), 64, nullptr, &error), error,
      ESPALIER_USAGE, "its task is tag");
  expect_refused(espalier_tag(classifies.get(), &text, 1, nullptr, &result, &error), error,
                 ESPALIER_USAGE, "its task is classify");
  expect_refused(espalier_fill_mask(tags.get(), &text, 1, 5, nullptr, nullptr, &result, &error),
                 error, ESPALIER_USAGE, "its task is tag");
}

TEST(Embed, GivesTheBitsOfTheCppInterface) {
  const std::vector<std::byte> bytes = testing::tiny_bytes(testing::tiny_embedder());
  const std::vector<std::string> strings = testing::some_texts();
  Session expected(Model::open(std::span<const std::byte>(bytes)));
  const CModel model = open_c(bytes);
  const CSession session = session_c(model);
  const std::vector<espalier_text> texts = c_texts(strings);
  std::vector<float> values(texts.size() * 32);
  std::vector<std::uint8_t> truncated(texts.size());

  ASSERT_EQ(espalier_embed(session.get(), texts.data(), texts.size(), nullptr, values.data(),
                           values.size(), truncated.data(), nullptr),
            ESPALIER_OK);

  std::vector<float> answers;
  for (const Embedding& answer : expected.embed(testing::as_texts(strings))) {
    answers.insert(answers.end(), answer.values.begin(), answer.values.end());
  }
  EXPECT_EQ(values, answers);
  EXPECT_EQ(truncated[4], 1);
}

TEST(Embed, RefusesNullAndTooLittleRoom) {
  const CModel model = open_c(testing::tiny_embedder());
  const CSession session = session_c(model);
  const espalier_text text = c_text("the film");
  std::vector<float> values(32);
  espalier_error error;

  expect_refused(espalier_embed(session.get(), &text, 1, nullptr, nullptr, 32, nullptr, &error),
                 error, ESPALIER_USAGE, "values is NULL");
  expect_refused(
      espalier_embed(session.get(), &text, 1, nullptr, values.data(), 31, nullptr, &error), error,
      ESPALIER_USAGE, "room for 31 values");
  expect_refused(espalier_embed(nullptr, &text, 1, nullptr, values.data(), 32, nullptr, &error),
                 error, ESPALIER_USAGE, "session is NULL");
}

TEST(Session, ASecondCallMeanwhileIsRefusedAndTheFirstCanBeCancelled) {
  const CModel model = open_c();
  espalier_session_options options{};
  options.device = "reference";
  options.n_threads = 1;
  const CSession session = session_c(model, options);
  // Far more than is answered before the other thread looks; it is cancelled, not waited for.
  const std::vector<espalier_text> texts(20'000, c_text("the tree grows flat, the film is good"));
  std::vector<float> scores(texts.size() * 2);
  std::int32_t cancel = 0;
  espalier_call_options call{};
  call.struct_size = sizeof call;
  call.cancel = &cancel;
  std::atomic<bool> done{false};
  espalier_status first = ESPALIER_OK;
  espalier_status second = ESPALIER_OK;
  float two[2];
  espalier_error error;

  std::thread asker([&] {
    do {  // the other thread's short calls may hold the session
      first = espalier_classify(session.get(), texts.data(), texts.size(), &call, scores.data(),
                                scores.size(), nullptr, nullptr);
    } while (first == ESPALIER_USAGE);
    done = true;
  });
  while (second == ESPALIER_OK && !done) {
    second = espalier_classify(session.get(), texts.data(), 1, nullptr, two, 2, nullptr, &error);
    std::this_thread::yield();
  }
  std::atomic_ref(cancel).store(1);
  asker.join();

  expect_refused(second, error, ESPALIER_USAGE, "another call");
  EXPECT_EQ(first, ESPALIER_CANCELLED);
  EXPECT_EQ(espalier_classify(session.get(), texts.data(), 1, nullptr, two, 2, nullptr, nullptr),
            ESPALIER_OK);
}

}  // namespace
}  // namespace espalier
