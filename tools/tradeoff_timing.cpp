#include "tradeoff_timing.hpp"

#include <algorithm>

#include "interrupt.hpp"
#include "output.hpp"
#include "workload.hpp"

namespace espalier::tools {
namespace {

constexpr std::size_t kCallSentences = 32;
constexpr std::size_t kWarmUpRounds = 2;

std::uint32_t shared_length(std::span<const Model> models) {
  std::uint32_t shared = models.front().info().max_length;
  for (const Model& model : models) shared = std::min(shared, model.info().max_length);
  return shared;
}

// One model with its calls and what was measured of it.
class Runner {
 public:
  Runner(const Model& model, const std::vector<TokenBatch>& calls, unsigned n_threads)
      : session_(model, {.n_threads = n_threads}),
        calls_(calls),
        meter_(measure::EnergyMeter::open({.nvml_library = ""})) {
    std::size_t largest = 0;
    for (const TokenBatch& call : calls) largest = std::max(largest, session_.output_size(call));
    answers_.resize(largest);
  }

  void turn(bool is_counted) {
    throw_if_interrupted();
    meter_.start();
    const measure::Stopwatch watch;
    for (const TokenBatch& call : calls_) {
      session_.run(call, std::span(answers_).first(session_.output_size(call)));
    }
    const double time_ms = watch.elapsed_ms();
    const measure::EnergyFigure spent = meter_.stop().total();
    if (!is_counted) return;
    times_ms_.push_back(time_ms / static_cast<double>(calls_.size()));
    add(spent);
  }

  [[nodiscard]] const std::vector<double>& times_ms() const { return times_ms_; }
  [[nodiscard]] const measure::EnergyFigure& energy() const { return energy_; }

 private:
  // The worst tag holds for the sum: a figure is what its weakest part is.
  void add(const measure::EnergyFigure& spent) {
    if (times_ms_.size() == 1) {
      energy_ = spent;
      return;
    }
    if (spent.tag > energy_.tag) {
      energy_.tag = spent.tag;
      energy_.source = spent.source;
      energy_.reason = spent.reason;
    }
    if (energy_.joules && spent.joules) {
      *energy_.joules += *spent.joules;
    } else {
      energy_.joules.reset();
    }
  }

  Session session_;
  const std::vector<TokenBatch>& calls_;
  measure::EnergyMeter meter_;
  std::vector<float> answers_;
  std::vector<double> times_ms_;
  measure::EnergyFigure energy_;
};

TurnResult result_of(const Runner& runner, const Runner& first) {
  std::vector<double> speedups;
  for (std::size_t round = 0; round < runner.times_ms().size(); ++round) {
    speedups.push_back(first.times_ms()[round] / runner.times_ms()[round]);
  }
  std::sort(speedups.begin(), speedups.end());
  return {.latency = measure::summarize(runner.times_ms()),
          .speedup = measure::percentile(speedups, 50),
          .speedup_p10 = measure::percentile(speedups, 10),
          .speedup_p90 = measure::percentile(speedups, 90),
          .energy = runner.energy()};
}

}  // namespace

TurnWorkload drawn_workload(std::span<const Model> models) {
  std::vector<std::uint32_t> lengths(kMixedLengths.begin(), kMixedLengths.end());
  for (std::uint32_t& length : lengths) length = std::min(length, shared_length(models));
  std::uint32_t n_pieces = models.front().info().vocabulary_size;
  for (const Model& model : models) n_pieces = std::min(n_pieces, model.info().vocabulary_size);
  TurnWorkload workload{.description = "random pieces, one call of " +
                                       std::to_string(lengths.size()) + " sentences of " +
                                       std::to_string(lengths.front()) + " to " +
                                       std::to_string(lengths.back()) + " tokens",
                        .calls = {},
                        .n_sentences = lengths.size()};
  for (const Model& model : models) {
    workload.calls.push_back({random_batch(model, lengths, n_pieces)});
  }
  return workload;
}

TurnWorkload text_workload(std::span<const Model> models, std::span<const std::string> texts) {
  if (texts.empty()) throw Error(ErrorCode::bad_input, "there are no texts to time");
  const std::uint32_t max_length = shared_length(models);
  TurnWorkload workload{.description = std::to_string(texts.size()) + " texts in calls of " +
                                       std::to_string(kCallSentences),
                        .calls = {},
                        .n_sentences = texts.size()};
  for (const Model& model : models) {
    std::vector<TokenBatch> calls;
    for (std::size_t begin = 0; begin < texts.size(); begin += kCallSentences) {
      std::vector<Text> call;
      for (const std::string& text :
           texts.subspan(begin, std::min(kCallSentences, texts.size() - begin))) {
        call.push_back({.first = text});
      }
      calls.push_back(model.tokenizer().encode(call, max_length));
    }
    workload.calls.push_back(std::move(calls));
  }
  return workload;
}

std::vector<TurnResult> time_in_turns(std::span<const Model> models, const TurnWorkload& workload,
                                      const TurnOptions& options) {
  std::vector<Runner> runners;
  runners.reserve(models.size());
  for (std::size_t model = 0; model < models.size(); ++model) {
    runners.emplace_back(models[model], workload.calls[model], options.n_threads);
  }
  Progress progress("rounds", options.n_rounds);
  for (std::size_t round = 0; round < kWarmUpRounds + options.n_rounds; ++round) {
    for (std::size_t turn = 0; turn < runners.size(); ++turn) {
      runners[(round + turn) % runners.size()].turn(round >= kWarmUpRounds);
    }
    if (round >= kWarmUpRounds) progress.show(round - kWarmUpRounds + 1);
  }
  std::vector<TurnResult> results;
  for (const Runner& runner : runners) results.push_back(result_of(runner, runners.front()));
  return results;
}

}  // namespace espalier::tools
