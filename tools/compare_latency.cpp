#include "compare_latency.hpp"

#include <algorithm>
#include <span>

#include "interrupt.hpp"
#include "output.hpp"
#include "workload.hpp"

namespace espalier::tools {
namespace {

constexpr std::size_t kCallSentences = 32;
constexpr std::size_t kWarmUpRounds = 2;

std::uint32_t shared_length(const Model& first, const Model& second) {
  return std::min(first.info().max_length, second.info().max_length);
}

// Runs every call once.
class Runner {
 public:
  Runner(Session& session, const std::vector<TokenBatch>& calls)
      : session_(session), calls_(calls) {
    std::size_t largest = 0;
    for (const TokenBatch& call : calls) largest = std::max(largest, session.output_size(call));
    answers_.resize(largest);
  }

  double round_ms() {
    throw_if_interrupted();
    const measure::Stopwatch watch;
    for (const TokenBatch& call : calls_) {
      session_.run(call, std::span(answers_).first(session_.output_size(call)));
    }
    return watch.elapsed_ms();
  }

 private:
  Session& session_;
  const std::vector<TokenBatch>& calls_;
  std::vector<float> answers_;
};

}  // namespace

bool Workload::same_ids() const {
  return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                    [](const TokenBatch& a, const TokenBatch& b) { return a.ids == b.ids; });
}

std::size_t count_tokens(const std::vector<TokenBatch>& calls) {
  std::size_t n_tokens = 0;
  for (const TokenBatch& call : calls) n_tokens += call.n_tokens();
  return n_tokens;
}

Workload mixed_workload(const Model& first, const Model& second) {
  std::vector<std::uint32_t> lengths(kMixedLengths.begin(), kMixedLengths.end());
  for (std::uint32_t& length : lengths) length = std::min(length, shared_length(first, second));
  const std::uint32_t n_pieces =
      std::min(first.info().vocabulary_size, second.info().vocabulary_size);
  Workload workload;
  workload.description = "random pieces, one call of " + std::to_string(lengths.size()) +
                         " sentences of " + std::to_string(lengths.front()) + " to " +
                         std::to_string(lengths.back()) + " tokens";
  workload.first.push_back(random_batch(first, lengths, n_pieces));
  workload.second.push_back(random_batch(second, lengths, n_pieces));
  workload.n_sentences = lengths.size();
  return workload;
}

Workload text_workload(const Model& first, const Model& second, const std::vector<Text>& texts) {
  const std::uint32_t max_length = shared_length(first, second);
  Workload workload;
  workload.description = "the data's first " + std::to_string(texts.size()) + " rows in calls of " +
                         std::to_string(kCallSentences);
  workload.n_sentences = texts.size();
  for (std::size_t begin = 0; begin < texts.size(); begin += kCallSentences) {
    const std::span<const Text> call =
        std::span(texts).subspan(begin, std::min(kCallSentences, texts.size() - begin));
    workload.first.push_back(first.tokenizer().encode(call, max_length));
    workload.second.push_back(second.tokenizer().encode(call, max_length));
  }
  return workload;
}

PairLatency measure_pair(Session& first, Session& second, const Workload& workload,
                         std::size_t n_rounds) {
  Runner first_runner(first, workload.first);
  Runner second_runner(second, workload.second);
  Progress progress("rounds", n_rounds);
  std::vector<double> first_ms;
  std::vector<double> second_ms;
  std::vector<double> speedups;
  for (std::size_t round = 0; round < kWarmUpRounds + n_rounds; ++round) {
    const bool second_goes_first = round % 2 == 1;
    const double early_ms = (second_goes_first ? second_runner : first_runner).round_ms();
    const double late_ms = (second_goes_first ? first_runner : second_runner).round_ms();
    if (round < kWarmUpRounds) continue;
    first_ms.push_back(second_goes_first ? late_ms : early_ms);
    second_ms.push_back(second_goes_first ? early_ms : late_ms);
    speedups.push_back(first_ms.back() / second_ms.back());
    progress.show(speedups.size());
  }
  std::sort(speedups.begin(), speedups.end());
  return {.first = measure::summarize(first_ms),
          .second = measure::summarize(second_ms),
          .speedup = measure::percentile(speedups, 50),
          .speedup_p10 = measure::percentile(speedups, 10),
          .speedup_p90 = measure::percentile(speedups, 90)};
}

}  // namespace espalier::tools
