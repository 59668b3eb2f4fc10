#include "turns.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "interrupt.hpp"
#include "measure/latency.hpp"

namespace espalier::tools {
namespace {

constexpr double kMsPerS = 1000;

void take_round(const TurnPlan& plan, const TurnWork& work, std::size_t round, bool is_counted) {
  for (std::size_t turn = 0; turn < plan.n_contestants; ++turn) {
    throw_if_interrupted();
    work.turn({.contestant = (round + turn) % plan.n_contestants,
               .round = round,
               .is_counted = is_counted});
  }
}

}  // namespace

ModelCalls::ModelCalls(Session& session, std::span<const TokenBatch> calls)
    : session_(session), calls_(calls) {
  for (const TokenBatch& call : calls) sizes_.push_back(session.output_size(call));
  answers_.resize(*std::max_element(sizes_.begin(), sizes_.end()));
}

void ModelCalls::run(std::size_t index, const TokenBatch& same) {
  session_.run(same, std::span(answers_).first(sizes_[index % sizes_.size()]));
}

std::vector<double> take_turns(const TurnPlan& plan, const TurnWork& work) {
  for (std::size_t round = 0; round < plan.n_warm_up; ++round) {
    take_round(plan, work, round, /*is_counted=*/false);
  }
  std::vector<double> control_ms;
  const measure::Stopwatch watch;
  for (std::size_t round = 0; round < plan.n_rounds || watch.elapsed_ms() < plan.least_s * kMsPerS;
       ++round) {
    if (round % plan.control_every == 0) {
      for (std::size_t loop = 0; loop < plan.n_control; ++loop) {
        control_ms.push_back(measure::control_loop_ms());
      }
      for (std::size_t index = 0; index < plan.n_contestants; ++index) work.touch(index);
    }
    take_round(plan, work, round, /*is_counted=*/true);
    if (work.on_round) work.on_round(round + 1);
  }
  return control_ms;
}

Speedup speedup(std::span<const double> first_ms, std::span<const double> own_ms) {
  std::vector<double> times;
  for (std::size_t round = 0; round < own_ms.size(); ++round) {
    times.push_back(first_ms[round] / own_ms[round]);
  }
  std::sort(times.begin(), times.end());
  return {.times = measure::percentile(times, 50),
          .p10 = measure::percentile(times, 10),
          .p90 = measure::percentile(times, 90)};
}

nlohmann::ordered_json control_json(const measure::ControlSummary& control) {
  using Json = nlohmann::ordered_json;
  const std::optional<bool> steady = control.is_steady();
  return {{"runs", control.latency.n_runs},       {"p50_ms", control.latency.p50_ms},
          {"p90_ms", control.latency.p90_ms},     {"spread_percent", 100 * control.spread},
          {"drift_percent", 100 * control.drift}, {"steady", steady ? Json(*steady) : Json()},
          {"verdict", control.verdict()}};
}

}  // namespace espalier::tools
