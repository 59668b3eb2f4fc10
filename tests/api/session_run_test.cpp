// Session::run on token ids: checks, floating-point environment, non-finite answers.
#include <gtest/gtest.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <limits>

#include "tests/api/tiny_models.hpp"

namespace espalier {
namespace {

using testing::as_texts;
using testing::open_tiny;

ErrorCode code_of(Session& session, const TokenBatch& batch, std::span<float> dst) {
  try {
    session.run(batch, dst);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::failed;
}

TEST(Run, GivesTheLogitsOfClassify) {
  const Model model = open_tiny();
  Session session(model);
  const std::vector<std::string> texts = testing::some_texts();
  const TokenBatch batch = model.tokenizer().encode(as_texts(texts));
  std::vector<float> logits(session.output_size(batch));

  session.run(batch, logits);

  std::vector<float> expected;
  for (const Classification& answer : session.classify(as_texts(texts))) {
    expected.insert(expected.end(), answer.logits.begin(), answer.logits.end());
  }
  EXPECT_EQ(logits, expected);
}

TEST(Run, RefusesIdsSegmentsAndLengthsOutOfRange) {
  Session session(open_tiny());
  std::vector<float> dst(2);
  const TokenBatch good = {.ids = {TokenId{2}, TokenId{3}},
                           .segments = {0, 0},
                           .offsets = {0, 2},
                           .spans = {},
                           .truncated = {}};
  TokenBatch bad_id = good;
  bad_id.ids[1] = TokenId{1'000'000};
  TokenBatch bad_segment = good;
  bad_segment.segments[0] = 2;
  TokenBatch bad_offsets = good;
  bad_offsets.offsets = {0, 3};
  TokenBatch too_long = good;
  too_long.ids.assign(65, TokenId{3});
  too_long.segments.assign(65, 0);
  too_long.offsets = {0, 65};

  EXPECT_EQ(code_of(session, bad_id, dst), ErrorCode::bad_input);
  EXPECT_EQ(code_of(session, bad_segment, dst), ErrorCode::bad_input);
  EXPECT_EQ(code_of(session, bad_offsets, dst), ErrorCode::bad_input);
  EXPECT_EQ(code_of(session, too_long, dst), ErrorCode::bad_input);
  EXPECT_EQ(code_of(session, good, std::span(dst).first(1)), ErrorCode::usage);
}

TEST(Run, AnswersThatAreNotNumbersAreAnErrorAndNotALabel) {
  const compress::ExportedModel exported = testing::export_tiny();
  format::ModelSpec spec = exported.spec();
  // Finite weights, as the reader asks for, whose product with the pooled row overflows.
  const auto stored = spec.head.classifier->bias.as<float>();
  alignas(64) float bias[2] = {stored[0], std::numeric_limits<float>::max()};
  alignas(64) float weight[64];
  std::fill_n(weight, 64, std::numeric_limits<float>::max());
  spec.head.classifier->bias.bytes = std::as_bytes(std::span(bias));
  spec.head.classifier->weight = {.type = format::ElementType::f32,
                                  .rows = 2,
                                  .cols = 32,
                                  .bytes = std::as_bytes(std::span(weight))};
  spec.self_test.cases.clear();
  const Model model = testing::open_spec(spec);

  for (const std::string& backend : testing::backends_here()) {
    Session session(model, {.n_threads = 1, .backend = backend});
    try {
      (void)session.classify({"the film is good"});
      ADD_FAILURE() << "no error on " << backend;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::failed);
      EXPECT_NE(std::string(error.what()).find("sentence 0"), std::string::npos) << error.what();
    }
  }
}

#if defined(__x86_64__)
TEST(Run, LeavesTheFloatingPointModeAsItWasAndDoesNotDependOnIt) {
  const Model model = open_tiny();
  const TokenBatch batch = model.tokenizer().encode(as_texts(testing::some_texts()));
  for (const std::string& backend : testing::backends_here()) {
    for (const unsigned n_threads : {1U, 2U}) {
      Session usual(model, {.n_threads = n_threads, .backend = backend});
      std::vector<float> expected(usual.output_size(batch));
      usual.run(batch, expected);
      const unsigned before = _mm_getcsr();
      // Round up, flush subnormals: what a host program may have set, and its threads inherit.
      const unsigned odd = (before & ~0x6000U) | 0x4000U | 0x8000U;
      std::vector<float> logits(expected.size());

      _mm_setcsr(odd);
      Session session(model, {.n_threads = n_threads, .backend = backend});
      session.run(batch, logits);
      const unsigned after = _mm_getcsr();
      _mm_setcsr(before);

      constexpr unsigned kStatusFlags = 0x3F;
      EXPECT_EQ(after & ~kStatusFlags, odd & ~kStatusFlags) << backend;
      EXPECT_EQ(logits, expected) << backend << ", " << n_threads << " threads";
    }
  }
}
#endif

}  // namespace
}  // namespace espalier
