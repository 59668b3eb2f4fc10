// Measures every step of the encoder on a model file, for the shapes that peers/ times too, on one
// thread and on all: milliseconds, the share of this machine's measured peak, and how well a second
// thread scales. Rounds interleave shapes, threads and the peak; figures are medians over them.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "api/backends.hpp"
#include "base/cpu_info.hpp"
#include "format/reader.hpp"
#include "measure/peak.hpp"
#include "measure/report.hpp"
#include "print_peaks.hpp"
#include "rounds.hpp"
#include "runtime/executor.hpp"
#include "runtime/heads.hpp"
#include "runtime/step_times.hpp"
#include "runtime/step_work.hpp"

namespace {

using namespace espalier;
using namespace espalier::benchmarks;
using measure::Cell;
using measure::fp32_op_in_use;
using measure::int8_op_in_use;
using measure::peak_gmac_per_s;
using measure::PeakOp;
using runtime::StepPart;

constexpr double kTurnMs = 100;  // about the time of a turn: calls until then, at least 3

// The steps of a back end, each of the parts that are timed and counted on their own.
struct Step {
  std::string_view name;
  std::vector<StepPart> parts;
};

const std::array<Step, 5>& steps() {
  static const std::array<Step, 5> all = {{
      {"embed", {StepPart::embedding}},
      {"attend", {StepPart::qkv, StepPart::waiting, StepPart::attention}},
      {"project", {StepPart::out}},
      {"feed forward", {StepPart::up, StepPart::down}},
      {"head", {StepPart::head}},
  }};
  return all;
}

constexpr std::size_t kSteps = 5;

/// Multiply-adds of the steps of one call.
using Macs = std::array<double, kSteps>;

double sum(const Macs& macs) {
  double total = 0;
  for (const double step : macs) total += step;
  return total;
}

/// Of the encoder; embeddings and head, under a thousandth, count as none.
Macs count_macs(const format::ModelSpec& spec, const TokenBatch& batch, bool first_only) {
  const runtime::StepWork work = runtime::count_work(spec, batch, first_only);
  Macs macs{};
  for (std::size_t step = 1; step + 1 < kSteps; ++step) {
    for (const StepPart part : steps()[step].parts) {
      for (const auto& layer : work) {
        macs[step] += layer[static_cast<std::size_t>(part)].multiply_adds;
      }
    }
  }
  return macs;
}

double step_ms(const runtime::StepTimes& times, std::size_t step) {
  double sum_ms = 0;
  for (const StepPart part : steps()[step].parts) sum_ms += times.ms(part);
  return sum_ms;
}

/// What one turn of calls measured: medians over them.
struct Turn {
  double call_ms = 0;
  std::array<double, kSteps> step_ms{};  // mean over the threads
  double peak = 0;                       // GMAC/s of all threads together
};

/// A model on some number of threads.
class Runner {
 public:
  Runner(const format::ModelSpec& spec, const api::ChosenBackend& chosen,
         const runtime::PreparedModel& prepared, unsigned n_threads)
      : times_(n_threads, runtime::StepTimes(spec.layers.size())),
        executor_(*chosen.backend, prepared, spec, n_threads, runtime::default_limits(spec)),
        peak_team_(n_threads),
        peak_op_(spec.precision == Precision::int8 ? int8_op_in_use() : fp32_op_in_use()) {
    executor_.record_times(times_);
  }

  [[nodiscard]] unsigned n_threads() const { return executor_.n_threads(); }

  Turn turn(const TokenBatch& batch) {
    answers_.resize(executor_.output_size(batch));
    executor_.run(batch, answers_);  // warm-up
    Turn turn{.peak = peak_gmac_per_s(peak_op_, peak_team_)};
    std::vector<double> calls_ms;
    std::array<std::vector<double>, kSteps> steps_ms;
    const measure::Stopwatch all;
    do {
      for (runtime::StepTimes& times : times_) times.clear();
      const measure::Stopwatch watch;
      executor_.run(batch, answers_);
      calls_ms.push_back(watch.elapsed_ms());
      for (std::size_t step = 0; step < kSteps; ++step) {
        double sum_ms = 0;
        for (const runtime::StepTimes& times : times_) sum_ms += step_ms(times, step);
        steps_ms[step].push_back(sum_ms / n_threads());
      }
    } while (calls_ms.size() < 3 || all.elapsed_ms() < kTurnMs);
    turn.call_ms = median(calls_ms);
    for (std::size_t step = 0; step < kSteps; ++step) turn.step_ms[step] = median(steps_ms[step]);
    return turn;
  }

