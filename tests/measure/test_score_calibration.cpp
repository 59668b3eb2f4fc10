#include "measure/score_calibration.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "espalier/error.hpp"
#include "tests/measure/golden.hpp"

namespace espalier::measure {
namespace {

TEST(ScoreCalibration, OfClassesAgreesWithScikitLearn) {
  const ScoreCalibration calibration =
      class_calibration(golden::kProbabilities, golden::kProbableGold, 3, 10);

  EXPECT_NEAR(calibration.brier, golden::kClassBrier, 1e-6);
  EXPECT_NEAR(calibration.ece_percent, golden::kClassEce, 1e-4);
}

TEST(ScoreCalibration, OfCellsAgreesWithScikitLearn) {
  const ScoreCalibration calibration =
      cell_calibration(golden::kProbabilities, golden::kProbableCells, 10);

  EXPECT_NEAR(calibration.brier, golden::kCellBrier, 1e-6);
  EXPECT_NEAR(calibration.ece_percent, golden::kCellEce, 1e-4);
}

TEST(ScoreCalibration, BinsHoldEveryRowWithItsMeanAndShare) {
  // Two rows in (0.5, 0.75], one right; one in (0.75, 1], right.
  const std::vector<float> scores = {0.625F, 0.375F, 0.25F, 0.75F, 0.0F, 1.0F};
  const std::vector<std::size_t> gold = {0, 0, 1};

  const ScoreCalibration calibration = class_calibration(scores, gold, 2, 4);

  ASSERT_EQ(calibration.bins.size(), 4u);
  EXPECT_EQ(calibration.bins[0].n + calibration.bins[1].n, 0u);
  EXPECT_EQ(calibration.bins[2].n, 2u);
  EXPECT_DOUBLE_EQ(calibration.bins[2].low, 0.5);
  EXPECT_DOUBLE_EQ(calibration.bins[2].high, 0.75);
  EXPECT_DOUBLE_EQ(calibration.bins[2].mean_score, 0.6875);
  EXPECT_DOUBLE_EQ(calibration.bins[2].share, 0.5);
  EXPECT_EQ(calibration.bins[3].n, 1u);
  EXPECT_DOUBLE_EQ(calibration.ece_percent, 100.0 * 2.0 / 3.0 * 0.1875);
  EXPECT_DOUBLE_EQ(calibration.brier, (2 * 0.140625 + 2 * 0.5625 + 0.0) / 3.0);
}

TEST(ScoreCalibration, CertainAndRightIsPerfectAndCertainAndWrongTheWorst) {
  const std::vector<float> scores = {1.0F, 0.0F, 0.0F, 1.0F};

  const ScoreCalibration right = class_calibration(scores, std::vector<std::size_t>{0, 1}, 2);
  const ScoreCalibration wrong = class_calibration(scores, std::vector<std::size_t>{1, 0}, 2);

  EXPECT_EQ(right.ece_percent, 0.0);
  EXPECT_EQ(right.brier, 0.0);
  EXPECT_EQ(wrong.ece_percent, 100.0);
  EXPECT_EQ(wrong.brier, 2.0);
}

TEST(ScoreCalibration, TakesAProbabilityOfNoughtAndOneAnUlpOverOne) {
  const std::vector<float> scores = {0.0F, 1.0000001F};

  const ScoreCalibration calibration = cell_calibration(scores, std::vector<std::uint8_t>{0, 1});

  EXPECT_EQ(calibration.bins.front().n, 1u);
  EXPECT_EQ(calibration.bins.back().n, 1u);
  EXPECT_EQ(calibration.brier, 0.0);
}

TEST(ScoreCalibration, RefusesLogitsAndWrongShapes) {
  const std::vector<float> scores = {0.5F, 0.5F};
  const std::vector<float> logits = {2.5F, -0.5F};
  const std::vector<float> missing = {std::numeric_limits<float>::quiet_NaN(), 0.5F};
  const std::vector<std::size_t> gold = {0};

  EXPECT_THROW((void)class_calibration(logits, gold, 2), Error);
  EXPECT_THROW((void)class_calibration(missing, gold, 2), Error);
  EXPECT_THROW((void)class_calibration(scores, gold, 0), Error);
  EXPECT_THROW((void)class_calibration(scores, gold, 1), Error);
  EXPECT_THROW((void)class_calibration(scores, std::vector<std::size_t>{2}, 2), Error);
  EXPECT_THROW((void)class_calibration({}, {}, 2), Error);
  EXPECT_THROW((void)cell_calibration(scores, std::vector<std::uint8_t>{1}), Error);
  EXPECT_THROW((void)cell_calibration(scores, std::vector<std::uint8_t>{1, 0}, 0), Error);
}

}  // namespace
}  // namespace espalier::measure
