#include "compress/quantize/outlier_scale.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.hpp"

namespace espalier::quantize {
namespace {

constexpr std::size_t kRows = 400;
constexpr std::size_t kInputs = 24;
constexpr std::size_t kOutputs = 16;

float uniform(Random& random) {  // in [-1, 1)
  return static_cast<float>(2 * random.uniform() - 1);
}

// Rows within 1 of 0 but for channel 5, which is `peak` in one row of ten.
struct Problem {
  std::vector<float> rows;
  std::vector<float> weight;
  ChannelStatistics input{"a linear", kInputs};

  explicit Problem(float peak) {
    Random random(3);
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t i = 0; i < kInputs; ++i) rows.push_back(uniform(random));
      if (row % 10 == 0) rows[row * kInputs + 5] = peak;
    }
    for (std::size_t i = 0; i < kInputs * kOutputs; ++i) weight.push_back(uniform(random));
    input.add(rows);
  }

  [[nodiscard]] LinearFacts facts() const { return {input, weight}; }

  // Mean squared error of an output vector, coded as the runtime does.
  [[nodiscard]] double coded_error(std::span<const float> scale) const {
    const canonical::RowCode code = static_codes(input.over_all(scale));
    double error = 0;
    for (std::size_t out = 0; out < kOutputs; ++out) {
      std::vector<float> scaled(kInputs);
      for (std::size_t i = 0; i < kInputs; ++i) scaled[i] = weight[out * kInputs + i] / scale[i];
      const auto weights = canonical::symmetric_scale(canonical::max_magnitude(scaled));
      for (std::size_t row = 0; row < kRows; ++row) {
        double off = 0;
        for (std::size_t i = 0; i < kInputs; ++i) {
          const float x = rows[row * kInputs + i];
          off += canonical::code_difference(x * scale[i], code) * double{code.scale} *
                     canonical::symmetric_code(scaled[i], weights.inverse) * double{weights.scale} -
                 double{x} * double{weight[out * kInputs + i]};
        }
        error += off * off / kRows;
      }
    }
    return error;
  }
};

TEST(OutlierScale, TheExpectedErrorIsNearTheMeasuredOne) {
  const Problem problem(30);
  for (const float scale5 : {1.0F, 0.3F, 0.1F, 0.04F}) {
    std::vector<float> scale(kInputs, 1.0F);
    scale[5] = scale5;

    const double measured = problem.coded_error(scale);

    EXPECT_NEAR(expected_error(problem.facts(), scale) / measured, 1, 0.35) << scale5;
  }
}

TEST(OutlierScale, ScalesTheOutlierAndLeavesTheRestAlone) {
  const Problem problem(30);

  const std::vector<float> scale = outlier_scale(problem.facts());

  EXPECT_LT(scale[5], 0.4F);
  EXPECT_GT(scale[5], 1.0F / 30);
  for (std::size_t i = 0; i < kInputs; ++i) {
    if (i != 5) {
      EXPECT_EQ(scale[i], 1.0F) << i;
    }
  }
  EXPECT_LT(problem.coded_error(scale), problem.coded_error(std::vector<float>(kInputs, 1.0F)) / 3);
}

TEST(OutlierScale, WithoutOutliersHasNextToNothingToDo) {
  const Problem problem(1);

  const std::vector<float> scale = outlier_scale(problem.facts());

  EXPECT_GE(*std::min_element(scale.begin(), scale.end()), 0.5F);
  EXPECT_LE(problem.coded_error(scale),
            problem.coded_error(std::vector<float>(kInputs, 1.0F)) * 1.05);
}

TEST(OutlierScale, OfInputsThatAreAllZeroIsOne) {
  ChannelStatistics input("a linear", 3);
  input.add(std::vector<float>(6));
  const std::vector<float> weight(6, 0.5F);

  EXPECT_EQ(outlier_scale({input, weight}), (std::vector<float>{1, 1, 1}));
}

}  // namespace
}  // namespace espalier::quantize
