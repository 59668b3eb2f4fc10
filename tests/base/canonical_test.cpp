// The canonical arithmetic against double precision, and the rules that make it the same
// everywhere: order of sums, rounding, and what happens to tiny rows and to what is not a number.
#include "base/canonical.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace espalier::canonical {
namespace {

double exact_gelu(double x) {
  return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
}

TEST(CanonicalExp, StaysWithinThreeTenMillionthsOfTheTruth) {
  double worst = 0;
  for (int step = 0; step <= 2'000'000; ++step) {
    const float x = -87.0F * static_cast<float>(step) / 2e6F;
    const double truth = std::exp(double{x});
    worst = std::max(worst, std::fabs(double{exp_nonpositive(x)} / truth - 1.0));
  }

  EXPECT_LT(worst, 3e-7);
}

TEST(CanonicalExp, CountsWhatLiesBelowMinus87AsMinus87) {
  EXPECT_EQ(exp_nonpositive(0.0F), 1.0F);
  EXPECT_EQ(exp_nonpositive(-1e30F), exp_nonpositive(-87.0F));
  EXPECT_EQ(exp_nonpositive(-std::numeric_limits<float>::infinity()), exp_nonpositive(-87.0F));
  EXPECT_TRUE(std::isnormal(exp_nonpositive(-87.0F)));
}

TEST(CanonicalGelu, StaysWithinFiveMillionthsOfTheTruth) {
  double worst = 0;
  for (int step = -1'000'000; step <= 1'000'000; ++step) {
    const float x = static_cast<float>(step) * 1e-5F;
    worst = std::max(worst, std::fabs(double{gelu(x)} - exact_gelu(double{x})));
  }

  EXPECT_LT(worst, 5e-6);
}

TEST(CanonicalGelu, IsTheIdentityOrZeroPastTheClamp) {
  for (const float x : {kGeluClamp, 5.0F, 100.0F, 1e30F}) {
    EXPECT_EQ(gelu(x), x);
    EXPECT_EQ(gelu(-x), 0.0F) << x;
  }
}

TEST(CanonicalTanh, StaysWithinThreeTenMillionthsOfTheTruth) {
  double worst = 0;
  for (int step = -1'000'000; step <= 1'000'000; ++step) {
    const float x = static_cast<float>(step) * 1.2e-5F;
    worst = std::max(worst, std::fabs(double{canonical::tanh(x)} - std::tanh(double{x})));
  }

  EXPECT_LT(worst, 3e-7);
}

TEST(CanonicalTanh, DoesNotHideWhatIsNotFinite) {
  EXPECT_TRUE(std::isnan(canonical::tanh(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_TRUE(std::isnan(canonical::tanh(std::numeric_limits<float>::infinity())));
}

TEST(CanonicalTanh, IsOddAndReachesOne) {
  EXPECT_EQ(canonical::tanh(30.0F), 1.0F);
  EXPECT_EQ(canonical::tanh(-30.0F), -1.0F);
  EXPECT_TRUE(std::signbit(canonical::tanh(-0.0F)));
  EXPECT_EQ(canonical::tanh(0.3F), -canonical::tanh(-0.3F));
}

// 2^24 + 1 is no float: a one added to 2^24 alone is lost, two ones added first are not. So each of
// these sums tells which lanes were joined before which.
constexpr float kBig = 0x1p24F;

TEST(CanonicalSum, JoinsTheLaneEightHigherFirst) {
  Lanes lanes{};
  lanes[0] = kBig;
  lanes[1] = 1;
  lanes[9] = 1;

  EXPECT_EQ(join(lanes), kBig + 2);  // 1 and 9 meet first, 0 comes last

  lanes = {};
  lanes[0] = kBig;
  lanes[8] = 1;
  lanes[1] = 1;

  EXPECT_EQ(join(lanes), kBig);  // 0 and 8 meet first: the ones are lost one by one
}

TEST(CanonicalSum, JoinsFourThenTwoThenOne) {
  Lanes lanes{};
  lanes[0] = kBig;
  lanes[2] = 1;
  lanes[6] = 1;
  EXPECT_EQ(join(lanes), kBig + 2);

  lanes = {};
  lanes[0] = kBig;
  lanes[4] = 1;
  lanes[6] = 1;
  EXPECT_EQ(join(lanes), kBig);

  lanes = {};
  lanes[0] = kBig;
  lanes[1] = 1;
  lanes[3] = 1;
  EXPECT_EQ(join(lanes), kBig + 2);

  lanes = {};
  lanes[0] = kBig;
  lanes[2] = 1;
  lanes[3] = 1;
  EXPECT_EQ(join(lanes), kBig);
}

TEST(CanonicalSum, GivesElementSixteenToLaneZero) {
  std::vector<float> x(17, 0.0F);
  x[0] = kBig;
  x[16] = 1;
  EXPECT_EQ(sum(x), kBig);  // added to lane 0 at once, and lost

  x[16] = 0;
  x[1] = 1;
  x[9] = 1;
  EXPECT_EQ(sum(x), kBig + 2);
}

TEST(CanonicalSum, PadsTheTailWithPlusZero) {
  const std::vector<float> x = {-0.0F};

  EXPECT_FALSE(std::signbit(sum(x)));
  EXPECT_EQ(sum({}), 0.0F);
}

TEST(CanonicalDot, FusesItsMultiplyAdds) {
  // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: rounded alone, the product loses its last term.
  const float x = 1 + 0x1p-12F;
  std::vector<float> a(17, 0.0F);
  std::vector<float> b(17, 0.0F);
  a[0] = 1;
  b[0] = -(1 + 0x1p-11F);
  a[16] = x;
  b[16] = x;

  EXPECT_EQ(dot(a, b), 0x1p-24F);
}

TEST(CanonicalCode, RoundsHalfToEven) {
  const std::vector<std::pair<float, int>> cases = {{0.5F, 0},  {1.5F, 2},     {2.5F, 2},
                                                    {-0.5F, 0}, {-1.5F, -2},   {-2.5F, -2},
                                                    {0.51F, 1}, {126.5F, 126}, {-126.5F, -126}};
  for (const auto& [x, code] : cases) EXPECT_EQ(symmetric_code(x, 1.0F), code) << x;
}

TEST(CanonicalCode, StaysWithin127) {
  EXPECT_EQ(symmetric_code(1e30F, 1.0F), 127);
  EXPECT_EQ(symmetric_code(-1e30F, 1.0F), -127);
  EXPECT_EQ(symmetric_code(std::numeric_limits<float>::infinity(), 1.0F), 127);
}

TEST(CanonicalCode, GivesMinus127ForNotANumber) {
  EXPECT_EQ(symmetric_code(std::numeric_limits<float>::quiet_NaN(), 1.0F), -127);
}

TEST(CanonicalQuantizeRow, CodesTheLargestMagnitudeAs127) {
  const std::vector<float> x = {2.54F, -1.27F, 0.0F, 0.01F};
  std::vector<std::int8_t> codes(x.size());

  const float scale = quantize_row(x, codes);

  EXPECT_EQ(codes, (std::vector<std::int8_t>{127, -64, 0, 0}));  // -63.5 and 0.5, half to even
  EXPECT_EQ(scale, 2.54F / 127.0F);
}

TEST(CanonicalQuantizeRow, TakesTinyRowsForZero) {
  const std::vector<float> x = {9e-31F, -9e-31F, std::numeric_limits<float>::denorm_min()};
  std::vector<std::int8_t> codes(x.size(), 1);

  EXPECT_EQ(quantize_row(x, codes), 0.0F);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{0, 0, 0}));
}

TEST(CanonicalQuantizeRow, LosesAtMostHalfAStep) {
  std::vector<float> x(1000);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::sin(static_cast<float>(i * i)) * 3.0F;
  }
  std::vector<std::int8_t> codes(x.size());

  const float scale = quantize_row(x, codes);

  // Half a step, and the rounding of x * inverse, at most 127 ulps of 1.
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_LE(std::fabs(x[i] - static_cast<float>(codes[i]) * scale), scale * (0.5F + 3e-5F)) << i;
  }
}

