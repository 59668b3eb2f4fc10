#include "measure/slices.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "espalier/error.hpp"

namespace espalier::measure {
namespace {

constexpr Outcome kRight = {.won = 1.0};
constexpr Outcome kWrong = {.won = 0.0};

void add_times(SliceCounter& counter, const char* value, int n, const Outcome& before,
               const Outcome& after) {
  for (int item = 0; item < n; ++item) counter.add("label", value, after, before);
}

TEST(Slices, TheWorstLossComesFirstWithItsPairedInterval) {
  SliceCounter counter(SliceScore::accuracy);
  add_times(counter, "steady", 50, kRight, kRight);
  add_times(counter, "loser", 40, kRight, kRight);
  add_times(counter, "loser", 8, kRight, kWrong);
  add_times(counter, "loser", 2, kWrong, kRight);
  add_times(counter, "winner", 50, kWrong, kRight);

  const std::vector<Slice> slices = counter.worst_first();

  ASSERT_EQ(slices.size(), 3u);
  EXPECT_EQ(slices[0].value, "loser");
  EXPECT_EQ(slices[1].value, "steady");
  EXPECT_EQ(slices[2].value, "winner");
  const Slice& worst = slices[0];
  const Interval expected = paired_difference({.only_first = 2, .only_second = 8}, 50);
  ASSERT_TRUE(worst.change.has_value());
  EXPECT_EQ(worst.n_items, 50u);
  EXPECT_DOUBLE_EQ(worst.change->before, 96.0);
  EXPECT_DOUBLE_EQ(worst.score, 84.0);
  EXPECT_DOUBLE_EQ(worst.change->difference, -12.0);
  EXPECT_EQ(worst.change->difference_95.low, expected.low);
  EXPECT_EQ(worst.change->difference_95.high, expected.high);
  EXPECT_EQ(worst.score_95.low, wilson_interval(42, 50).low);
}

TEST(Slices, FewItemsHaveAWideInterval) {
  for (const SliceScore kind : {SliceScore::accuracy, SliceScore::f1}) {
    SliceCounter few(kind), many(kind);
    const Outcome found = {.won = kind == SliceScore::f1 ? 2.0 : 1.0,
                           .of = kind == SliceScore::f1 ? 2.0 : 1.0};
    add_times(few, "x", 2, found, found);
    add_times(many, "x", 2000, found, found);

    const Interval of_few = few.worst_first()[0].change->difference_95;
    const Interval of_many = many.worst_first()[0].change->difference_95;

    EXPECT_LT(of_few.low, -40.0);
    EXPECT_GT(of_few.high, 40.0);
    EXPECT_GT(of_many.low, -0.2);
    EXPECT_LT(of_many.high, 0.2);
  }
}

TEST(Slices, WithOneModelTheWorstScoreComesFirst) {
  SliceCounter counter(SliceScore::accuracy);
  counter.add("length", "long", kWrong);
  counter.add("length", "long", kRight);
  counter.add("length", "short", kRight);
  counter.add("label", "yes", kWrong);

  const std::vector<Slice> slices = counter.worst_first();

  ASSERT_EQ(slices.size(), 3u);
  EXPECT_EQ(slices[0].group, "label");
  EXPECT_EQ(slices[1].value, "long");
  EXPECT_EQ(slices[1].score, 50.0);
  EXPECT_FALSE(slices[0].change.has_value());
}

TEST(Slices, OfEqualLossesTheLargerSliceComesFirst) {
  SliceCounter counter(SliceScore::accuracy);
  add_times(counter, "a", 1, kRight, kWrong);
  add_times(counter, "b", 3, kRight, kWrong);

  EXPECT_EQ(counter.worst_first()[0].value, "b");
}

// Sentences with up to two entities each; the second model finds fewer of them.
std::vector<OutcomePair> drawn_sentences(std::size_t n_sentences) {
  std::mt19937 random(3);
  const auto chance = [&random](unsigned percent) { return random() % 100 < percent ? 1.0 : 0.0; };
  std::vector<OutcomePair> pairs;
  for (std::size_t sentence = 0; sentence < n_sentences; ++sentence) {
    const double gold = 1.0 + chance(40);
    OutcomePair pair;
    for (Outcome* outcome : {&pair.before, &pair.after}) {
      const double found = gold * chance(outcome == &pair.before ? 85 : 75);
      *outcome = {.won = 2.0 * found, .of = gold + found + chance(20)};
    }
    pairs.push_back(pair);
  }
  return pairs;
}

double f1_difference(const std::vector<OutcomePair>& pairs, std::mt19937* random) {
  Outcome before{.won = 0.0, .of = 0.0}, after = before;
  for (std::size_t draw = 0; draw < pairs.size(); ++draw) {
    const OutcomePair& pair = pairs[random != nullptr ? (*random)() % pairs.size() : draw];
    before.won += pair.before.won;
    before.of += pair.before.of;
    after.won += pair.after.won;
    after.of += pair.after.of;
  }
  return 100.0 * (after.won / after.of - before.won / before.of);
}

TEST(Slices, TheIntervalOfAnF1IsThatOfABootstrap) {
  const std::vector<OutcomePair> pairs = drawn_sentences(500);
  SliceCounter counter(SliceScore::f1);
  for (const OutcomePair& pair : pairs) counter.add("entity", "PER", pair.after, pair.before);
  std::mt19937 random(4);
  std::vector<double> resampled;
  for (int draw = 0; draw < 2000; ++draw) resampled.push_back(f1_difference(pairs, &random));
  std::sort(resampled.begin(), resampled.end());

  const SliceChange change = counter.worst_first()[0].change.value();

  EXPECT_NEAR(change.difference, f1_difference(pairs, nullptr), 1e-9);
  // An end of the bootstrap's, at a 40th of 2,000 draws, is itself known to about 4 % of the width.
  const double width = resampled[1949] - resampled[49];
  EXPECT_NEAR(change.difference_95.low, resampled[49], 0.08 * width);
  EXPECT_NEAR(change.difference_95.high, resampled[1949], 0.08 * width);
}

TEST(Slices, OfErrorsARiseIsTheLossAndStudentTheInterval) {
  SliceCounter counter(SliceScore::mean_error);
  counter.add("source", "news", {.won = 0.5}, Outcome{.won = 0.25});
  counter.add("source", "news", {.won = 1.0}, Outcome{.won = 0.25});
  counter.add("source", "news", {.won = 0.3}, Outcome{.won = 0.3});
  counter.add("source", "chat", {.won = 0.1}, Outcome{.won = 0.2});

  const std::vector<Slice> slices = counter.worst_first();

  EXPECT_EQ(slices[0].value, "news");
  // scipy.stats.t.interval(0.95, 2, mean, sem) of 0.25, 0.75 and 0.
  EXPECT_NEAR(slices[0].change->difference, 1.0 / 3.0, 1e-12);
  EXPECT_NEAR(slices[0].change->difference_95.low, -0.615312425, 1e-5);
  EXPECT_NEAR(slices[0].change->difference_95.high, 1.281979092, 1e-5);
  EXPECT_EQ(slices[1].value, "chat");
  EXPECT_TRUE(std::isinf(slices[1].change->difference_95.high));  // one item says nothing
}

TEST(Slices, RefusesNamesOfRowsAndItemsOfAnotherKind) {
  SliceCounter counter(SliceScore::accuracy);
  for (std::size_t value = 0; value < SliceCounter::kMaxValues; ++value) {
    counter.add("id", std::to_string(value), kRight);
  }

  EXPECT_NO_THROW(counter.add("id", "7", kRight));
  EXPECT_THROW(counter.add("id", "another", kRight), Error);
  EXPECT_THROW(counter.add("label", "x", {.won = 1.0, .of = 2.0}), Error);
  EXPECT_TRUE(SliceCounter(SliceScore::f1).worst_first().empty());
}

}  // namespace
}  // namespace espalier::measure
