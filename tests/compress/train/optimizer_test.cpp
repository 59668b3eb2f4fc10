#include "compress/train/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace espalier::train {
namespace {

// Algorithm 2 of Loshchilov and Hutter 2019 for one number, in double.
struct ScalarAdamW {
  double value;
  double weight_decay;
  double first = 0;
  double second = 0;
  int n_steps = 0;

  void step(double gradient, double rate) {
    ++n_steps;
    first = 0.9 * first + 0.1 * gradient;
    second = 0.999 * second + 0.001 * gradient * gradient;
    const double first_hat = first / (1 - std::pow(0.9, n_steps));
    const double second_hat = second / (1 - std::pow(0.999, n_steps));
    value -= rate * (first_hat / (std::sqrt(second_hat) + 1e-8) + weight_decay * value);
  }
};

at::Tensor parameter(at::IntArrayRef shape, double value) {
  return at::full(shape, value, at::kFloat).requires_grad_(true);
}

TEST(AdamW, FollowsThePaperAndDecaysWeightsOnly) {
  const at::Tensor weight = parameter({2, 2}, 0.5);
  const at::Tensor bias = parameter({2}, 0.5);
  AdamW optimizer({{"weight", weight}, {"bias", bias}}, {.weight_decay = 0.1});
  ScalarAdamW expected_weight{.value = 0.5, .weight_decay = 0.1};
  ScalarAdamW expected_bias{.value = 0.5, .weight_decay = 0};

  for (const double gradient : {0.3, -1.0, 0.02, 4.0}) {
    (weight.sum() * gradient + bias.sum() * gradient).backward();
    optimizer.step(0.01);
    optimizer.zero_grad();
    expected_weight.step(gradient, 0.01);
    expected_bias.step(gradient, 0.01);
  }

  // Four steps of fp32, each rounding a value below 1 a few times: 1e-6.
  EXPECT_NEAR(weight[1][1].item<double>(), expected_weight.value, 1e-6);
  EXPECT_NEAR(bias[1].item<double>(), expected_bias.value, 1e-6);
  EXPECT_GT(std::abs(expected_weight.value - expected_bias.value), 1e-4);
}

TEST(AdamW, LeavesWhatHasNoGradientAlone) {
  const at::Tensor used = parameter({2, 2}, 1);
  const at::Tensor unused = parameter({2, 2}, 1);
  AdamW optimizer({{"used", used}, {"unused", unused}}, {.weight_decay = 0.1});

  used.sum().backward();
  optimizer.step(0.1);

  EXPECT_LT(used[0][0].item<double>(), 0.95);
  EXPECT_EQ(unused[0][0].item<double>(), 1.0);
}

TEST(AdamW, ClipsTheNormOfAllGradientsTogether) {
  const at::Tensor first = parameter({1, 1}, 0);
  const at::Tensor second = parameter({1}, 0);
  AdamW optimizer({{"first", first}, {"second", second}}, {});

  (first.sum() * 3 + second.sum() * 4).backward();
  const double norm = optimizer.clip_gradients(1);

  EXPECT_NEAR(norm, 5, 1e-6);
  EXPECT_NEAR(first.grad().item<double>(), 0.6, 1e-6);
  EXPECT_NEAR(second.grad().item<double>(), 0.8, 1e-6);
}

TEST(AdamW, LeavesShortGradientsAsTheyAre) {
  const at::Tensor weight = parameter({1, 1}, 0);
  AdamW optimizer({{"weight", weight}}, {});

  (weight.sum() * 0.5).backward();
  optimizer.clip_gradients(1);

  EXPECT_EQ(weight.grad().item<double>(), 0.5);
}

TEST(Schedule, RisesThenFallsToZero) {
  const Schedule schedule{.peak = 1, .n_steps = 100, .n_warm_up = 10};

  EXPECT_DOUBLE_EQ(schedule.rate(0), 0.1);
  EXPECT_DOUBLE_EQ(schedule.rate(9), 1.0);
  EXPECT_DOUBLE_EQ(schedule.rate(10), 1.0);
  EXPECT_DOUBLE_EQ(schedule.rate(55), 0.5);
  EXPECT_DOUBLE_EQ(schedule.rate(100), 0.0);
}

}  // namespace
}  // namespace espalier::train
