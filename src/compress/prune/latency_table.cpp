#include "compress/prune/latency_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/cpu_info.hpp"
#include "compress/prune/probe_model.hpp"
#include "espalier/error.hpp"
#include "measure/latency.hpp"

namespace espalier::prune {
namespace {

// Layers of the width under test in one model: more of them drown the call's own time, fewer take
// less memory and time.
constexpr std::uint32_t kInnerLayers = 3;

// Rounds go on until so much has been timed, within these bounds.
constexpr double kBudgetMs = 25'000;
constexpr std::size_t kLeastRounds = 9;
constexpr std::size_t kMostRounds = 100;

// Kernels take the feed-forward's channels in groups of 64 (format::kPanelDepthMultiple). The first
// sixteen say what having any costs.
constexpr std::uint32_t kWidthStep = 64;
constexpr std::uint32_t kNarrowest = 16;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::usage, what);
}

/// 0, 1, 2, 3, 4, 6, 8, 12, 16, 24, … and `most`: between two of these, cost is a line, and time is
/// better spent on more rounds than on more counts.
std::vector<std::uint32_t> counts_to_measure(std::uint32_t most) {
  std::vector<std::uint32_t> counts = {0, 1};
  for (std::uint32_t power = 2; power < most; power *= 2) {
    counts.push_back(power);
    counts.push_back(power + power / 2);
  }
  while (counts.back() >= most) counts.pop_back();
  counts.push_back(most);
  return counts;
}

std::vector<std::uint32_t> widths_to_measure(std::uint32_t intermediate) {
  std::vector<std::uint32_t> widths = {0};
  if (kNarrowest < intermediate) widths.push_back(kNarrowest);
  for (const std::uint32_t n_groups :
       counts_to_measure((intermediate + kWidthStep - 1) / kWidthStep)) {
    const std::uint32_t width = std::min(n_groups * kWidthStep, intermediate);
    if (width > widths.back()) widths.push_back(width);
  }
  return widths;
}

/// On the line between the two entries around `x`, which is among them or between.
double interpolate(std::span<const std::pair<std::uint32_t, double>> entries, std::uint32_t x) {
  const auto above = std::lower_bound(
      entries.begin(), entries.end(), x,
      [](const auto& entry, std::uint32_t wanted) { return entry.first < wanted; });
  if (above->first == x) return above->second;
  const auto below = above - 1;
  const double share = static_cast<double>(x - below->first) / (above->first - below->first);
  return below->second + share * (above->second - below->second);
}

/// Times of every model in every round.
class Timings {
 public:
  explicit Timings(const TimeModel& time) : time_(time) {}

  /// Gives the place of a model among those to be timed.
  std::size_t add(std::vector<LayerShape> layers) {
    models_.push_back(std::move(layers));
    return models_.size() - 1;
  }

  void run(const OnMeasured& on_measured) {
    const auto report = [&](double share) {
      if (on_measured) on_measured(std::min(1.0, share));
    };
    report(0);
    for (const std::vector<LayerShape>& model : models_) {
      static_cast<void>(time_(model));  // makes it and warms it up
      report(0);
    }
    double spent_ms = 0;
    while (rounds_.size() < kLeastRounds ||
           (spent_ms < kBudgetMs && rounds_.size() < kMostRounds)) {
      rounds_.push_back(time_round());
      spent_ms += total_ms(rounds_.back());
      const auto n_done = static_cast<double>(rounds_.size());
      report(std::min(n_done / kLeastRounds, std::max(spent_ms / kBudgetMs, n_done / kMostRounds)));
    }
    report(1);
    std::vector<double> totals;
    for (const std::vector<double>& round : rounds_) totals.push_back(total_ms(round));
    std::sort(totals.begin(), totals.end());
    quiet_round_ms_ = measure::percentile(totals, 25);
  }

  /// Of a model in a quiet round.
  [[nodiscard]] double model_ms(std::size_t model) const {
    std::vector<double> shares;
    for (const std::vector<double>& round : rounds_) {
      shares.push_back(round[model] / total_ms(round));
    }
    std::sort(shares.begin(), shares.end());
    return measure::percentile(shares, 50) * quiet_round_ms_;
  }

