#include "turns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "measure/latency.hpp"

namespace espalier::tools {
namespace {

using ::testing::Each;
using ::testing::Gt;
using ::testing::SizeIs;

// What happens, as letters: a turn of contestant 0 in warm-up is "a", one that counts is "A", and
// work that nobody times is "t".
std::string course(const TurnPlan& plan, std::vector<double>* control_ms = nullptr) {
  std::string letters;
  const std::vector<double> control = take_turns(
      plan, {.turn =
                 [&](const Turn& turn) {
                   const char first = turn.is_counted ? 'A' : 'a';
                   letters += static_cast<char>(first + static_cast<char>(turn.contestant));
                 },
             .touch = [&](std::size_t) { letters += 't'; },
             .on_round = [&](std::size_t n_rounds) { letters += std::to_string(n_rounds); }});
  if (control_ms != nullptr) *control_ms = control;
  return letters;
}

TEST(Turns, BeginEachRoundWithAnotherContestant) {
  EXPECT_EQ(course({.n_contestants = 3, .n_warm_up = 2, .n_rounds = 4}),
            "abcbcatttABC1BCA2CAB3ABC4");
}

TEST(Turns, LookAtTheMachineBeforeTheFirstRoundThatCountsAndEverySoManyRounds) {
  std::vector<double> control_ms;

  EXPECT_EQ(
      course(
          {.n_contestants = 1, .n_warm_up = 0, .n_rounds = 5, .control_every = 2, .n_control = 3},
          &control_ms),
      "tA1A2tA3A4tA5");
  EXPECT_THAT(control_ms, SizeIs(3 * 3));
  EXPECT_THAT(control_ms, Each(Gt(0)));
}

TEST(Turns, GoOnForAsLongAsTheyAreAskedTo) {
  const measure::Stopwatch watch;
  const std::string letters =
      course({.n_contestants = 1, .n_warm_up = 0, .n_rounds = 1, .least_s = 0.02});

  EXPECT_GE(watch.elapsed_ms(), 20);
  EXPECT_GT(letters.size(), std::string("tA1").size());
}

TEST(Turns, CountRoundsFromNullAgainAfterWarmUp) {
  std::vector<std::size_t> rounds;
  static_cast<void>(take_turns({.n_contestants = 1, .n_warm_up = 2, .n_rounds = 2},
                               {.turn = [&](const Turn& turn) { rounds.push_back(turn.round); },
                                .touch = [](std::size_t) {}}));

  EXPECT_EQ(rounds, (std::vector<std::size_t>{0, 1, 0, 1}));
}

TEST(Speedup, IsTheMedianOfTheRatiosOfEachRound) {
  const std::vector<double> first_ms = {10, 20, 30};
  const std::vector<double> own_ms = {5, 20, 10};
  const Speedup found = speedup(first_ms, own_ms);

  EXPECT_DOUBLE_EQ(found.times, 2);
  EXPECT_DOUBLE_EQ(found.p10, 1.2);
  EXPECT_DOUBLE_EQ(found.p90, 2.8);
}

TEST(ControlJson, SaysNothingOfSteadinessThatTooFewRunsCannotTell) {
  const auto few = control_json(measure::ControlSummary(std::vector<double>{2, 2}));
  const auto enough = control_json(measure::ControlSummary(std::vector<double>{2, 2, 3}));

  EXPECT_TRUE(few["steady"].is_null());
  EXPECT_EQ(enough["steady"], false);
  EXPECT_EQ(enough["runs"], 3);
}

}  // namespace
}  // namespace espalier::tools