TEST(CanonicalAsymmetricRow, CoversTheRangeAndZero) {
  const RowCode code = asymmetric_row(range_of(std::vector<float>{-0.5F, 2.0F, 0.25F}));

  EXPECT_EQ(code.scale, 2.5F / 255.0F);
  EXPECT_EQ(code.zero, 51);
  EXPECT_EQ(code_difference(-0.5F, code), -51);
  EXPECT_EQ(code_difference(2.0F, code), 204);
  EXPECT_EQ(code_difference(0.0F, code), 0);
}

TEST(CanonicalAsymmetricRow, RoundsItsZeroPointToTheNearest) {
  EXPECT_EQ(asymmetric_row(Range{-1.0F, 8.9F}).zero, 26);  // 25.76
  EXPECT_EQ(asymmetric_row(Range{-1.0F, 9.1F}).zero, 25);  // 25.25
}

TEST(CanonicalAsymmetricRow, PutsZeroAtTheEndOfRowsOnOneSideOfIt) {
  const RowCode above = asymmetric_row(range_of(std::vector<float>{3.0F, 3.0F}));
  const RowCode below = asymmetric_row(range_of(std::vector<float>{-3.0F, -1.0F}));

  EXPECT_EQ(above.zero, 0);
  EXPECT_EQ(code_difference(3.0F, above), 255);
  EXPECT_EQ(below.zero, 255);
  EXPECT_EQ(code_difference(-3.0F, below), -255);
  EXPECT_EQ(code_difference(-1.0F, below), -85);
}