 private:
  /// Every round begins elsewhere and every other one goes backwards: no model always follows the
  /// same one.
  [[nodiscard]] std::vector<double> time_round() const {
    const std::size_t n = models_.size();
    std::vector<double> times(n);
    for (std::size_t step = 0; step < n; ++step) {
      const std::size_t place = rounds_.size() % 2 == 0 ? step : n - 1 - step;
      const std::size_t model = (place + rounds_.size() * 7) % n;
      times[model] = time_(models_[model]);
      if (!(times[model] > 0)) {
        throw Error(ErrorCode::failed, "a model took no time at all; the clock stands still");
      }
    }
    return times;
  }

  [[nodiscard]] static double total_ms(const std::vector<double>& round) {
    return std::accumulate(round.begin(), round.end(), 0.0);
  }

  const TimeModel& time_;
  std::vector<std::vector<LayerShape>> models_;
  std::vector<std::vector<double>> rounds_;  // (rounds) of (models)
  double quiet_round_ms_ = 0;
};

/// One half of a layer: its heads or its feed-forward. (count, model that measures it), rising.
using HalfProbes = std::vector<std::pair<std::uint32_t, std::size_t>>;

/// The models that measure one kind of layer.
struct LayerProbes {
  HalfProbes heads;
  HalfProbes intermediate;
  double n_layers = 0;  // of the width under test; an empty last one follows where they are inner
};

LayerProbes add_probes(Timings& timings, const LatencyRequest& request, bool are_inner) {
  const std::uint32_t n_layers = are_inner ? kInnerLayers : 1;
  const auto add = [&](LayerShape shape) {
    std::vector<LayerShape> layers(n_layers, shape);
    if (are_inner) layers.push_back({});
    return timings.add(std::move(layers));
  };
  const std::size_t empty = add({});
  LayerProbes probes{
      .heads = {{0, empty}}, .intermediate = {{0, empty}}, .n_layers = 1.0 * n_layers};
  for (const std::uint32_t n : counts_to_measure(request.n_heads)) {
    if (n > 0) probes.heads.emplace_back(n, add({n, 0}));
  }
  for (const std::uint32_t width : widths_to_measure(request.intermediate)) {
    if (width > 0) probes.intermediate.emplace_back(width, add({0, width}));
  }
  return probes;
}

/// Milliseconds of half a layer by its count. empty_ms: of one that has lost all.
std::vector<std::pair<std::uint32_t, double>> half_latency(const Timings& timings,
                                                           const HalfProbes& probes,
                                                           double n_layers, double empty_ms) {
  const double without_ms = timings.model_ms(probes[0].second);
  std::vector<double> times;
  for (const auto& [count, model] : probes) {
    const double more_ms = (timings.model_ms(model) - without_ms) / n_layers;
    times.push_back(empty_ms + std::max(0.0, more_ms));
  }
  times = not_falling(times);
  std::vector<std::pair<std::uint32_t, double>> latency;
  for (std::size_t place = 0; place < probes.size(); ++place) {
    latency.emplace_back(probes[place].first, times[place]);
  }
  return latency;
}

LayerLatency layer_latency(const Timings& timings, const LayerProbes& probes, double empty_ms) {
  LayerLatency latency;
  const auto heads = half_latency(timings, probes.heads, probes.n_layers, empty_ms);
  for (std::uint32_t n = 0; n <= heads.back().first; ++n) {
    latency.heads.push_back(interpolate(heads, n));
  }
  latency.intermediate = half_latency(timings, probes.intermediate, probes.n_layers, empty_ms);
  return latency;
}

void check_shape(const LayerLatency& latency, const LayerShape& shape) {
  if (shape.n_heads < latency.heads.size() &&
      shape.intermediate <= latency.intermediate.back().first) {
    return;
  }
  refuse("a layer of " + std::to_string(shape.n_heads) + " heads and " +
         std::to_string(shape.intermediate) + " neurons is wider than what was measured");
}

}  // namespace

void validate(const LatencyRequest& request) {
  if (request.hidden == 0 || request.head_dim == 0 || request.n_heads == 0 ||
      request.intermediate == 0 || request.n_threads == 0) {
    refuse("a latency is measured for sizes, heads and threads from 1");
  }
  if (request.lengths.empty() ||
      *std::min_element(request.lengths.begin(), request.lengths.end()) == 0) {
    refuse("a latency is measured on sentences of at least one token each");
  }
}

double LayerLatency::feed_forward_ms(std::uint32_t width) const {
  check_shape(*this, {0, width});
  return interpolate(intermediate, width);
}

