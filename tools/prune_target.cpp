#include "prune_target.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/cpu_info.hpp"
#include "compress/prune/latency_cache.hpp"
#include "espalier/error.hpp"
#include "interrupt.hpp"
#include "output.hpp"
#include "report.hpp"
#include "workload.hpp"

namespace espalier::tools {
namespace {

namespace fs = std::filesystem;
using prune::Shrinks;

// Where programs keep what they can make again (XDG Base Directory Specification).
fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return fs::path(cache) / "espalier";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fs::path(home) / ".cache" / "espalier";
  return fs::temp_directory_path() / "espalier";
}

prune::LatencyRequest latency_request(const PruneRequest& request,
                                      const checkpoint::BertConfig& config) {
  prune::LatencyRequest wanted;
  wanted.hidden = config.hidden;
  wanted.head_dim = config.head_dim;
  for (const checkpoint::LayerWidths& layer : config.layers) {
    wanted.n_heads = std::max(wanted.n_heads, static_cast<std::uint32_t>(layer.heads.size()));
    wanted.intermediate = std::max(wanted.intermediate, layer.intermediate);
  }
  wanted.lengths.assign(kMixedLengths.begin(), kMixedLengths.end());
  for (std::uint32_t& length : wanted.lengths) length = std::min(length, config.positions);
  wanted.n_threads = request.training.threads == 0 ? usable_cpus() : request.training.threads;
  wanted.last_layer_first_token_only =
      config.architecture == checkpoint::Architecture::sequence_classification;
  return wanted;
}

prune::Cost measured_cost(const PruneRequest& request, const checkpoint::BertConfig& config) {
  const fs::path folder = cache_folder();
  Progress progress("% of the measuring", 100);
  const prune::KeptLatency kept =
      prune::kept_latency(folder, latency_request(request, config), [&progress](double share) {
        throw_if_interrupted();
        progress.show(static_cast<std::size_t>(100 * share));
      });
  if (kept.was_kept) {
    note("milliseconds of layers on this machine: measured before, from '" + folder.string() + "'");
  } else if (!kept.not_stored.empty()) {
    note("note: what was measured is not kept for the next time: " + kept.not_stored);
  }
  return prune::latency_cost(kept.table, config);
}

}  // namespace

void check_target(const PruneRequest& request, const prune::Method& method) {
  const std::string name = "method " + request.method;
  int n_targets = 0;
  for (const double target : {request.target_speedup, request.target_flops, request.target_size}) {
    if (target == 0) continue;
    ++n_targets;
    if (target >= 1) continue;
    throw Error(ErrorCode::usage, "a target of " + shortest_text(target) +
                                      " would make the model larger; 2 means half");
  }
  const auto refuse = [&name](const std::string& what) {
    throw Error(ErrorCode::usage, name + " " + what);
  };
  if (method.shrinks == Shrinks::widths) {
    if (n_targets == 1) return;
    refuse("needs one of --target-speedup, --target-flops and --target-size");
  }
  if (n_targets > 0) refuse("has no target: it takes out what it is told to");
  if (method.shrinks == Shrinks::layers && request.keep_layers == 0) {
    refuse("needs --keep-layers, how many are to stay");
  }
  if (method.shrinks == Shrinks::embedding && request.rank == 0) {
    refuse("needs --rank, the width of the new table");
  }
  if (method.shrinks == Shrinks::vocabulary && request.corpus.empty() &&
      request.data.train.empty()) {
    refuse("needs text whose words are to stay whole; name it with --corpus or --train");
  }
}

PruneTarget prune_target(const PruneRequest& request, const checkpoint::BertConfig& config,
                         double mean_length, std::uint64_t dense_bytes) {
  PruneTarget target;
  double ratio = request.target_flops;
  if (request.target_speedup > 0) {
    target.cost = measured_cost(request, config);
    ratio = request.target_speedup;
  } else if (request.target_size > 0) {
    target.cost = prune::size_cost(config, static_cast<double>(dense_bytes));
    ratio = request.target_size;
  } else {
    target.cost = prune::multiply_add_cost(config, mean_length);
  }
  target.budget = target.cost.of(config.layers) / ratio;
  return target;
}

}  // namespace espalier::tools
