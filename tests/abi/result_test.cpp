// Tags, tokens and candidates through the C interface: what the C++ interface gives, and refusals.
#include "tests/abi/c_tiny.hpp"

namespace espalier {
namespace {

using testing::c_text;
using testing::c_texts;
using testing::CModel;
using testing::CResult;
using testing::CSession;
using testing::expect_refused;
using testing::open_c;
using testing::session_c;

std::vector<std::string_view> views_of(const std::vector<std::string>& strings) {
  return {strings.begin(), strings.end()};
}

TEST(Tag, GivesTheSpansOfTheCppInterface) {
  const std::vector<std::byte> bytes = testing::tiny_bytes(testing::tiny_tagger());
  const std::vector<std::string> strings = testing::some_texts();
  Session expected(Model::open(std::span<const std::byte>(bytes)));
  const CModel model = open_c(bytes);
  const CSession session = session_c(model);
  const std::vector<espalier_text> texts = c_texts(strings);
  espalier_result* result = nullptr;

  ASSERT_EQ(espalier_tag(session.get(), texts.data(), texts.size(), nullptr, &result, nullptr),
            ESPALIER_OK);

  const CResult owned(result);
  const auto answers = expected.tag(views_of(strings));
  std::size_t n_all = 0;
  for (std::size_t text = 0; text < texts.size(); ++text) {
    const espalier_span* spans = nullptr;
    std::size_t n_spans = 0;
    ASSERT_EQ(espalier_result_spans(result, text, &spans, &n_spans, nullptr), ESPALIER_OK);
    ASSERT_EQ(n_spans, answers[text].spans.size());
    for (std::size_t span = 0; span < n_spans; ++span) {
      EXPECT_EQ(spans[span].label, answers[text].spans[span].label);
      EXPECT_EQ(spans[span].begin, answers[text].spans[span].bytes.begin);
      EXPECT_EQ(spans[span].end, answers[text].spans[span].bytes.end);
      EXPECT_EQ(spans[span].score, answers[text].spans[span].score);
    }
    n_all += n_spans;
  }
  EXPECT_GT(n_all, 0U);  // else nothing was compared
}

TEST(Tag, RefusesPairsNullAndNoTexts) {
  const CModel model = open_c(testing::tiny_tagger());
  const CSession session = session_c(model);
  const espalier_text text = c_text("john");
  const espalier_text pair = {"john", 4, "berlin", 6};
  espalier_result* result = nullptr;
  espalier_error error;

  expect_refused(espalier_tag(session.get(), &pair, 1, nullptr, &result, &error), error,
                 ESPALIER_USAGE, "is a pair");
  expect_refused(espalier_tag(session.get(), &text, 1, nullptr, nullptr, &error), error,
                 ESPALIER_USAGE, "result is NULL");
  expect_refused(espalier_tag(nullptr, &text, 1, nullptr, &result, &error), error, ESPALIER_USAGE,
                 "session is NULL");
  expect_refused(espalier_tag(session.get(), &text, 0, nullptr, &result, &error), error,
                 ESPALIER_USAGE, "n_texts is 0");
  EXPECT_EQ(result, nullptr);
}

TEST(Tokenize, GivesTheTokensOfTheCppInterface) {
  const std::vector<std::byte> bytes = testing::tiny_bytes();
  const Model expected = Model::open(std::span<const std::byte>(bytes));
  const Text inputs[2] = {{.first = "the film is unknown \xE2\x98\x82", .second = {}},
                          {.first = "bad", .second = "the river"}};
  const CModel model = open_c(bytes);
  const espalier_text texts[2] = {c_text(inputs[0].first), {"bad", 3, "the river", 9}};
  espalier_result* result = nullptr;

  ASSERT_EQ(espalier_tokenize(model.get(), texts, 2, nullptr, nullptr, &result, nullptr),
            ESPALIER_OK);

  const CResult owned(result);
  const TokenBatch batch = expected.tokenizer().encode(inputs);
  for (std::size_t text = 0; text < 2; ++text) {
    const espalier_token* tokens = nullptr;
    std::size_t n_tokens = 0;
    ASSERT_EQ(espalier_result_tokens(result, text, &tokens, &n_tokens, nullptr), ESPALIER_OK);
    const std::uint32_t first = batch.offsets[text];
    ASSERT_EQ(n_tokens, batch.offsets[text + 1] - first);
    for (std::size_t token = 0; token < n_tokens; ++token) {
      EXPECT_EQ(tokens[token].id, to_int(batch.ids[first + token]));
      EXPECT_EQ(tokens[token].segment, batch.segments[first + token]);
      EXPECT_EQ(tokens[token].begin, batch.spans[first + token].begin);
      EXPECT_EQ(tokens[token].end, batch.spans[first + token].end);
      EXPECT_EQ(tokens[token].piece, expected.tokenizer().piece(batch.ids[first + token]));
    }
  }
}

TEST(Tokenize, CutsAtMaxLengthAndOutlivesTheModel) {
  CModel model = open_c();
  const espalier_text texts[2] = {c_text("the film is good"), c_text("the")};
  espalier_tokenize_options options{};
  options.struct_size = sizeof options;
  options.max_length = 4;
  std::uint8_t truncated[2];
  espalier_result* result = nullptr;

  ASSERT_EQ(espalier_tokenize(model.get(), texts, 2, &options, truncated, &result, nullptr),
            ESPALIER_OK);

  const CResult owned(result);
  model.reset();
  EXPECT_EQ(truncated[0], 1);
  EXPECT_EQ(truncated[1], 0);
  const espalier_token* tokens = nullptr;
  std::size_t n_tokens = 0;
  ASSERT_EQ(espalier_result_tokens(result, 0, &tokens, &n_tokens, nullptr), ESPALIER_OK);
  ASSERT_EQ(n_tokens, 4U);
  EXPECT_STREQ(tokens[0].piece, "[CLS]");
  EXPECT_STREQ(tokens[3].piece, "[SEP]");
}

TEST(Tokenize, RefusesNullInvalidUtf8AndTooShortALength) {
  const CModel model = open_c();
  const espalier_text text = c_text("the");
  const espalier_text bad = c_text("\x80");
  espalier_tokenize_options options{};
  options.struct_size = sizeof options;
  espalier_result* result = nullptr;
  espalier_error error;

  expect_refused(espalier_tokenize(nullptr, &text, 1, nullptr, nullptr, &result, &error), error,
                 ESPALIER_USAGE, "model is NULL");
  expect_refused(espalier_tokenize(model.get(), &text, 1, nullptr, nullptr, nullptr, &error), error,
                 ESPALIER_USAGE, "result is NULL");
  expect_refused(espalier_tokenize(model.get(), nullptr, 1, nullptr, nullptr, &result, &error),
                 error, ESPALIER_USAGE, "texts is NULL");
  expect_refused(espalier_tokenize(model.get(), &bad, 1, nullptr, nullptr, &result, &error), error,
                 ESPALIER_BAD_INPUT, "no UTF-8 at byte 0");
  options.replace_invalid_utf8 = 1;
  EXPECT_EQ(espalier_tokenize(model.get(), &bad, 1, &options, nullptr, &result, &error),
            ESPALIER_OK);
  espalier_result_free(result);
  options.max_length = 1;
  expect_refused(espalier_tokenize(model.get(), &text, 1, &options, nullptr, &result, &error),
                 error, ESPALIER_USAGE, "max_length 1");
}

TEST(FillMask, GivesTheCandidatesOfTheCppInterface) {
  const std::vector<std::byte> bytes = testing::tiny_bytes(testing::tiny_mask_filler());
  const std::vector<std::string> strings = {"the [MASK] is [MASK]", "none", "[MASK]"};
  Session expected(Model::open(std::span<const std::byte>(bytes)));
  const Tokenizer tokenizer = Model::open(std::span<const std::byte>(bytes)).tokenizer();
  const CModel model = open_c(bytes);
  const CSession session = session_c(model);
  const std::vector<espalier_text> texts = c_texts(strings);
  std::uint8_t truncated[3] = {9, 9, 9};
  espalier_result* result = nullptr;

  ASSERT_EQ(
      espalier_fill_mask(session.get(), texts.data(), 3, 2, nullptr, truncated, &result, nullptr),
      ESPALIER_OK);

  const CResult owned(result);
  const auto answers = expected.fill_mask(views_of(strings), 2);
  for (std::size_t text = 0; text < 3; ++text) {
    const espalier_candidate* candidates = nullptr;
    std::size_t n_candidates = 0;
    ASSERT_EQ(espalier_result_candidates(result, text, &candidates, &n_candidates, nullptr),
              ESPALIER_OK);
    ASSERT_EQ(n_candidates, answers[text].masks.size() * 2);
    EXPECT_EQ(truncated[text], 0);
    for (std::size_t i = 0; i < n_candidates; ++i) {
      const MaskCandidate& answer = answers[text].masks[i / 2][i % 2];
      EXPECT_EQ(candidates[i].mask, i / 2);
      EXPECT_EQ(candidates[i].id, to_int(answer.id));
      EXPECT_EQ(candidates[i].piece, answer.piece);
      EXPECT_EQ(candidates[i].score, answer.score);
    }
  }
}

TEST(FillMask, RefusesNoCandidatesPairsAndNull) {
  const CModel model = open_c(testing::tiny_mask_filler());
  const CSession session = session_c(model);
  const espalier_text text = c_text("[MASK]");
  const espalier_text pair = {"[MASK]", 6, "berlin", 6};
  espalier_result* result = nullptr;
  espalier_error error;

  expect_refused(espalier_fill_mask(session.get(), &text, 1, 0, nullptr, nullptr, &result, &error),
                 error, ESPALIER_USAGE, "n_candidates is 0");
  expect_refused(espalier_fill_mask(session.get(), &pair, 1, 5, nullptr, nullptr, &result, &error),
                 error, ESPALIER_USAGE, "is a pair");
  expect_refused(espalier_fill_mask(session.get(), &text, 1, 5, nullptr, nullptr, nullptr, &error),
                 error, ESPALIER_USAGE, "result is NULL");
  expect_refused(espalier_fill_mask(nullptr, &text, 1, 5, nullptr, nullptr, &result, &error), error,
                 ESPALIER_USAGE, "session is NULL");
}

TEST(Result, RefusesOtherListsTextsBeyondItsEndAndNull) {
  const CModel model = open_c();
  const espalier_text text = c_text("the");
  espalier_result* result = nullptr;
  ASSERT_EQ(espalier_tokenize(model.get(), &text, 1, nullptr, nullptr, &result, nullptr),
            ESPALIER_OK);
  const CResult owned(result);
  const espalier_token* tokens = nullptr;
  const espalier_span* spans = nullptr;
  const espalier_candidate* candidates = nullptr;
  std::size_t size = 7;
  espalier_error error;

  expect_refused(espalier_result_spans(result, 0, &spans, &size, &error), error, ESPALIER_USAGE,
                 "a result of espalier_tokenize");
  EXPECT_EQ(size, 0U);
  expect_refused(espalier_result_candidates(result, 0, &candidates, &size, &error), error,
                 ESPALIER_USAGE, "a result of espalier_tokenize");
  expect_refused(espalier_result_tokens(result, 1, &tokens, &size, &error), error, ESPALIER_USAGE,
                 "text 1 of a result with 1");
  expect_refused(espalier_result_tokens(nullptr, 0, &tokens, &size, &error), error, ESPALIER_USAGE,
                 "result is NULL");
  expect_refused(espalier_result_tokens(result, 0, nullptr, &size, &error), error, ESPALIER_USAGE,
                 "is NULL");
  expect_refused(espalier_result_tokens(result, 0, &tokens, nullptr, &error), error, ESPALIER_USAGE,
                 "is NULL");
}

TEST(Free, TakesNull) {
  espalier_model_free(nullptr);
  espalier_session_free(nullptr);
  espalier_result_free(nullptr);
}

}  // namespace
}  // namespace espalier