 private:
  std::vector<runtime::StepTimes> times_;  // (threads)
  runtime::Executor executor_;
  ThreadTeam peak_team_;
  PeakOp peak_op_;
  std::vector<float> answers_;
};

/// The median over the turns of what `figure` makes of each.
template <typename Figure>
double over(const std::vector<Turn>& turns, Figure&& figure) {
  std::vector<double> values;
  for (const Turn& turn : turns) values.push_back(figure(turn));
  return median(values);
}

std::string with_share(double time_ms, double share) {
  return Cell::number(time_ms, 3).text() + " (" + Cell::number(100 * share, 0).text() + " %)";
}

/// The part of the peak that `macs` in `time_ms` come to.
double share_of_peak(double macs, double time_ms, double peak_gmac_per_s) {
  return macs / (time_ms * 1e6 * peak_gmac_per_s);
}

std::vector<Cell> table_row(const std::string& shape, unsigned n_threads,
                            const std::vector<Turn>& turns, const Macs& nominal,
                            const Macs& executed) {
  const auto share = [&](const Macs& macs) {
    return over(
        turns, [&](const Turn& turn) { return share_of_peak(sum(macs), turn.call_ms, turn.peak); });
  };
  const double call_ms = over(turns, [](const Turn& turn) { return turn.call_ms; });
  std::vector<Cell> row = {shape,
                           Cell::count(n_threads),
                           Cell::number(call_ms, 3),
                           Cell::number(sum(nominal) / call_ms / 1e6, 1),
                           Cell::number(100 * share(nominal), 1),
                           Cell::number(100 * share(executed), 1)};
  double steps_ms = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const double step_ms = over(turns, [&](const Turn& turn) { return turn.step_ms[step]; });
    steps_ms += step_ms;
    if (executed[step] == 0) {
      row.push_back(Cell::number(step_ms, 3));
    } else {
      row.push_back(with_share(step_ms, over(turns, [&](const Turn& turn) {
                                 return share_of_peak(executed[step], turn.step_ms[step],
                                                      turn.peak);
                               })));
    }
  }
  row.push_back(Cell::number(call_ms - steps_ms, 3));
  return row;
}

void measure_encoder(const char* path, int n_rounds, unsigned n_threads) {
  const format::ModelFile file = format::ModelFile::open(path);
  const format::ModelSpec& spec = file.spec();
  const api::ChosenBackend chosen = api::choose_backend(api::kAutoBackend);
  const auto prepared = chosen.backend->prepare(spec);
  print_peaks(n_threads);
  std::printf("%s: back end %s, %s\n\n", std::string(name_of(spec.precision)).c_str(),
              std::string(chosen.name).c_str(),
              std::string(chosen.backend->path(*prepared)).c_str());

  Runner one(spec, chosen, *prepared, 1);
  Runner all(spec, chosen, *prepared, n_threads);
  std::vector<Runner*> runners = {&one};
  if (n_threads > 1) runners.push_back(&all);
  const std::vector<Shape> shapes = encoder_shapes();
  std::vector<TokenBatch> batches;
  for (const Shape& shape : shapes) {
    batches.push_back(random_batch(shape, spec.vocabulary_size(), spec.max_length));
  }
  std::vector<std::vector<std::vector<Turn>>> turns(  // (shapes, runners, rounds)
      shapes.size(), std::vector<std::vector<Turn>>(runners.size()));
  for (int round = 0; round < n_rounds; ++round) {
    for (std::size_t shape = 0; shape < shapes.size(); ++shape) {
      for (std::size_t runner = 0; runner < runners.size(); ++runner) {
        turns[shape][runner].push_back(runners[runner]->turn(batches[shape]));
      }
    }
  }

  measure::Table table;
  table.add_column("shape");
  for (const char* name :
       {"threads", "ms", "GMAC/s nominal", "% of peak nominal", "% of peak executed", "embed ms",
        "attend ms", "project ms", "feed forward ms", "head ms", "outside ms", "x 1 thread"}) {
    table.add_column(name, measure::Align::right);
  }
  const bool first_only = runtime::head_plan(spec).last_layer == runtime::Rows::first_of_each;
  for (std::size_t shape = 0; shape < shapes.size(); ++shape) {
    const Macs nominal = count_macs(spec, batches[shape], false);
    const Macs executed = count_macs(spec, batches[shape], first_only);
    for (std::size_t runner = 0; runner < runners.size(); ++runner) {
      auto row = table_row(shapes[shape].name, runners[runner]->n_threads(), turns[shape][runner],
                           nominal, executed);
      std::vector<double> scaling;
      for (int round = 0; round < n_rounds; ++round) {
        scaling.push_back(turns[shape][0][round].call_ms / turns[shape][runner][round].call_ms);
      }
      row.push_back(Cell::number(median(scaling), 2));
      table.add_row(std::move(row));
    }
  }
  std::fputs(table.print(measure::TableFormat::md).c_str(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int n_rounds = argc >= 3 ? std::atoi(argv[2]) : 15;
    const int n_threads = argc >= 4 ? std::atoi(argv[3]) : static_cast<int>(usable_cpus());
    if (argc < 2 || argc > 4 || n_rounds < 1 || n_threads < 1) {
      std::fprintf(stderr, "usage: bench_encoder MODEL.espl [ROUNDS] [THREADS]\n");
      return 2;
    }
    measure_encoder(argv[1], n_rounds, static_cast<unsigned>(n_threads));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_encoder: %s\n", error.what());
    return 3;
  }
}
