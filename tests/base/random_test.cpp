// The same numbers on every machine: pinned streams, ranges, and draws that favour nothing.
#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace espalier {
namespace {

// Draws for a frequency test, and how far a frequency may be from its expectation: five standard
// deviations of a binomial count. The streams are fixed, so a test passes always or never.
constexpr std::size_t kDraws = 60'000;

double five_deviations(double probability) {
  return 5 * std::sqrt(static_cast<double>(kDraws) * probability * (1 - probability));
}

TEST(Mix, IsOneStepOfSplitmix64) {
  // The first outputs of the authors' program for the seeds 0 and 1234567.
  static_assert(mix(0) == 0xe220a8397b1dcdafU);
  EXPECT_EQ(mix(1234567), 6457827717110365317U);
  EXPECT_EQ(mix(1234567 + 0x9e3779b97f4a7c15U), 3203168211198807973U);
}

TEST(Mix, GivesEverySeedAndIndexADrawOfItsOwn) {
  std::set<std::uint64_t> draws;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    for (std::uint64_t index = 0; index < 64; ++index) draws.insert(mix(seed, index));
  }

  EXPECT_EQ(draws.size(), 64U * 64U);  // mix(1, 2) is not mix(2, 1) either
}

TEST(Random, ContinuesTheStreamOfItsMixedSeed) {
  constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15U;
  const std::uint64_t start = mix(42);
  Random random(42);

  EXPECT_EQ(random.next(), mix(start + kStep));
  EXPECT_EQ(random.next(), mix(start + 2 * kStep));
}

TEST(Random, StaysBelowItsBound) {
  Random random(3);
  for (const std::size_t bound : {std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
    for (int draw = 0; draw < 2000; ++draw) ASSERT_LT(random.below(bound), bound);
  }
}

TEST(Random, FavoursNoNumberBelowItsBound) {
  Random random(4);
  std::array<std::size_t, 6> counts{};
  for (std::size_t draw = 0; draw < kDraws; ++draw) ++counts.at(random.below(6));

  for (const std::size_t count : counts) {
    EXPECT_NEAR(static_cast<double>(count), kDraws / 6.0, five_deviations(1 / 6.0));
  }
}

TEST(Random, ReachesBothHalvesOfAHugeBound) {
  constexpr std::size_t kHuge = SIZE_MAX;
  Random random(5);
  std::size_t n_upper = 0;
  for (std::size_t draw = 0; draw < kDraws; ++draw) n_upper += random.below(kHuge) > kHuge / 2;

  EXPECT_NEAR(static_cast<double>(n_upper), kDraws / 2.0, five_deviations(0.5));
}

TEST(Random, DrawsEvenlyFromZeroToOne) {
  Random random(6);
  double sum = 0;
  double least = 1;
  double most = 0;
  for (std::size_t draw = 0; draw < kDraws; ++draw) {
    const double value = random.uniform();
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
  }

  EXPECT_GE(least, 0.0);
  EXPECT_LT(least, 1e-3);
  EXPECT_GT(most, 1 - 1e-3);
  EXPECT_LT(most, 1.0);
  // The variance of a uniform number is 1/12.
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
}

TEST(Shuffle, KeepsEveryValueOnce) {
  std::vector<int> values(100);
  std::iota(values.begin(), values.end(), 0);
  const std::vector<int> before = values;
  Random random(7);

  shuffle(std::span(values), random);

  EXPECT_NE(values, before);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values, before);
}

TEST(Shuffle, MakesEveryOrderEquallyLikely) {
  Random random(8);
  std::map<std::string, std::size_t> counts;
  for (std::size_t draw = 0; draw < kDraws; ++draw) {
    std::string letters = "abc";
    shuffle(std::span(letters), random);
    ++counts[letters];
  }

  ASSERT_EQ(counts.size(), 6U);
  for (const auto& [order, count] : counts) {
    EXPECT_NEAR(static_cast<double>(count), kDraws / 6.0, five_deviations(1 / 6.0)) << order;
  }
}

TEST(Shuffle, RepeatsItselfForASeedAndLeavesNothingAlone) {
  std::string first = "abcdefghij";
  std::string second = first;
  Random random(9);
  Random same(9);
  shuffle(std::span(first), random);
  shuffle(std::span(second), same);
  EXPECT_EQ(first, second);

  std::vector<int> none;
  shuffle(std::span(none), random);
  EXPECT_EQ(random.next(), same.next());  // nothing was drawn for it
}

}  // namespace
}  // namespace espalier
