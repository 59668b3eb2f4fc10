// Work that takes turns, so that whatever slows the machine down slows all of it alike: the order,
// the warm-up, and a fixed piece of work in between that shows how steady the machine was. Every
// verb that holds the time of one model against another's goes through here.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "espalier/espalier.hpp"
#include "measure/steadiness.hpp"

namespace espalier::tools {

/// A session with calls to answer and room for the largest answer; both must outlive it. One thread
/// at a time.
class ModelCalls {
 public:
  ModelCalls(Session& session, std::span<const TokenBatch> calls);

  [[nodiscard]] std::size_t size() const { return calls_.size(); }
  /// Of a call, counted round and round.
  [[nodiscard]] std::size_t n_tokens(std::size_t index) const {
    return calls_[index % calls_.size()].n_tokens();
  }

  /// Answers a call, counted round and round. Throws what Session::run() does.
  void run(std::size_t index) { run(index, calls_[index % calls_.size()]); }
  /// The same call, cut into tokens anew.
  void run(std::size_t index, const TokenBatch& same);

 private:
  Session& session_;
  std::span<const TokenBatch> calls_;
  std::vector<std::size_t> sizes_;  // (calls), floats
  std::vector<float> answers_;
};

/// One contestant's turn.
struct Turn {
  std::size_t contestant = 0;
  std::size_t round = 0;    ///< from 0 on in warm-up, and from 0 on again after it
  bool is_counted = false;  ///< false in warm-up
};

struct TurnPlan {
  std::size_t n_contestants = 1;
  std::size_t n_warm_up = 2;  ///< rounds that do not count
  std::size_t n_rounds = 30;  ///< that do
  double least_s = 0;         ///< rounds that count go on for at least as long
  /// Rounds from one control loop to the next. It takes about a millisecond: where rounds are as
  /// short, more of it would disturb what is timed.
  std::size_t control_every = 10;
  std::size_t n_control =
      1;  ///< loops each time: a short one rarely meets what interrupts a long round
};

/// What is to be done; all may throw, which ends the turns.
struct TurnWork {
  std::function<void(const Turn& turn)> turn;
  /// Work that nobody times: the contestant's threads slept, and others had the caches.
  std::function<void(std::size_t contestant)> touch;
  std::function<void(std::size_t n_rounds)> on_round = {};  ///< after each that counts; or empty
};

/// Runs rounds in which each contestant has a turn, another one first in each. Returns the times of
/// measure::control_loop_ms(), which runs before the first round that counts and every so many
/// rounds.
std::vector<double> take_turns(const TurnPlan& plan, const TurnWork& work);

/// How many times as fast as the first contestant, round by round.
struct Speedup {
  double times = 1;  ///< median
  double p10 = 1;
  double p90 = 1;
};

/// first_ms, own_ms: (rounds), the times of the same rounds, at least one.
[[nodiscard]] Speedup speedup(std::span<const double> first_ms, std::span<const double> own_ms);

/// {runs, p50_ms, p90_ms, spread_percent, drift_percent, steady, verdict}; steady may be null.
[[nodiscard]] nlohmann::ordered_json control_json(const measure::ControlSummary& control);

}  // namespace espalier::tools
