// Teachers, students and options that do not go together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "compress/objective/distill.hpp"
#include "espalier/error.hpp"
#include "tests/compress/objective/distill_problem.hpp"

namespace espalier::objective {
namespace {

using ::testing::HasSubstr;

void expect_refusal(ErrorCode code, const std::string& message, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(message));
    return;
  }
  ADD_FAILURE() << "nobody said: " << message;
}

TEST(DistillOptions, HaveTheFivePresets) {
  std::vector<std::string_view> names;
  for (const DistillPreset& preset : distill_presets()) {
    names.push_back(preset.name);
    EXPECT_NO_THROW(validate({.weights = preset.weights})) << preset.name;
  }

  EXPECT_THAT(names, ::testing::ElementsAre("logits", "patient", "tinybert", "minilm", "hidden"));
  EXPECT_EQ(distill_preset("minilm").weights.relations, 1);
  expect_refusal(ErrorCode::usage, "the presets are logits, patient, tinybert, minilm, hidden",
                 [] { (void)distill_preset("magic"); });
}

TEST(DistillOptions, RefuseWhatTeachesNothing) {
  expect_refusal(ErrorCode::usage, "fine-tune instead", [] { validate({.weights = {.task = 1}}); });
  expect_refusal(ErrorCode::usage, "must be 0 or more",
                 [] { validate({.weights = {.logits = -0.5}}); });
  expect_refusal(ErrorCode::usage, "must be 0 or more",
                 [] { validate({.weights = {.logits = 1, .hidden = INFINITY}}); });
  for (const double temperature : {0.0, -1.0, 101.0, std::nan("")}) {
    expect_refusal(ErrorCode::usage, "is not between 0.1 and 100",
                   [&] { validate({.temperature = temperature}); });
  }
}

class Pair : public ::testing::Test {
 protected:
  void expect_refused(ErrorCode code, const std::string& message) {
    expect_refusal(code, message, [this] {
      const TaskObjective labelled(*problem_.task, problem_.labelled, 0);
      const DistillObjective objective(labelled, &problem_.unlabelled, problem_.teacher, student_,
                                       options_);
    });
  }

  Problem problem_{"classify"};
  checkpoint::BertConfig student_ = problem_.config;
  DistillOptions options_;
};

TEST_F(Pair, RefusesAnotherVocabulary) {
  student_.vocab = 41;
  expect_refused(ErrorCode::bad_input, "the teacher has 40 word pieces, the student 41");
}

TEST_F(Pair, RefusesAnotherPadding) {
  student_.pad_id = 1;
  expect_refused(ErrorCode::bad_input, "as the id of [PAD]");
}

TEST_F(Pair, RefusesAnotherHead) {
  student_.architecture = checkpoint::Architecture::token_classification;
  expect_refused(ErrorCode::bad_input, "the student a BertForTokenClassification; fine-tune");
}

TEST_F(Pair, RefusesAnotherProblem) {
  student_.problem_type = checkpoint::ProblemType::multi_label;
  expect_refused(ErrorCode::bad_input, "of another problem type");
}

TEST_F(Pair, RefusesLabelsInAnotherOrder) {
  student_.labels = {"a", "c", "b"};
  expect_refused(ErrorCode::bad_input, "label 1 is 'b' for the teacher and 'c' for the student");
}

TEST_F(Pair, RefusesMoreLabels) {
  student_.labels.push_back("d");
  expect_refused(ErrorCode::bad_input, "the teacher has 3 labels, the student 4");
}

TEST_F(Pair, RefusesATeacherThatFillsMasks) {
  problem_.teacher.config.architecture = checkpoint::Architecture::masked_lm;
  student_.architecture = checkpoint::Architecture::masked_lm;
  expect_refused(ErrorCode::usage, "fills masks");
}

TEST_F(Pair, RefusesSentencesThatAreTooLongForTheTeacher) {
  problem_.unlabelled.tokens = random_tokens({4, 13}, 1);
  expect_refused(ErrorCode::bad_input, "line 9 of 'more.txt' has 13 tokens, the teacher takes 12");
}

TEST_F(Pair, RefusesPairsWhereTheTeacherHasOneSegment) {
  problem_.teacher.config.token_types = 1;
  problem_.labelled.tokens.segments[3] = 1;
  expect_refused(ErrorCode::bad_input, "tells no two texts apart");
}

TEST_F(Pair, RefusesUnlabelledPairs) {
  problem_.unlabelled.texts_each = 2;
  problem_.unlabelled.lines = {1};
  expect_refused(ErrorCode::usage, "one sentence, not a pair");
}

TEST_F(Pair, RefusesLayerMapsThatDoNotFit) {
  for (const std::vector<std::size_t>& map :
       {std::vector<std::size_t>{1}, {1, 0}, {0, 2}, {0, 1, 1}}) {
    options_.layer_map = map;
    expect_refused(ErrorCode::usage, "a layer map has for each of the student's 2 layers");
  }
}

TEST_F(Pair, RefusesPatienceWithOneLayer) {
  options_.weights = distill_preset("patient").weights;
  student_.n_layers = 1;
  student_.layers.pop_back();
  expect_refused(ErrorCode::usage, "the student has one layer");
}

TEST_F(Pair, RefusesAttentionOfDifferentNumbersOfHeads) {
  options_.weights = distill_preset("tinybert").weights;
  student_.layers[1].heads = {0};
  expect_refused(ErrorCode::usage,
                 "layer 1 of the student has 1 heads and layer 1 of the teacher 2");
}

TEST_F(Pair, RefusesRelationsWithoutHeads) {
  options_.weights = distill_preset("minilm").weights;
  student_.layers[1].heads.clear();
  expect_refused(ErrorCode::usage, "no heads left");
}

text::TokenizerSpec small_spec() {
  text::TokenizerSpec spec;
  spec.pieces = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b"};
  spec.max_length = 512;
  return spec;
}

TEST(SameTokens, AreSeenWhateverTheirLengths) {
  text::TokenizerSpec shorter = small_spec();
  shorter.max_length = 128;

  EXPECT_NO_THROW(check_same_tokens(small_spec(), shorter));
}

TEST(SameTokens, AreMissedWhereTokenizersDiffer) {
  text::TokenizerSpec other = small_spec();
  other.pieces.push_back("c");
  expect_refusal(ErrorCode::bad_input, "the teacher knows 7 word pieces, the student 8",
                 [&] { check_same_tokens(small_spec(), other); });

  other = small_spec();
  other.pieces[6] = "##c";
  expect_refusal(ErrorCode::bad_input, "piece 6 is '##b' for the teacher and '##c'",
                 [&] { check_same_tokens(small_spec(), other); });

  other = small_spec();
  other.lowercase = false;
  expect_refusal(ErrorCode::bad_input, "makes capitals small",
                 [&] { check_same_tokens(small_spec(), other); });

  other = small_spec();
  other.split_cjk = false;
  expect_refusal(ErrorCode::bad_input, "cleaning", [&] { check_same_tokens(small_spec(), other); });
}

}  // namespace
}  // namespace espalier::objective
