// What a session tells its caller's log: what was chosen and why, that texts were cut, and never
// what they say.
#include <gmock/gmock.h>

#include <thread>

#include "base/cpu_info.hpp"
#include "base/huge_pages.hpp"
#include "tests/abi/c_tiny.hpp"
#include "tests/support/variable.hpp"

namespace espalier {
namespace {

using testing::c_text;
using testing::CModel;
using ::testing::Contains;
using testing::CSession;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::open_c;
using testing::session_c;
using ::testing::StartsWith;
using testing::Variable;

struct Heard {
  std::vector<std::string> infos;
  std::vector<std::string> warnings;
  std::vector<std::thread::id> threads;
};

void hear(void* user, espalier_log_level level, const char* message) {
  Heard& heard = *static_cast<Heard*>(user);
  ASSERT_TRUE(level == ESPALIER_LOG_INFO || level == ESPALIER_LOG_WARNING);
  (level == ESPALIER_LOG_INFO ? heard.infos : heard.warnings).emplace_back(message);
  heard.threads.push_back(std::this_thread::get_id());
}

espalier_session_options heard_by(Heard& heard, const char* device = "reference") {
  espalier_session_options options{};
  options.struct_size = sizeof options;
  options.device = device;
  options.n_threads = 1;
  options.log = hear;
  options.log_user = &heard;
  return options;
}

TEST(Log, HearsWhichBackEndAndKernelsComputeAndWhy) {
  const CModel model = open_c();
  Heard heard;

  const CSession session = session_c(model, heard_by(heard));

  espalier_session_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(espalier_session_get_info(session.get(), &info, nullptr), ESPALIER_OK);
  EXPECT_THAT(heard.infos, ElementsAre("back end reference: asked for",
                                       "kernels " + std::string(info.code_path) +
                                           ", 1 thread, texts of up to 64 tokens"));
  EXPECT_THAT(heard.warnings, IsEmpty());
}

TEST(Log, HearsThatTheEnvironmentChose) {
  const CModel model = open_c();
  const Variable variable("ESPALIER_BACKEND", "reference");
  Heard heard;

  const CSession session = session_c(model, heard_by(heard, "auto"));

  ASSERT_FALSE(heard.infos.empty());
  EXPECT_EQ(heard.infos[0], "back end reference: ESPALIER_BACKEND says so");
}

TEST(Log, IsWarnedWhenAutoHasToTakeASlowerBackEnd) {
  if (usable_isa() < Isa::avx2) GTEST_SKIP() << "needs a second back end: a processor with AVX2";
  const CModel model = open_c();
  const Variable variable("ESPALIER_MAX_ISA", "baseline");
  Heard heard;

  const CSession session = session_c(model, heard_by(heard, nullptr));

  EXPECT_THAT(heard.warnings,
              ElementsAre(StartsWith("ESPALIER_MAX_ISA lowers the instruction set from "),
                          StartsWith("back end cpu does not run here, a slower one will: ")));
  ASSERT_FALSE(heard.infos.empty());
  EXPECT_EQ(heard.infos[0], "back end reference: the fastest that runs here");
}

TEST(Log, IsWarnedOfSmallPagesWhereTheSystemAllowsNoOthers) {
  if (usable_isa() < Isa::avx2) GTEST_SKIP() << "needs a back end that asks for huge pages";
  const CModel model = open_c();
  Heard heard;

  const CSession session = session_c(model, heard_by(heard, "cpu"));

  const auto warned = Contains(HasSubstr("forbids huge pages"));
  if (huge_pages_are_allowed()) {
    EXPECT_THAT(heard.warnings, Not(warned));
  } else {
    EXPECT_THAT(heard.warnings, warned);
  }
}

TEST(Log, IsToldOnceThatTextsWereCutAndNeverWhatTheySay) {
  const CModel model = open_c();
  Heard heard;
  espalier_session_options options = heard_by(heard);
  options.max_length = 6;
  const CSession session = session_c(model, options);
  const espalier_text short_text = c_text("the");
  const espalier_text texts[2] = {short_text, c_text("the film zebra is zebra good zebra")};
  float scores[4];

  ASSERT_EQ(espalier_classify(session.get(), &short_text, 1, nullptr, scores, 2, nullptr, nullptr),
            ESPALIER_OK);
  EXPECT_THAT(heard.warnings, IsEmpty());
  for (int call = 0; call < 3; ++call) {
    ASSERT_EQ(espalier_classify(session.get(), texts, 2, nullptr, scores, 4, nullptr, nullptr),
              ESPALIER_OK);
  }

  EXPECT_THAT(heard.warnings, ElementsAre(StartsWith("1 of 2 texts lost what is beyond 6 tokens")));
  EXPECT_THAT(heard.warnings, ElementsAre(Not(HasSubstr("zebra"))));
  EXPECT_EQ(heard.infos.size(), 2U);  // those of opening it
}

TEST(Log, IsCalledOnTheCallersThreadAlone) {
  const CModel model = open_c();
  Heard heard;
  espalier_session_options options = heard_by(heard);
  options.n_threads = 3;
  options.max_length = 4;
  const CSession session = session_c(model, options);
  const std::vector<std::string> strings = testing::some_texts();
  const std::vector<espalier_text> texts = testing::c_texts(strings);
  std::vector<float> scores(2 * texts.size());

  ASSERT_EQ(espalier_classify(session.get(), texts.data(), texts.size(), nullptr, scores.data(),
                              scores.size(), nullptr, nullptr),
            ESPALIER_OK);

  EXPECT_EQ(heard.threads, std::vector<std::thread::id>(3, std::this_thread::get_id()));
}

TEST(Log, OfNobodyIsSilent) {
  const CModel model = open_c();
  Heard heard;
  espalier_session_options options = heard_by(heard, nullptr);
  options.log = nullptr;
  options.max_length = 4;
  const espalier_text text = c_text("the film is good");
  float scores[2];

  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  {
    const Variable variable("ESPALIER_MAX_ISA", "baseline");
    const CSession session = session_c(model, options);
    EXPECT_EQ(espalier_classify(session.get(), &text, 1, nullptr, scores, 2, nullptr, nullptr),
              ESPALIER_OK);
  }

  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(heard.threads, IsEmpty());
}

TEST(Log, OfACallerThatDoesNotKnowItIsNotLookedAt) {
  const CModel model = open_c();
  Heard heard;
  espalier_session_options options = heard_by(heard);
  options.struct_size = offsetof(espalier_session_options, log);
  espalier_session* session = nullptr;

  ASSERT_EQ(espalier_session_open(model.get(), &options, &session, nullptr), ESPALIER_OK);

  const CSession owned(session);
  EXPECT_THAT(heard.threads, IsEmpty());
}

}  // namespace
}  // namespace espalier
