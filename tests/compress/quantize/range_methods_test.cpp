// The methods against numpy and scipy (make_ranges.py), and what must hold of any of them.
#include "compress/quantize/range_methods.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "espalier/error.hpp"

namespace espalier::quantize {
namespace {

constexpr int kN = 10007;
constexpr int kCopies = 200;

// As values() of make_ranges.py.
Histogram body_with_outliers() {
  std::vector<float> body;
  for (int index = 0; index < kN; ++index) {
    const double u = (static_cast<double>(index * 7919LL % kN) + 0.5) / kN * 2 - 1;
    body.push_back(static_cast<float>(u * u * u * 2 - 0.05));
  }
  Histogram histogram({-5.25F, 9.5F});
  for (int copy = 0; copy < kCopies; ++copy) histogram.add(body);
  histogram.add(std::vector<float>{9.5F, -5.25F, 7.0F});
  return histogram;
}

Histogram histogram_of(const std::vector<float>& values) {
  Histogram histogram({*std::min_element(values.begin(), values.end()),
                       *std::max_element(values.begin(), values.end())});
  histogram.add(values);
  return histogram;
}

TEST(MinMax, KeepsAllThatWasSeen) {
  const Range range = minmax_range(body_with_outliers(), {});

  EXPECT_EQ(range.low, -5.25F);
  EXPECT_EQ(range.high, 9.5F);
}

TEST(Percentile, IsThatOfSignedValuesToTheBin) {
  const Histogram histogram = body_with_outliers();

  const Range range99 = percentile_range(histogram, {.percentile = 99});
  const Range range9999 = percentile_range(histogram, {.percentile = 99.99});

  EXPECT_NEAR(range99.low, -1.931889, histogram.bin_width());
  EXPECT_NEAR(range99.high, 1.831889, histogram.bin_width());
  EXPECT_NEAR(range9999.low, -2.049401, histogram.bin_width());
  EXPECT_NEAR(range9999.high, 1.949400, histogram.bin_width());
}

TEST(Percentile, OfOneHundredIsAllThatWasSeen) {
  const Histogram histogram = body_with_outliers();

  const Range range = percentile_range(histogram, {.percentile = 100});

  EXPECT_EQ(range.low, histogram.range().low);
  EXPECT_EQ(range.high, histogram.range().high);
}

TEST(Mse, FindsTheErrorOfASearchOverEveryPairOfHundredths) {
  const Histogram histogram = body_with_outliers();

  const Range range = mse_range(histogram, {});

  // The grid is coarser than the oracle's, the error flat around its best.
  const double signal_db = fidelity(histogram, static_codes({-2.0475F, 2.28F})).sqnr_db;
  EXPECT_NEAR(fidelity(histogram, static_codes(range)).sqnr_db, signal_db, 0.1);
  EXPECT_NEAR(range.low, -2.0475, 0.2);
  EXPECT_NEAR(range.high, 2.28, 0.5);
}

TEST(Entropy, KeepsTheShareWithTheLeastDivergence) {
  const Histogram histogram = body_with_outliers();

  const Range range = entropy_range(histogram, {});

  EXPECT_NEAR(range.low / histogram.range().low, 0.47, 0.011);
  EXPECT_NEAR(range.high / histogram.range().high, 0.47, 0.011);
}

TEST(Fidelity, IsSignalToNoiseAndWhatLiesPastTheEnds) {
  const Histogram histogram = body_with_outliers();

  const Fidelity found = fidelity(histogram, static_codes({-1.0F, 6.0F}));

  EXPECT_NEAR(found.sqnr_db, 11.9128, 0.01);
  EXPECT_NEAR(found.clipped_share, 0.109625, 0.0005);  // a bin at the end holds about as much
}

class EveryMethod : public ::testing::TestWithParam<RangeMethod> {
 protected:
  static Range choose(const std::vector<float>& values) {
    return GetParam().choose(histogram_of(values), {});
  }
};

TEST_P(EveryMethod, KeepsBothSignsAndZero) {
  for (const float side : {-1.0F, 1.0F}) {
    std::vector<float> values(4000);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = side * (0.5F + static_cast<float>(i % 1000) / 1000);
    }

    const Range one_sided = choose(values);
    for (std::size_t i = 0; i < values.size(); i += 3) values[i] *= -0.25F;
    const Range two_sided = choose(values);

    EXPECT_LE(one_sided.low, 0);
    EXPECT_GE(one_sided.high, 0);
    EXPECT_LT(two_sided.low, 0);
    EXPECT_GT(two_sided.high, 0);
  }
}

TEST_P(EveryMethod, StaysWithinWhatWasSeen) {
  const Histogram histogram = body_with_outliers();

  const Range range = GetParam().choose(histogram, {});

  EXPECT_GE(range.low, histogram.range().low);
  EXPECT_LE(range.high, histogram.range().high);
}

TEST_P(EveryMethod, CodesAConstantInputAsItself) {
  for (const float constant : {-3.0F, 0.0F, 0.75F}) {
    const canonical::RowCode codes = static_codes(choose(std::vector<float>(100, constant)));

    ASSERT_GT(codes.scale, 0) << constant;
    const float back =
        static_cast<float>(canonical::code_difference(constant, codes)) * codes.scale;
    EXPECT_NEAR(back, constant, std::fabs(constant) * 1e-6) << constant;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, EveryMethod, ::testing::ValuesIn(range_methods()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(RangeMethods, AnUnknownNameIsRefusedWithThoseThereAre) {
  try {
    (void)range_method("minimax");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_NE(std::string(error.what()).find("minmax, percentile, mse, entropy"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace espalier::quantize
