#include "turn_timing.hpp"

#include <algorithm>
#include <optional>

#include "output.hpp"
#include "workload.hpp"

namespace espalier::tools {
namespace {

constexpr std::size_t kControlLoops = 5;  // milliseconds; the rounds here take tens and more

std::uint32_t shared_length(std::span<const Model> models) {
  std::uint32_t shared = models.front().info().max_length;
  for (const Model& model : models) shared = std::min(shared, model.info().max_length);
  return shared;
}

// One model with its calls and what was measured of it.
class Runner {
 public:
  Runner(Session& session, const std::vector<TokenBatch>& calls, bool takes_energy)
      : calls_(session, calls) {
    // Nothing here runs on a GPU, and its counter knows the whole board.
    if (takes_energy) meter_ = measure::EnergyMeter::open({.nvml_library = ""});
  }

  void turn(bool is_counted) {
    if (meter_) meter_->start();
    const measure::Stopwatch watch;
    for (std::size_t call = 0; call < calls_.size(); ++call) calls_.run(call);
    const double time_ms = watch.elapsed_ms();
    const std::optional<measure::Energy> spent =
        meter_ ? std::optional(meter_->stop()) : std::nullopt;
    if (!is_counted) return;
    round_ms_.push_back(time_ms);
    if (spent) add(spent->total());
  }

  void touch() { calls_.run(0); }

  [[nodiscard]] TurnResult result(const Runner& first) const {
    std::vector<double> call_ms;
    for (const double time_ms : round_ms_) {
      call_ms.push_back(time_ms / static_cast<double>(calls_.size()));
    }
    return {.round = measure::summarize(round_ms_),
            .call = measure::summarize(call_ms),
            .speedup = speedup(first.round_ms_, round_ms_),
            .energy = energy_};
  }

 private:
  // The worst tag holds for the sum: a figure is what its weakest part is.
  void add(const measure::EnergyFigure& spent) {
    if (round_ms_.size() == 1) {
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

  ModelCalls calls_;
  std::optional<measure::EnergyMeter> meter_;
  std::vector<double> round_ms_;
  measure::EnergyFigure energy_;
};

}  // namespace

std::size_t TurnWorkload::n_tokens(std::size_t model) const {
  std::size_t n_tokens = 0;
  for (const TokenBatch& call : calls[model]) n_tokens += call.n_tokens();
  return n_tokens;
}

bool TurnWorkload::same_ids() const {
  return std::all_of(calls.begin(), calls.end(), [this](const std::vector<TokenBatch>& own) {
    return std::equal(own.begin(), own.end(), calls.front().begin(), calls.front().end(),
                      [](const TokenBatch& a, const TokenBatch& b) { return a.ids == b.ids; });
  });
}

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

TurnWorkload text_workload(std::span<const Model> models, std::span<const Text> texts,
                           const TextCalls& calls) {
  if (texts.empty()) throw Error(ErrorCode::bad_input, "there are no texts to time");
  const std::uint32_t max_length = shared_length(models);
  TurnWorkload workload{.description = std::to_string(texts.size()) + " " +
                                       std::string(calls.what) + " in calls of " +
                                       std::to_string(calls.n_together),
                        .calls = {},
                        .n_sentences = texts.size()};
  for (const Model& model : models) {
    std::vector<TokenBatch>& own = workload.calls.emplace_back();
    for (std::size_t begin = 0; begin < texts.size(); begin += calls.n_together) {
      const std::size_t n_texts = std::min(calls.n_together, texts.size() - begin);
      own.push_back(model.tokenizer().encode(texts.subspan(begin, n_texts), max_length));
    }
  }
  return workload;
}

TurnTimes time_in_turns(std::span<Session* const> sessions, const TurnWorkload& workload,
                        const TurnOptions& options) {
  std::vector<Runner> runners;
  runners.reserve(sessions.size());
  for (std::size_t model = 0; model < sessions.size(); ++model) {
    runners.emplace_back(*sessions[model], workload.calls[model], options.takes_energy);
  }
  Progress progress("rounds", options.n_rounds);
  const std::vector<double> control_ms =
      take_turns({.n_contestants = runners.size(),
                  .n_rounds = options.n_rounds,
                  .control_every = 1,
                  .n_control = kControlLoops},
                 {.turn = [&](const Turn& turn) { runners[turn.contestant].turn(turn.is_counted); },
                  .touch = [&](std::size_t model) { runners[model].touch(); },
                  .on_round = [&](std::size_t n_done) { progress.show(n_done); }});
  TurnTimes times{.models = {}, .control = measure::ControlSummary(control_ms)};
  for (const Runner& runner : runners) times.models.push_back(runner.result(runners.front()));
  return times;
}

}  // namespace espalier::tools
