#include "measure/classification.hpp"

#include <gtest/gtest.h>

#include "espalier/error.hpp"
#include "tests/measure/golden.hpp"

namespace espalier::measure {
namespace {

using Labels = std::vector<std::size_t>;

std::vector<std::size_t> in_two_classes(std::span<const std::size_t> labels) {
  Labels result;
  for (const std::size_t label : labels) result.push_back(label > 0 ? 1 : 0);
  return result;
}

TEST(Classification, AgreesWithScikitLearn) {
  const auto counts = count_classes(golden::kPredicted, golden::kGold, 5);

  EXPECT_NEAR(accuracy(counts), golden::kAccuracy, 1e-12);
  EXPECT_NEAR(macro_f1(counts), golden::kMacroF1, 1e-12);
  EXPECT_NEAR(usual_f1(counts), golden::kMacroF1, 1e-12);
  EXPECT_NEAR(mcc(counts), golden::kMcc, 1e-14);
}

TEST(Classification, AgreesWithScikitLearnOnTwoClasses) {
  const auto counts =
      count_classes(in_two_classes(golden::kPredicted), in_two_classes(golden::kGold), 2);

  EXPECT_NEAR(usual_f1(counts), golden::kBinaryF1, 1e-12);
  EXPECT_NEAR(mcc(counts), golden::kBinaryMcc, 1e-14);
  EXPECT_NE(usual_f1(counts), macro_f1(counts));
}

TEST(Classification, TakesTheF1OfClassOneByHand) {
  // Class 1: 2 right, 3 in gold, 4 predicted, so 2 * 2 / 7. Class 0: 1 right of 3 and 2.
  const auto counts = count_classes(Labels{1, 1, 0, 1, 1, 0}, Labels{1, 1, 1, 0, 0, 0}, 2);

  EXPECT_DOUBLE_EQ(usual_f1(counts), 100.0 * 4 / 7);
  EXPECT_DOUBLE_EQ(macro_f1(counts), 50.0 * (4.0 / 7 + 2.0 / 5));
  EXPECT_DOUBLE_EQ(accuracy(counts), 50.0);
}

TEST(Classification, GivesZeroMccWhenOneSideIsConstant) {
  EXPECT_EQ(mcc(count_classes(Labels{1, 1, 1}, Labels{0, 1, 0}, 2)), 0.0);
  EXPECT_EQ(mcc(count_classes(Labels{0, 1, 0}, Labels{1, 1, 1}, 2)), 0.0);
}

TEST(Classification, ReachesBothEndsOfItsScales) {
  const auto right = count_classes(Labels{0, 1, 2}, Labels{0, 1, 2}, 3);
  const auto wrong = count_classes(Labels{1, 0}, Labels{0, 1}, 2);

  EXPECT_EQ(accuracy(right), 100.0);
  EXPECT_EQ(macro_f1(right), 100.0);
  EXPECT_DOUBLE_EQ(mcc(right), 1.0);
  EXPECT_EQ(accuracy(wrong), 0.0);
  EXPECT_EQ(usual_f1(wrong), 0.0);
  EXPECT_DOUBLE_EQ(mcc(wrong), -1.0);
}

TEST(Classification, RefusesWhatCannotBeCounted) {
  EXPECT_THROW((void)count_classes(Labels{0}, Labels{0, 1}, 2), Error);
  EXPECT_THROW((void)count_classes(Labels{}, Labels{}, 2), Error);
  EXPECT_THROW((void)count_classes(Labels{2}, Labels{0}, 2), Error);
  EXPECT_THROW((void)count_classes(Labels{0}, Labels{2}, 2), Error);
}

TEST(MultiLabel, AgreesWithScikitLearn) {
  const auto scores = multi_label_scores(golden::kPredictedBits, golden::kGoldBits, 3);

  EXPECT_NEAR(scores.micro_f1, golden::kMicroF1, 1e-12);
  EXPECT_NEAR(scores.exact_match, golden::kExactMatch, 1e-12);
}

TEST(MultiLabel, TakesRowsWithoutLabelsAsRightWhenNoneArePredicted) {
  const std::vector<std::uint8_t> none = {0, 0, 0, 0};

  const auto scores = multi_label_scores(none, none, 2);

  EXPECT_EQ(scores.exact_match, 100.0);
  EXPECT_EQ(scores.micro_f1, 0.0);
}

TEST(MultiLabel, RefusesWhatIsNoTable) {
  const std::vector<std::uint8_t> three = {0, 1, 0};

  EXPECT_THROW((void)multi_label_scores(three, three, 2), Error);
  EXPECT_THROW((void)multi_label_scores(three, three, 0), Error);
  EXPECT_THROW((void)multi_label_scores(three, std::span(three).first(2), 1), Error);
}

}  // namespace
}  // namespace espalier::measure
