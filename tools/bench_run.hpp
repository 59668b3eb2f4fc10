// Times models in turns on the same calls, so that whatever slows the machine down slows all of
// them, with a fixed piece of work in between that shows how steady the machine was.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench_request.hpp"
#include "bench_work.hpp"
#include "espalier/espalier.hpp"
#include "measure/cost.hpp"
#include "measure/energy.hpp"
#include "measure/latency.hpp"
#include "measure/steadiness.hpp"

namespace espalier::tools {

/// From the file to the first answer, in this process; the system may have had the file's pages in
/// memory.
struct ColdStart {
  double open_ms = 0;     // Model::open()
  double session_ms = 0;  // Session: weights packed, threads started
  double answer_ms = 0;   // the first call, its texts cut into tokens where it has texts

  [[nodiscard]] double total_ms() const { return open_ms + session_ms + answer_ms; }
};

/// A model with a session for each stream.
struct BenchContestant {
  std::string name;  // base name of the file
  Model model;
  std::vector<Session> sessions;  // (most streams)
  ColdStart cold;
};

/// One model on one case and number of streams.
struct BenchRow {
  std::size_t model = 0;  // index of the contestant
  std::size_t batch = 0;
  std::uint32_t seq = 0;  // tokens of the longest sentence
  double tokens = 0;      // of a call, the mean over calls
  unsigned n_streams = 1;
  unsigned n_threads = 1;                                 // of a stream
  measure::LatencySummary latency;                        // of a call, without the tokenizer
  std::optional<measure::LatencySummary> tokenizer;       // of a call; of texts only
  std::optional<measure::LatencySummary> with_tokenizer;  // of a call; of texts only
  double texts_per_s = 0;  // with the tokenizer where there are texts
  double tokens_per_s = 0;
  measure::Steadiness steadiness;  // of calls, of texts a token; of several streams: of rounds
  /// Its time over the first model's, round by round; of the others only.
  std::optional<measure::MedianInterval> ratio;
  std::optional<measure::EnergyFigure> energy;  // with --energy: of the stretch of these seconds
  double energy_s = 0;
  std::size_t energy_texts = 0;
  std::optional<measure::TextCost> cost;
};

struct BenchResult {
  std::vector<BenchContestant> contestants;
  std::vector<std::uint32_t> streams;
  BenchWork work;
  std::vector<BenchRow> rows;                // case by case, streams, models
  std::vector<double> control_ms;            // of the fixed piece of work, in order
  measure::EnergyFigure power;               // what an energy meter shows here, for the first lines
  std::optional<measure::CostOptions> cost;  // with --energy
  std::optional<measure::IdlePower> idle;    // with --idle
  std::optional<std::size_t> peak_resident_bytes;
};

/// Opens the models, makes the calls and the sessions, and takes the first answers: all but the
/// rows. Throws as Model::open(), Session and bench_work() do, Error(usage) for options that do not
/// go together.
[[nodiscard]] BenchResult open_bench(const BenchRequest& request);

/// Adds the rows. Throws Error(interrupted).
void run_bench(const BenchRequest& request, BenchResult& result);

}  // namespace espalier::tools