TEST(CanonicalAsymmetricRow, RoundsHalfToEven) {
  const RowCode code = asymmetric_row(1.0F, 100);

  for (const auto& [x, difference] : std::vector<std::pair<float, int>>{
           {0.5F, 0}, {1.5F, 2}, {-0.5F, 0}, {-2.5F, -2}, {154.5F, 154}, {-99.5F, -100}}) {
    EXPECT_EQ(code_difference(x, code), difference) << x;
  }
}

TEST(CanonicalAsymmetricRow, LosesAtMostHalfAStepWhateverTheRange) {
  for (const Range range : {Range{-0.17F, 8.0F}, Range{-1.0F, 1e-6F}, Range{-3e38F, 3e38F},
                            Range{0.0F, 3.4e38F}, Range{-2e-30F, 0.0F}, Range{-1e10F, 1e-10F}}) {
    const RowCode code = asymmetric_row(range);
    ASSERT_TRUE(code.zero >= 0 && code.zero <= 255) << range.low;
    for (int step = 0; step <= 1000; ++step) {
      const double share = step / 1000.0;
      const auto x =
          static_cast<float>(share * double{range.high} + (1 - share) * double{range.low});
      const double back = double{code.scale} * code_difference(x, code);
      // Half a step, and at an end another half for the zero point, which was rounded too; and what
      // rounding loses of 255 steps.
      EXPECT_LE(std::fabs(back - double{x}), double{code.scale} * (1.0 + 1e-4)) << x;
    }
  }
}

TEST(CanonicalAsymmetricRow, TakesTinyRowsForZero) {
  const RowCode code = asymmetric_row(Range{-4e-31F, 5e-31F});

  EXPECT_EQ(code.scale, 0.0F);
  EXPECT_EQ(code.zero, 0);
  EXPECT_EQ(code_difference(5e-31F, code), 0);
}

TEST(CanonicalAsymmetricRow, ClipsAtTheEndsOfAStoredRange) {
  const RowCode code = asymmetric_row(0.5F, 20);

  EXPECT_EQ(code_difference(1e30F, code), 235);
  EXPECT_EQ(code_difference(-1e30F, code), -20);
  EXPECT_EQ(code_difference(117.5F, code), 235);
  EXPECT_EQ(code_difference(-9.9F, code), -20);
}

TEST(CanonicalAsymmetricRow, IgnoresWhatIsNotANumberInTheRangeAndCodesItLowest) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const RowCode code = asymmetric_row(range_of(std::vector<float>{kNaN, -1.0F, 4.0F, kNaN}));

  EXPECT_EQ(code.scale, 4.0F / 255.0F + 1.0F / 255.0F);
  EXPECT_EQ(code_difference(kNaN, code), -code.zero);
}

