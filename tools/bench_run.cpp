#include "bench_run.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "bench_runner.hpp"
#include "interrupt.hpp"
#include "measure/process.hpp"
#include "number_list.hpp"
#include "output.hpp"
#include "report.hpp"
#include "turns.hpp"

namespace espalier::tools {
namespace {

constexpr std::uint32_t kStreamRounds = 10;  // of several streams, so that models still take turns
constexpr double kEnergySeconds = 1;         // counters move once a millisecond at the slowest
constexpr std::uint32_t kMaxStreams = 256;
constexpr std::size_t kMaxModels = 16;
constexpr double kMsPerS = 1000;

/// Nothing here runs on a GPU, and its counter knows the whole board.
measure::EnergyMeter open_meter() {
  measure::EnergyOptions options;
  options.nvml_library.clear();
  return measure::EnergyMeter::open(options);
}

unsigned threads_of(const BenchRequest& request, std::span<const std::uint32_t> streams) {
  const bool several = *std::max_element(streams.begin(), streams.end()) > 1;
  return request.threads == 0 && several ? 1 : request.threads;
}

void check_request(const BenchRequest& request) {
  const bool names_energy = request.grid || request.pue || request.idle_s > 0;
  if (names_energy && !request.energy) {
    throw Error(ErrorCode::usage, "--grid, --pue and --idle are about --energy; ask for it too");
  }
  if (request.models.size() > kMaxModels) {
    throw Error(ErrorCode::usage, std::to_string(request.models.size()) +
                                      " models at once; at most " + std::to_string(kMaxModels));
  }
}

/// Every model in turns on one case, another of them first in each round.
class Contest {
 public:
  Contest(const BenchRequest& request, BenchResult& result, const BenchCase& work,
          std::uint32_t n_streams)
      : request_(request), result_(result) {
    for (std::size_t model = 0; model < result.contestants.size(); ++model) {
      runners_.push_back(
          std::make_unique<BenchRunner>(result.contestants[model], work, model, n_streams));
    }
    const bool single = n_streams == 1;
    n_rounds_ = single ? request.repeat : std::min(request.repeat, kStreamRounds);
    calls_a_turn_ = (request.repeat + n_rounds_ - 1) / n_rounds_;
  }

  void run() {
    const std::vector<double> control_ms =
        take_turns({.n_contestants = runners_.size(),
                    .n_warm_up = request_.warmup,
                    .n_rounds = n_rounds_,
                    .least_s = request_.duration_s},
                   {.turn = [this](const Turn& turn) { take(turn); },
                    .touch = [this](std::size_t model) { runners_[model]->touch(); }});
    result_.control_ms.insert(result_.control_ms.end(), control_ms.begin(), control_ms.end());
  }

  void add_rows() {
    const std::vector<double> first_ms = runners_.front()->ratio_times_ms();
    for (auto& runner : runners_) {
      BenchRow row = runner->row();
      if (runner != runners_.front()) {
        std::vector<double> ratios = runner->ratio_times_ms();
        for (std::size_t index = 0; index < ratios.size(); ++index) {
          ratios[index] /= first_ms[index];
        }
        row.ratio = measure::median_interval(ratios);
      }
      if (request_.energy) add_energy(*runner, row);
      result_.rows.push_back(std::move(row));
    }
  }

 private:
  void take(const Turn& turn) {
    BenchRunner& runner = *runners_[turn.contestant];
    if (turn.is_counted && turn.round == 0) runner.clear();  // what ran before was warm-up
    const std::size_t n_calls = turn.is_counted ? calls_a_turn_ : 1;
    runner.turn(turn.round * n_calls, n_calls);
  }