double LatencyTable::model_ms(std::span<const LayerShape> layers) const {
  double ms = rest_ms;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const LayerLatency& latency = index + 1 == layers.size() ? last : inner;
    check_shape(latency, layers[index]);
    ms +=
        latency.heads[layers[index].n_heads] + latency.feed_forward_ms(layers[index].intermediate);
  }
  return ms;
}

std::vector<double> not_falling(std::span<const double> values) {
  struct Pool {
    double mean;
    std::size_t n;
  };
  std::vector<Pool> pools;
  for (const double value : values) {
    pools.push_back({value, 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean > pools.back().mean) {
      const Pool right = pools.back();
      pools.pop_back();
      Pool& left = pools.back();
      const auto n = static_cast<double>(left.n + right.n);
      left.mean =
          (left.mean * static_cast<double>(left.n) + right.mean * static_cast<double>(right.n)) / n;
      left.n += right.n;
    }
  }
  std::vector<double> result;
  for (const Pool& pool : pools) result.insert(result.end(), pool.n, pool.mean);
  return result;
}

LatencyTable measure_latency(const LatencyRequest& request, const TimeModel& time,
                             const OnMeasured& on_measured) {
  validate(request);
  Timings timings(time);
  const std::size_t one_empty = timings.add({LayerShape{}});
  const LayerProbes inner = add_probes(timings, request, true);
  LayerProbes last;
  if (request.last_layer_first_token_only) last = add_probes(timings, request, false);
  timings.run(on_measured);

  const double one_empty_ms = timings.model_ms(one_empty);
  const double more_ms = timings.model_ms(inner.heads[0].second) - one_empty_ms;
  const double empty_half_ms = std::max(0.0, more_ms / inner.n_layers / 2);
  LatencyTable table;
  table.inner = layer_latency(timings, inner, empty_half_ms);
  if (request.last_layer_first_token_only) {
    // A last layer without anything is part of the rest: a row a sentence costs next to nothing.
    table.last = layer_latency(timings, last, 0);
    table.rest_ms = one_empty_ms;
  } else {
    table.last = table.inner;
    table.rest_ms = std::max(0.0, one_empty_ms - 2 * empty_half_ms);
  }
  return table;
}

LatencyTable measure_latency(const LatencyRequest& request, const OnMeasured& on_measured) {
  validate(request);
  std::string fingerprint = fingerprint_of(request);
  ProbeTimer timer(request);
  LatencyTable table = measure_latency(
      request, [&](std::span<const LayerShape> layers) { return timer.time_ms(layers); },
      on_measured);
  table.fingerprint = std::move(fingerprint);
  return table;
}

std::string fingerprint_of(const LatencyRequest& request) {
  validate(request);
  std::string lengths;
  for (const std::uint32_t length : request.lengths) {
    if (!lengths.empty()) lengths += ',';
    lengths += std::to_string(length);
  }
  std::string line =
      "espalier " ESPALIER_VERSION "; cpu " + cpu_name() + "; isa " +
      std::string(isa_name(usable_isa())) + "; processors " + std::to_string(usable_cpus()) +
      "; back end " + ProbeTimer(request).backend() + "; threads " +
      std::to_string(request.n_threads) + "; precision " + std::string(name_of(request.precision)) +
      "; hidden " + std::to_string(request.hidden) + "; head_dim " +
      std::to_string(request.head_dim) + "; heads " + std::to_string(request.n_heads) +
      "; intermediate " + std::to_string(request.intermediate) + "; last layer " +
      (request.last_layer_first_token_only ? "first tokens" : "all tokens") + "; tokens " + lengths;
  // A processor may call itself anything.
  for (char& letter : line) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return line;
}

Cost latency_cost(const LatencyTable& table, const checkpoint::BertConfig& config) {
  Cost cost{.unit = "ms", .layers = {}, .rest = table.rest_ms};
  for (std::size_t index = 0; index < config.layers.size(); ++index) {
    const checkpoint::LayerWidths& widths = config.layers[index];
    const LayerLatency& latency = index + 1 == config.layers.size() ? table.last : table.inner;
    const auto n_heads = static_cast<std::uint32_t>(widths.heads.size());
    check_shape(latency, {n_heads, widths.intermediate});
    LayerCost layer;
    layer.heads.assign(latency.heads.begin(), latency.heads.begin() + n_heads + 1);
    for (std::uint32_t width = 0; width <= widths.intermediate; ++width) {
      layer.neurons.push_back(latency.feed_forward_ms(width));
    }
    cost.layers.push_back(std::move(layer));
  }
  return cost;
}

}  // namespace espalier::prune
