// GPTQ against a plain loop over its definition, and against the rounding that it improves on.
#include "compress/quantize/gptq.hpp"

#include <gtest/gtest.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "base/canonical.hpp"
#include "espalier/error.hpp"
#include "tests/compress/prune/small_model.hpp"

namespace espalier::quantize {
namespace {

constexpr std::uint32_t kOut = 6;
constexpr std::uint32_t kIn = 200;  // more than a block of columns, and no multiple of a group

std::vector<float> noise(std::size_t size, unsigned seed) {
  std::mt19937 draw(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(size);
  for (float& value : values) value = normal(draw);
  return values;
}

// Inputs of which neighbours say nearly the same, so that one can make up for the other.
at::Tensor alike_inputs(std::int64_t n_rows = 600) {
  const std::vector<float> values = noise(static_cast<std::size_t>(n_rows) * kIn, 3);
  at::Tensor x = at::empty({n_rows, kIn}, at::kDouble);
  for (std::int64_t row = 0; row < n_rows; ++row) {
    double last = 0;
    for (std::int64_t col = 0; col < kIn; ++col) {
      last = 0.9 * last + 0.4 * values[static_cast<std::size_t>(row * kIn + col)];
      x[row][col] = last * (1 + 0.01 * static_cast<double>(col % 17));
    }
  }
  return x;
}

struct Problem {
  std::vector<float> weights = noise(std::size_t{kOut} * kIn, 7);
  std::vector<float> input_scale = {};
  std::uint32_t group = 32;

  [[nodiscard]] compress::LinearToRound linear() const {
    return {.name = "layer.0.ffn.up",
            .out = kOut,
            .in = kIn,
            .group = group,
            .weights = weights,
            .input_scale = input_scale};
  }
};

compress::RoundedLinear rounded(const Problem& problem, const at::Tensor& moments) {
  Gptq gptq({{"layer.0.ffn.up", moments}});
  return gptq.round(problem.linear());
}

double step_of(const compress::RoundedLinear& linear, std::uint32_t group, std::size_t row,
               std::size_t col) {
  const std::size_t n_groups = linear.multipliers.size() / kOut;
  return double{linear.scales[row]} *
         (group == 0 ? 1 : linear.multipliers[row * n_groups + col / group]);
}

// What the codes stand for, (out, in).
at::Tensor meaning(const compress::RoundedLinear& linear, std::uint32_t group) {
  at::Tensor values = at::empty({kOut, kIn}, at::kDouble);
  for (std::size_t row = 0; row < kOut; ++row) {
    for (std::size_t col = 0; col < kIn; ++col) {
      values[static_cast<std::int64_t>(row)][static_cast<std::int64_t>(col)] =
          linear.codes[row * kIn + col] * step_of(linear, group, row, col);
    }
  }
  return values;
}

at::Tensor as_tensor(const std::vector<float>& weights) {
  return at::tensor(weights).view({kOut, kIn}).to(at::kDouble);
}

double output_error(const at::Tensor& x, const Problem& problem, const at::Tensor& values) {
  return at::matmul(x, (values - as_tensor(problem.weights)).t()).square().sum().item<double>();
}

// The same steps, every weight by itself.
at::Tensor nearest(const Problem& problem, const compress::RoundedLinear& steps) {
  compress::RoundedLinear plain = steps;
  for (std::size_t row = 0; row < kOut; ++row) {
    for (std::size_t col = 0; col < kIn; ++col) {
      const std::size_t at = row * kIn + col;
      const double most = problem.group == 0 ? 127 : 7;
      const double code =
          std::nearbyint(problem.weights[at] / step_of(steps, problem.group, row, col));
      plain.codes[at] = static_cast<std::int8_t>(std::clamp(code, -most, most));
    }
  }
  return meaning(plain, problem.group);
}

TEST(Gptq, RoundsToTheNearestWhereInputsHaveNothingToDoWithEachOther) {
  for (const std::uint32_t group : {0U, 32U, 64U}) {
    const Problem problem{.group = group};
    const compress::RoundedLinear result = rounded(problem, at::eye(kIn, at::kDouble));
    EXPECT_TRUE(at::equal(meaning(result, group), nearest(problem, result)));
  }
}

TEST(Gptq, HalvesTheErrorOfTheOutputsWhereInputsAreAlike) {
  const at::Tensor x = alike_inputs();
  for (const std::uint32_t group : {0U, 32U}) {
    const Problem problem{.group = group};
    const compress::RoundedLinear result = rounded(problem, at::matmul(x.t(), x));
    EXPECT_LT(output_error(x, problem, meaning(result, group)),
              0.5 * output_error(x, problem, nearest(problem, result)));
  }
}

// One weight after the other, the inverse of what is left taken anew each time (Frantar et al.,
// equation 2).
at::Tensor by_definition(const Problem& problem, const compress::RoundedLinear& steps,
                         const at::Tensor& moments) {
  const at::Tensor damped = moments + 0.01 * moments.diagonal().mean() * at::eye(kIn, at::kDouble);
  std::vector<std::int64_t> left(kIn);
  std::iota(left.begin(), left.end(), 0);
  std::stable_sort(left.begin(), left.end(), [&](std::int64_t a, std::int64_t b) {
    return moments[a][a].item<double>() > moments[b][b].item<double>();
  });
  at::Tensor weights = as_tensor(problem.weights);
  while (!left.empty()) {
    const at::Tensor rest = at::tensor(left);
    const at::Tensor inverse = at::inverse(damped.index_select(0, rest).index_select(1, rest));
    const std::int64_t col = left.front();
    left.erase(left.begin());
    for (std::int64_t row = 0; row < kOut; ++row) {
      const double step = step_of(steps, problem.group, static_cast<std::size_t>(row),
                                  static_cast<std::size_t>(col));
      const double weight = weights[row][col].item<double>();
      const double value = std::clamp(std::nearbyint(weight / step), -7.0, 7.0) * step;
      const at::Tensor error = (weight - value) / inverse[0][0];
      weights[row].index_add_(0, rest.slice(0, 1), -error * inverse[0].slice(0, 1));
      weights[row][col] = value;
    }
  }
  return weights;
}

TEST(Gptq, IsWhatItsDefinitionSays) {
  at::set_num_threads(1);
  const at::Tensor x = alike_inputs();
  const at::Tensor moments = at::matmul(x.t(), x);
  const Problem problem;
  const compress::RoundedLinear result = rounded(problem, moments);
  const at::Tensor expected = by_definition(problem, result, moments);
  const at::Tensor same = at::isclose(meaning(result, problem.group), expected, 1e-6, 1e-9);
  // A weight half way between two codes may fall either way, and moves those after it.
  EXPECT_GT(same.to(at::kDouble).mean().item<double>(), 0.999);
}

TEST(Gptq, CountsInputsAsTheRuntimeScalesThem) {
  const at::Tensor x = alike_inputs();
  Problem problem;
  problem.input_scale = noise(kIn, 9);
  for (float& scale : problem.input_scale) scale = std::exp(scale);
  const at::Tensor scaled = x * at::tensor(problem.input_scale).to(at::kDouble);
  const compress::RoundedLinear result = rounded(problem, at::matmul(x.t(), x));
  Problem direct;
  EXPECT_EQ(result.codes, rounded(direct, at::matmul(scaled.t(), scaled)).codes);
  EXPECT_NE(result.codes, rounded(direct, at::matmul(x.t(), x)).codes);
}

TEST(Gptq, StandsInputsThatNeverOccur) {
  at::Tensor x = alike_inputs();
  x.slice(1, 20, 60).zero_();
  const Problem problem;
  const compress::RoundedLinear some = rounded(problem, at::matmul(x.t(), x));
  EXPECT_TRUE(at::isfinite(meaning(some, problem.group)).all().item<bool>());
  const compress::RoundedLinear none = rounded(problem, at::zeros({kIn, kIn}, at::kDouble));
  EXPECT_TRUE(at::equal(meaning(none, problem.group), nearest(problem, none)));
}

TEST(Gptq, RefusesALinearOfWhichNothingIsKnown) {
  Gptq gptq({{"layer.0.ffn.up", at::eye(kIn + 1, at::kDouble)}});
  EXPECT_THROW((void)gptq.round(Problem().linear()), Error);
  EXPECT_THROW((void)Gptq({}).round(Problem().linear()), Error);
}

TEST(InputMoments, AreOfWhatLinearsReadWithoutPadding) {
  at::set_num_threads(1);
  const at::NoGradGuard no_grad;
  const model::Bert bert = prune::lively_bert(prune::small_config());
  TokenBatch batch;
  batch.offsets = {0, 3, 10};
  for (std::int32_t token = 0; token < 10; ++token) {
    batch.ids.push_back(TokenId{5 + token});
    batch.segments.push_back(0);
  }
  const InputMoments moments = input_moments(bert, batch, /*first_token_answers=*/false);
  at::Tensor expected = at::zeros({32, 32}, at::kDouble);
  for (std::size_t sentence = 0; sentence < 2; ++sentence) {
    const std::int64_t size = batch.offsets[sentence + 1] - batch.offsets[sentence];
    model::TokenTensors tokens;
    tokens.ids = at::arange(5 + batch.offsets[sentence], 5 + batch.offsets[sentence] + size)
                     .to(at::kLong)
                     .view({1, size});
    tokens.segments = at::zeros_like(tokens.ids);
    const at::Tensor x = model::embedded(bert, tokens)[0].to(at::kDouble);
    expected += at::matmul(x.t(), x);
  }
  EXPECT_EQ(moments.size(), 8U);
  EXPECT_TRUE(at::allclose(moments.at("layer.0.attention.qkv"), expected, 1e-4, 1e-3));
  TokenBatch none;
  none.offsets = {0};
  EXPECT_THROW((void)input_moments(bert, none, false), Error);
}

}  // namespace
}  // namespace espalier::quantize