  void add_energy(BenchRunner& runner, BenchRow& row) {
    measure::EnergyMeter meter = open_meter();
    const double seconds = std::max(kEnergySeconds, request_.duration_s);
    runner.clear();
    meter.start();
    const measure::Stopwatch watch;
    for (std::size_t index = 0; watch.elapsed_ms() < seconds * kMsPerS; ++index) {
      runner.turn(index * calls_a_turn_, calls_a_turn_);
    }
    const double elapsed_s = watch.elapsed_ms() / kMsPerS;
    row.energy = meter.stop().cpu;
    row.energy_s = elapsed_s;
    row.energy_texts = runner.n_texts();
    if (result_.idle) row.energy = measure::without_idle(*row.energy, elapsed_s, *result_.idle);
    row.cost = measure::cost_of_texts(*row.energy, row.energy_texts, *result_.cost);
  }

  const BenchRequest& request_;
  BenchResult& result_;
  std::vector<std::unique_ptr<BenchRunner>> runners_;  // (models)
  std::size_t n_rounds_ = 1;
  std::size_t calls_a_turn_ = 1;
};

/// Makes the sessions of a contestant and takes its first answer.
void warm_up_cold(const BenchRequest& request, const BenchResult& result, std::size_t index,
                  BenchContestant& contestant) {
  const std::uint32_t n_sessions = *std::max_element(result.streams.begin(), result.streams.end());
  const SessionOptions options = {.n_threads = threads_of(request, result.streams),
                                  .backend = request.backend};
  measure::Stopwatch watch;
  contestant.sessions.emplace_back(contestant.model, options);
  contestant.cold.session_ms = watch.elapsed_ms();
  BenchStream stream(contestant.model, contestant.sessions.front(), result.work.cases.front(),
                     index);
  const BenchStream::CallTime first = stream.answer(0);
  contestant.cold.answer_ms = first.tokenizer_ms + first.run_ms;
  while (contestant.sessions.size() < n_sessions) {
    contestant.sessions.emplace_back(contestant.model, options);
  }
}

measure::IdlePower watch_idle(const BenchRequest& request) {
  measure::EnergyMeter meter = open_meter();
  meter.start();
  const measure::Stopwatch watch;
  while (watch.elapsed_ms() < request.idle_s * kMsPerS) {
    throw_if_interrupted();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const double seconds = watch.elapsed_ms() / kMsPerS;
  return {meter.stop().cpu, seconds};
}

}  // namespace

BenchResult open_bench(const BenchRequest& request) {
  check_request(request);
  BenchResult result;
  result.streams = parse_numbers(request.streams, "--streams", kMaxStreams);
  if (request.energy) {
    result.cost =
        measure::CostOptions{.grid = measure::grid_from_text(request.grid.value_or("WORLD")),
                             .pue = request.pue.value_or(1.0)};
  }
  measure::EnergyMeter meter = open_meter();
  meter.start();
  std::vector<Model> models;
  std::vector<double> open_ms;
  for (const std::string& file : request.models) {
    const measure::Stopwatch watch;
    models.push_back(Model::open(file));
    open_ms.push_back(watch.elapsed_ms());
  }
  result.work = bench_work(request, models);
  for (std::size_t index = 0; index < models.size(); ++index) {
    BenchContestant contestant{.name = base_name(request.models[index]),
                               .model = models[index],
                               .sessions = {},
                               .cold = {.open_ms = open_ms[index]}};
    warm_up_cold(request, result, index, contestant);
    result.contestants.push_back(std::move(contestant));
  }
  result.power = meter.stop().cpu;
  return result;
}

void run_bench(const BenchRequest& request, BenchResult& result) {
  if (request.idle_s > 0) result.idle = watch_idle(request);
  Progress progress("rows", result.work.cases.size() * result.streams.size());
  std::size_t n_done = 0;
  for (const BenchCase& work : result.work.cases) {
    for (const std::uint32_t n_streams : result.streams) {
      Contest contest(request, result, work, n_streams);
      contest.run();
      contest.add_rows();
      progress.show(++n_done);
    }
  }
  result.peak_resident_bytes = measure::peak_resident_bytes();
}

}  // namespace espalier::tools
