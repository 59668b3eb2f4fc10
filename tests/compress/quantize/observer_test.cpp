#include "compress/quantize/observer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "espalier/error.hpp"

namespace espalier::quantize {
namespace {

TEST(ChannelStatistics, HoldExtremesAndMeanSquareOfEachChannel) {
  ChannelStatistics ranges("layer.0.ffn.up", 2);

  ranges.add(std::array{1.0F, -8.0F, 3.0F, -2.0F});
  ranges.add(std::array{-0.5F, -4.0F});

  EXPECT_EQ(ranges.low()[0], -0.5F);
  EXPECT_EQ(ranges.high()[0], 3.0F);
  EXPECT_EQ(ranges.low()[1], -8.0F);
  EXPECT_EQ(ranges.high()[1], -2.0F);  // of one side: 0 was not seen
  EXPECT_EQ(ranges.magnitudes(), (std::vector<float>{3, 8}));
  EXPECT_EQ(ranges.mean_squares(), (std::vector<double>{10.25 / 3, 84.0 / 3}));
}

TEST(ChannelStatistics, OverAllAreThoseOfSmoothedValues) {
  ChannelStatistics ranges("layer.0.ffn.up", 2);
  ranges.add(std::array{1.0F, -8.0F, 3.0F, -2.0F});

  const Range plain = ranges.over_all({});
  const Range smoothed = ranges.over_all(std::array{2.0F, 0.25F});

  EXPECT_EQ(plain.low, -8.0F);
  EXPECT_EQ(plain.high, 3.0F);
  EXPECT_EQ(smoothed.low, -2.0F);
  EXPECT_EQ(smoothed.high, 6.0F);
}

TEST(ChannelStatistics, RefuseWhatIsNotFiniteByTensorAndChannel) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    ChannelStatistics ranges("layer.3.ffn.down", 2);
    try {
      ranges.add(std::array{1.0F, 2.0F, 1.0F, bad});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_input);
      EXPECT_NE(std::string(error.what()).find("layer.3.ffn.down is not finite in channel 1"),
                std::string::npos);
    }
  }
}

TEST(Histogram, CountsEveryValueInItsBinAndContainsZero) {
  Histogram histogram({2.0F, 8.0F});

  histogram.add(std::array{2.0F, 8.0F, 7.9999F, 4.0005F});

  EXPECT_EQ(histogram.range().low, 0.0F);
  EXPECT_EQ(histogram.range().high, 8.0F);
  EXPECT_EQ(histogram.total(), 4U);
  EXPECT_EQ(histogram.counts()[Histogram::kBins / 4], 1U);
  EXPECT_EQ(histogram.counts()[Histogram::kBins / 2], 1U);
  EXPECT_EQ(histogram.counts()[Histogram::kBins - 1], 2U);
}

TEST(StaticCodes, AreTheScaleAndZeroOfTheRange) {
  const canonical::RowCode codes = static_codes({-1.0F, 4.1F});

  EXPECT_FLOAT_EQ(codes.scale, 5.1F / 255);
  EXPECT_EQ(codes.zero, 50);
  EXPECT_EQ(static_codes({0, 0}).scale, 1.0F);
  EXPECT_EQ(static_codes({0, 0}).zero, 0);
}

TEST(SignalAndNoise, OfTokensIsThatOfARangeEach) {
  // Steps of 1 from 0 and of 100 from 0: each row's own codes hold its values exactly.
  std::vector<float> rows;
  for (const float step : {1.0F, 100.0F}) {
    for (int i = 0; i < 256; ++i) rows.push_back(step * static_cast<float>(i));
  }
  SignalAndNoise exact;
  SignalAndNoise coarse;

  exact.add_per_token(rows, 256);
  coarse.add_per_token(rows, 512);

  EXPECT_GT(exact.db(), 120);
  EXPECT_LT(coarse.db(), 80);
}

}  // namespace
}  // namespace espalier::quantize
