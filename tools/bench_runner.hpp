// Runs a model's calls of one case on some streams at once, and keeps their times.
#pragma once

#include <cstdint>
#include <vector>

#include "base/thread_team.hpp"
#include "bench_run.hpp"
#include "turns.hpp"

namespace espalier::tools {

/// One stream of a contestant on one case: its session, and room for the largest answer. All that
/// it is made of must outlive it.
class BenchStream {
 public:
  BenchStream(const Model& model, Session& session, const BenchCase& work, std::size_t model_index);

  struct CallTime {
    double tokenizer_ms = 0;
    double run_ms = 0;
  };

  /// Answers call `index` of the case, counted round and round. Throws Error(interrupted).
  CallTime answer(std::size_t index);

  [[nodiscard]] std::size_t tokens_of(std::size_t index) const { return calls_.n_tokens(index); }

 private:
  const Model& model_;
  const BenchCase& work_;
  ModelCalls calls_;
};

/// One contestant on one case with some streams, and all that was timed of it. BenchContestant and
/// case must outlive it; one thread at a time.
class BenchRunner {
 public:
  BenchRunner(BenchContestant& contestant, const BenchCase& work, std::size_t model_index,
              std::uint32_t n_streams);

  /// `n_calls` calls on each stream at the same time, the first of them number `first` of the case
  /// on stream 0; the streams read the case from places of their own.
  void turn(std::size_t first, std::size_t n_calls);

  /// Begins to count: what was run before was warm-up.
  void clear();

  /// A call on each stream that does not count.
  void touch();

  /// What ratios are made of, a figure a turn: of one stream the call itself, without tokenizer.
  [[nodiscard]] std::vector<double> ratio_times_ms() const;

  [[nodiscard]] std::size_t n_texts() const { return n_calls_ * work_.batch; }

  /// What was timed since clear(), at least one turn.
  [[nodiscard]] BenchRow row();

 private:
  [[nodiscard]] std::size_t place(std::size_t stream, std::size_t index) const {
    return index + stream * work_.n_calls() / streams_.size();
  }

  /// What is about the same from turn to turn on a steady machine: where texts differ, the time of
  /// a token.
  [[nodiscard]] std::vector<double> steady_times() const;

  void work_on(unsigned stream, std::size_t first, std::size_t n_calls);

  const BenchCase& work_;
  ThreadTeam team_;
  std::vector<BenchStream> streams_;
  std::vector<std::vector<BenchStream::CallTime>> times_;  // (streams, calls)
  std::vector<double> turn_ms_;
  std::uint64_t n_tokens_ = 0;
  std::size_t n_calls_ = 0;  // of all streams
  BenchRow row_;
};

}  // namespace espalier::tools