TEST(CanonicalAsymmetricRow, HasAZeroPointForRangesThatAreNotFinite) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const Range range : {Range{-1.0F, kInfinity}, Range{-kInfinity, kInfinity}}) {
    EXPECT_EQ(asymmetric_row(range).zero, 0);
  }
}

TEST(CanonicalDequantize, RoundsTheProductOfScalesBeforeTheFusedAdd) {
  const float token = 1 + 0x1p-12F;
  const float channel = 1 + 0x1p-12F;

  EXPECT_EQ(dequantize(1, token, channel, -(1 + 0x1p-11F)), 0x1p-24F);
  EXPECT_EQ(dequantize(0, token, channel, 0.25F), 0.25F);
}

TEST(CanonicalLayerNorm, AgreesWithDoublePrecision) {
  std::vector<float> x(77);
  std::vector<float> weight(x.size());
  std::vector<float> bias(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = 5.0F + std::sin(static_cast<float>(i) * 1.7F);
    weight[i] = 1.0F + 0.01F * static_cast<float>(i);
    bias[i] = 0.1F * static_cast<float>(i % 7);
  }
  double mean = 0;
  for (const float value : x) mean += double{value} / 77.0;
  double variance = 0;
  for (const float value : x) variance += (value - mean) * (value - mean) / 77.0;
  std::vector<double> truth(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    truth[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * double{weight[i]} + double{bias[i]};
  }

  layer_norm(x, weight, bias, 1e-5F);

  // The mean carries an error of a few ulps of 6, 2e-6; divided by a deviation of 0.7.
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], truth[i], 5e-6) << i;
}

TEST(CanonicalLayerNorm, GivesTheBiasForAConstantRow) {
  std::vector<float> x(20, 3.0F);
  const std::vector<float> weight(20, 2.0F);
  const std::vector<float> bias(20, 0.75F);

  layer_norm(x, weight, bias, 1e-12F);

  EXPECT_EQ(x, bias);
}

TEST(CanonicalAttention, CodesWeightsTimesValueScales) {
  std::vector<float> scores = {2.0F, 2.0F};
  const std::vector<float> value_scale = {1.0F, 0.5F};
  std::vector<std::uint8_t> p(2);

  const float scale = attention_weights(scores, value_scale, p);

  EXPECT_EQ(p, (std::vector<std::uint8_t>{255, 128}));  // 127.5, half to even
  EXPECT_EQ(scale, 1.0F / 255.0F / 2.0F);
}

TEST(CanonicalAttention, GivesZeroWhenEveryValueIsZero) {
  std::vector<float> scores = {1.0F, -1.0F, 0.0F};
  const std::vector<float> value_scale(3, 0.0F);
  std::vector<std::uint8_t> p(3, 7);

  EXPECT_EQ(attention_weights(scores, value_scale, p), 0.0F);
  EXPECT_EQ(p, (std::vector<std::uint8_t>{0, 0, 0}));
}

TEST(CanonicalAttention, AgreesWithDoublePrecision) {
  std::vector<float> scores(50);
  std::vector<float> value_scale(50);
  double total = 0;
  for (std::size_t key = 0; key < scores.size(); ++key) {
    scores[key] = 3.0F * std::cos(static_cast<float>(key));
    value_scale[key] = 0.5F + 0.01F * static_cast<float>(key);
    total += std::exp(double{scores[key]});
  }
  const std::vector<float> given = scores;
  std::vector<std::uint8_t> p(50);

  const float scale = attention_weights(scores, value_scale, p);

  // P * scale stands for softmax * value_scale, half a step off at most.
  for (std::size_t key = 0; key < scores.size(); ++key) {
    const double truth = std::exp(double{given[key]}) / total * double{value_scale[key]};
    EXPECT_NEAR(static_cast<float>(p[key]) * scale, truth, 0.501 * double{scale}) << key;
  }
}

}  // namespace
}  // namespace espalier::canonical
