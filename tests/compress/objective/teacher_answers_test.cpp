#include "compress/objective/teacher_answers.hpp"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "espalier/error.hpp"
#include "tests/compress/objective/distill_problem.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::objective {
namespace {

using testing::read_file;
using testing::write_file;

class TeacherAnswersTest : public ::testing::Test {
 protected:
  // A teacher this small is asked hundreds of times: threads would only wait for one another.
  TeacherAnswersTest() { at::set_num_threads(1); }

  TeacherAnswers ask(std::string_view name = "classify") {
    return teacher_answers(*problem_.task, name, problem_.teacher, problem_.labelled,
                           folder_.path());
  }

  Problem problem_{"classify"};
  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "teacher_answers.safetensors";
};

TEST_F(TeacherAnswersTest, AreThoseOfTheTeacher) {
  const at::Tensor expected = answer_all(*problem_.task, problem_.teacher, problem_.labelled);

  const TeacherAnswers answers = ask();

  EXPECT_FALSE(answers.from_cache);
  EXPECT_TRUE(answers.values.equal(expected));
}

TEST_F(TeacherAnswersTest, ComeFromTheFileTheSecondTimeWithTheSameBits) {
  const TeacherAnswers first = ask();

  const TeacherAnswers second = ask();

  EXPECT_TRUE(second.from_cache);
  EXPECT_TRUE(second.values.equal(first.values));
}

TEST_F(TeacherAnswersTest, AreAskedForAgainWhenAnythingChangesThatDecidesThem) {
  (void)ask();

  problem_.teacher.layers[1].down.bias[3] += 0.5;
  const TeacherAnswers after_weight = ask();
  EXPECT_FALSE(after_weight.from_cache);
  EXPECT_TRUE(
      after_weight.values.equal(answer_all(*problem_.task, problem_.teacher, problem_.labelled)));
  EXPECT_TRUE(ask().from_cache);  // the file is the new teacher's now

  problem_.labelled.tokens.ids[4] = static_cast<TokenId>(6);
  problem_.labelled.tokens.ids[5] = static_cast<TokenId>(7);
  EXPECT_FALSE(ask().from_cache);
  problem_.labelled.tokens.segments[2] = 1;
  EXPECT_FALSE(ask().from_cache);
  problem_.labelled.tokens.offsets[1] -= 1;
  EXPECT_FALSE(ask().from_cache);
  problem_.teacher.config.layer_norm_eps = 0.1F;
  EXPECT_FALSE(ask().from_cache);
  EXPECT_FALSE(ask("another task").from_cache);
  EXPECT_TRUE(ask("another task").from_cache);
}

TEST_F(TeacherAnswersTest, DoNotDependOnTargetsAndFileNames) {
  (void)ask();

  problem_.labelled.targets.fill_(0);
  problem_.labelled.file = "renamed.tsv";

  EXPECT_TRUE(ask().from_cache);
}

TEST_F(TeacherAnswersTest, OfADamagedFileAreComputedAndReplaced) {
  const at::Tensor expected = ask().values;
  const std::string whole = read_file(file_);

  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const bool truncated : {false, true}) {
      std::string damaged = truncated ? whole.substr(0, at) : whole;
      if (!truncated) damaged[at] = static_cast<char>(damaged[at] ^ 1);
      write_file(file_, damaged);

      const TeacherAnswers answers = ask();

      ASSERT_FALSE(answers.from_cache) << at;
      ASSERT_TRUE(answers.values.equal(expected)) << at;
      ASSERT_EQ(read_file(file_), whole) << at;
    }
  }
}

TEST_F(TeacherAnswersTest, OfAFileWithAnotherShapeAreComputed) {
  problem_.labelled.tokens = random_tokens({4, 5, 3, 6}, 3);  // (4, 3) answers
  (void)ask();
  std::string swapped = read_file(file_);
  const std::size_t shape = swapped.find("[4,3]");
  ASSERT_NE(shape, std::string::npos);
  write_file(file_, swapped.replace(shape, 5, "[3,4]"));

  EXPECT_FALSE(ask().from_cache);
}

TEST_F(TeacherAnswersTest, AreNotKeptWithoutAFolder) {
  const TeacherAnswers answers =
      teacher_answers(*problem_.task, "classify", problem_.teacher, problem_.labelled, {});

  EXPECT_FALSE(answers.from_cache);
  EXPECT_EQ(answers.values.size(0), 3);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(TeacherAnswersTest, OfATaggerAreOneForEachToken) {
  const Problem tags("tag");

  const TeacherAnswers answers =
      teacher_answers(*tags.task, "tag", tags.teacher, tags.labelled, folder_.path());

  EXPECT_EQ(answers.values.sizes(), (std::vector<std::int64_t>{15, 3}));
}

TEST_F(TeacherAnswersTest, ThatAreNotFiniteAreRefused) {
  problem_.teacher.classifier->bias.fill_(std::numeric_limits<float>::quiet_NaN());

  try {
    (void)ask();
    FAIL() << "nobody noticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("'labelled.tsv' are not all finite"));
  }
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(TeacherAnswersTest, ThatCannotBeWrittenAreAnError) {
  try {
    (void)teacher_answers(*problem_.task, "classify", problem_.teacher, problem_.labelled,
                          folder_ / "missing");
    FAIL() << "written where?";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output);
  }
}

TEST_F(TeacherAnswersTest, ReachAStudentThroughItsObjective) {
  const TaskObjective labelled = problem_.objective();
  const DistillOptions options = {.cache_folder = folder_.path(), .cache_name = "classify"};

  const DistillObjective first(labelled, nullptr, problem_.teacher, problem_.config, options);
  const DistillObjective second(labelled, nullptr, problem_.teacher, problem_.config, options);
  const DistillObjective more(labelled, &problem_.unlabelled, problem_.teacher, problem_.config,
                              options);

  EXPECT_FALSE(first.answers_from_cache());
  EXPECT_TRUE(second.answers_from_cache());
  EXPECT_FALSE(more.answers_from_cache());
}

}  // namespace
}  // namespace espalier::objective
