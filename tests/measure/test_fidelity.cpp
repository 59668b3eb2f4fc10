#include "measure/fidelity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "espalier/error.hpp"
#include "tests/measure/golden.hpp"

namespace espalier::measure {
namespace {

using Logits = std::vector<float>;

const LogitPair kGolden{golden::kReferenceLogits, golden::kCandidateLogits, 3};

TEST(Fidelity, AgreesWithScipyAndScikitLearn) {
  // The golden logits are decimals rounded to float, hence 1e-6 and not 1e-12.
  EXPECT_NEAR(mean_kl(kGolden), golden::kMeanKl, 1e-6);
  EXPECT_NEAR(max_abs_difference(kGolden), golden::kMaxDifference, 1e-6);
  EXPECT_NEAR(mean_cosine(kGolden), golden::kMeanCosine, 1e-6);
  EXPECT_EQ(static_cast<double>(count_flips(kGolden)), golden::kFlips);
}

TEST(Fidelity, TakesTheReferenceAsTheTrueDistribution) {
  // p = (1/2, 1/2), q = (3/4, 1/4): KL(p || q) = ln(2 / sqrt(3)), KL(q || p) = ln 2 - H(q).
  const Logits even = {0, 0};
  const Logits uneven = {std::log(3.0F), 0};

  EXPECT_NEAR(mean_kl({even, uneven, 2}), std::log(2 / std::sqrt(3.0)), 1e-7);
  EXPECT_NEAR(mean_kl({uneven, even, 2}),
              std::log(2.0) + 0.75 * std::log(0.75) - 0.25 * std::log(4.0), 1e-7);
}

TEST(Fidelity, KeepsKlFiniteForLargeLogits) {
  const Logits reference = {3e38F, -3e38F, 1000, 0};
  const Logits candidate = {3e38F, -3e38F, 0, 1000};

  EXPECT_DOUBLE_EQ(mean_kl({reference, candidate, 2}), 500.0);
}

TEST(Fidelity, IsPerfectForEqualLogits) {
  const LogitPair same{golden::kReferenceLogits, golden::kReferenceLogits, 3};

  EXPECT_EQ(mean_kl(same), 0.0);
  EXPECT_EQ(max_abs_difference(same), 0.0);
  EXPECT_EQ(count_flips(same), 0u);
  EXPECT_DOUBLE_EQ(mean_cosine(same), 1.0);
}

TEST(Fidelity, DoesNotChangeWithAShiftOfARow) {
  Logits shifted(golden::kCandidateLogits.begin(), golden::kCandidateLogits.end());
  for (float& logit : shifted) logit += 16;

  // The shift costs four bits of the logits' 24, |error| <= 2^-19 each.
  EXPECT_NEAR(mean_kl({golden::kReferenceLogits, shifted, 3}), mean_kl(kGolden), 1e-5);
}

TEST(Fidelity, TakesTheFirstOfEqualLogitsAsTheAnswer) {
  EXPECT_THAT(argmax_rows(Logits{1, 3, 3, -1, -2, -1}, 3), ::testing::ElementsAre(1, 0));
}

TEST(Fidelity, MeasuresCosineByHand) {
  EXPECT_DOUBLE_EQ(cosine(Logits{3, 4}, Logits{4, 3}), 0.96);
  EXPECT_DOUBLE_EQ(cosine(Logits{1, 0}, Logits{0, 5}), 0.0);
  EXPECT_DOUBLE_EQ(cosine(Logits{1, 1}, Logits{-2, -2}), -1.0);
  EXPECT_DOUBLE_EQ(cosine(Logits{1e-30F}, Logits{1e38F}), 1.0);
}

TEST(Fidelity, MeasuresRelativeErrorAndItsSignalToNoise) {
  EXPECT_DOUBLE_EQ(relative_error(Logits{3, 4}, Logits{3, 3.5F}), 0.1);
  EXPECT_DOUBLE_EQ(sqnr_db(0.1), 20.0);
  EXPECT_EQ(relative_error(Logits{0, 0}, Logits{0, 0}), 0.0);
  EXPECT_TRUE(std::isinf(relative_error(Logits{0, 0}, Logits{0, 1})));
  EXPECT_TRUE(std::isinf(sqnr_db(0.0)));
  EXPECT_THROW((void)relative_error(Logits{1}, Logits{1, 2}), Error);
}

TEST(Fidelity, RefusesWhatCannotBeCompared) {
  const Logits two = {1, 2};
  const Logits three = {1, 2, 3};
  const Logits broken = {1, std::numeric_limits<float>::quiet_NaN()};

  EXPECT_THROW((void)mean_kl({two, three, 1}), Error);
  EXPECT_THROW((void)mean_kl({three, three, 2}), Error);
  EXPECT_THROW((void)mean_kl({{}, {}, 2}), Error);
  EXPECT_THROW((void)mean_kl({two, broken, 2}), Error);
  EXPECT_THROW((void)max_abs_difference({broken, two, 2}), Error);
  EXPECT_THROW((void)count_flips({broken, two, 2}), Error);
  EXPECT_THROW((void)cosine(two, Logits{0, 0}), Error);
  EXPECT_THROW((void)argmax_rows(three, 2), Error);
}

}  // namespace
}  // namespace espalier::measure
