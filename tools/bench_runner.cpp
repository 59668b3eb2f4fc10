#include "bench_runner.hpp"

#include <algorithm>

#include "interrupt.hpp"

namespace espalier::tools {
namespace {

constexpr double kMsPerS = 1000;

}  // namespace

BenchStream::BenchStream(const Model& model, Session& session, const BenchCase& work,
                         std::size_t model_index)
    : model_(model), work_(work), calls_(session, work.tokens[model_index]) {}

BenchStream::CallTime BenchStream::answer(std::size_t index) {
  throw_if_interrupted();
  CallTime time;
  measure::Stopwatch watch;
  if (!work_.has_texts()) {
    calls_.run(index);
    time.run_ms = watch.elapsed_ms();
    return time;
  }
  const TokenBatch batch = model_.tokenizer().encode(work_.texts[index % calls_.size()]);
  time.tokenizer_ms = watch.elapsed_ms();
  watch.restart();
  calls_.run(index, batch);
  time.run_ms = watch.elapsed_ms();
  return time;
}

BenchRunner::BenchRunner(BenchContestant& contestant, const BenchCase& work,
                         std::size_t model_index, std::uint32_t n_streams)
    : work_(work), team_(n_streams), times_(n_streams) {
  for (std::uint32_t stream = 0; stream < n_streams; ++stream) {
    streams_.emplace_back(contestant.model, contestant.sessions[stream], work, model_index);
  }
  row_.model = model_index;
  row_.batch = work.batch;
  row_.seq = work.seq;
  row_.n_streams = n_streams;
  row_.n_threads = contestant.sessions.front().n_threads();
  for (std::size_t call = 0; call < work.n_calls(); ++call) {
    row_.tokens += static_cast<double>(streams_.front().tokens_of(call));
  }
  row_.tokens /= static_cast<double>(work.n_calls());
}

void BenchRunner::turn(std::size_t first, std::size_t n_calls) {
  const measure::Stopwatch watch;
  if (streams_.size() == 1) {
    work_on(0, first, n_calls);
  } else {
    team_.run([&](unsigned stream) { work_on(stream, first, n_calls); });
  }
  turn_ms_.push_back(watch.elapsed_ms());
  for (std::size_t stream = 0; stream < streams_.size(); ++stream) {
    for (std::size_t call = 0; call < n_calls; ++call) {
      n_tokens_ += streams_[stream].tokens_of(place(stream, first + call));
    }
  }
  n_calls_ += n_calls * streams_.size();
}

void BenchRunner::clear() {
  for (auto& of_stream : times_) of_stream.clear();
  turn_ms_.clear();
  n_tokens_ = 0;
  n_calls_ = 0;
}

void BenchRunner::touch() {
  if (streams_.size() == 1) {
    static_cast<void>(streams_.front().answer(0));
  } else {
    team_.run([&](unsigned stream) { static_cast<void>(streams_[stream].answer(0)); });
  }
}

std::vector<double> BenchRunner::ratio_times_ms() const {
  if (streams_.size() > 1) return turn_ms_;
  std::vector<double> runs_ms;
  for (const BenchStream::CallTime& time : times_.front()) runs_ms.push_back(time.run_ms);
  return runs_ms;
}

BenchRow BenchRunner::row() {
  std::vector<double> runs_ms;
  std::vector<double> tokenizer_ms;
  std::vector<double> whole_ms;
  double sum_ms = 0;
  for (const auto& of_stream : times_) {
    for (const BenchStream::CallTime& time : of_stream) {
      runs_ms.push_back(time.run_ms);
      tokenizer_ms.push_back(time.tokenizer_ms);
      whole_ms.push_back(time.run_ms + time.tokenizer_ms);
      sum_ms += whole_ms.back();
    }
  }
  row_.latency = measure::summarize(runs_ms);
  if (work_.has_texts()) {
    row_.tokenizer = measure::summarize(tokenizer_ms);
    row_.with_tokenizer = measure::summarize(whole_ms);
  }
  row_.steadiness = measure::steadiness(steady_times());
  if (streams_.size() == 1 && !work_.has_texts()) {
    // Every call is the same: the median is not bent by outliers.
    row_.texts_per_s = static_cast<double>(work_.batch) / row_.latency.p50_ms * kMsPerS;
    row_.tokens_per_s = row_.tokens / row_.latency.p50_ms * kMsPerS;
    return row_;
  }
  if (streams_.size() > 1) {
    sum_ms = 0;
    for (const double time_ms : turn_ms_) sum_ms += time_ms;
  }
  row_.texts_per_s = static_cast<double>(n_texts()) / sum_ms * kMsPerS;
  row_.tokens_per_s = static_cast<double>(n_tokens_) / sum_ms * kMsPerS;
  return row_;
}

std::vector<double> BenchRunner::steady_times() const {
  std::vector<double> times_ms = ratio_times_ms();
  if (!work_.has_texts() || streams_.size() > 1) return times_ms;
  for (std::size_t call = 0; call < times_ms.size(); ++call) {
    times_ms[call] /= static_cast<double>(streams_.front().tokens_of(call));
  }
  return times_ms;
}

void BenchRunner::work_on(unsigned stream, std::size_t first, std::size_t n_calls) {
  for (std::size_t call = 0; call < n_calls; ++call) {
    times_[stream].push_back(streams_[stream].answer(place(stream, first + call)));
  }
}

}  // namespace espalier::tools
