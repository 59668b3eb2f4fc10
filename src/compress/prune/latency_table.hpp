// What the layers of a BERT cost on this machine, in milliseconds, by how wide they are: measured
// with the runtime that will run the pruned model, because the widths that kernels like, the memory
// and the number of threads decide it, not multiply-adds. Models of random weights stand in for the
// real one: time does not depend on the values.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compress/checkpoint/bert_config.hpp"
#include "compress/prune/cost.hpp"
#include "espalier/types.hpp"

namespace espalier::prune {

/// What is to be measured: a shape of layers, and the calls that they are to answer.
struct LatencyRequest {
  std::uint32_t hidden = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t n_heads = 0;       // of the widest layer, from 1
  std::uint32_t intermediate = 0;  // of the widest layer, from 1
  Precision precision = Precision::int8;
  std::vector<std::uint32_t> lengths;  // tokens of each sentence of the one call that is timed
  unsigned n_threads = 1;
  /// Tasks on whole sentences: the last layer answers for first tokens only, so it costs less.
  bool last_layer_first_token_only = true;
};

/// Throws Error(usage) naming what is out of range.
void validate(const LatencyRequest& request);

/// What one layer keeps.
struct LayerShape {
  std::uint32_t n_heads = 0;
  std::uint32_t intermediate = 0;

  friend bool operator==(const LayerShape&, const LayerShape&) = default;
};

/// Milliseconds of one layer's halves for the whole call; not falling.
struct LayerLatency {
  std::vector<double> heads;                                   // [n]: n heads kept, from 0 to all
  std::vector<std::pair<std::uint32_t, double>> intermediate;  // width, rising from 0 to all

  /// Of a feed-forward of `width`: on the line between the two widths measured around it.
  [[nodiscard]] double feed_forward_ms(std::uint32_t width) const;

  friend bool operator==(const LayerLatency&, const LayerLatency&) = default;
};

struct LatencyTable {
  LayerLatency inner;
  LayerLatency last;
  double rest_ms = 0;       // embedding, head, the call itself
  std::string fingerprint;  // of machine, build and request: see fingerprint_of()

  /// Of a model with these layers. Throws Error(usage) for one that is wider than the table.
  [[nodiscard]] double model_ms(std::span<const LayerShape> layers) const;

  friend bool operator==(const LatencyTable&, const LatencyTable&) = default;
};

/// Everything that the milliseconds hang on, in one line of printable ASCII: version, processor,
/// instruction set, back end and its code path, threads, and the request. Throws as the measuring
/// does when the back end cannot run here.
[[nodiscard]] std::string fingerprint_of(const LatencyRequest& request);

/// Runs a model with `layers` and the request's other sizes on the request's call, once; gives back
/// the milliseconds that it took. May throw to end the measuring.
using TimeModel = std::function<double(std::span<const LayerShape> layers)>;

/// Told the share of the work that is done, 0 to 1, now and then; may throw to end it.
using OnMeasured = std::function<void(double share)>;

/// Times models whose layers are all of one width, each once a round, and takes differences: what a
/// layer without heads costs less is what the heads cost. What counts is a model's share of its
/// round, the median over all rounds, so that a machine that is slower for a while is slower for
/// all; milliseconds are those of a round quieter than three in four. A wider layer is never
/// cheaper: where noise says so, means of neighbours do. Some twelve widths are timed and lines
/// drawn between them. Takes half a minute for a six-layer MiniLM on idle processors. The
/// fingerprint is left empty; `on_measured` may be empty.
[[nodiscard]] LatencyTable measure_latency(const LatencyRequest& request, const TimeModel& time,
                                           const OnMeasured& on_measured);

/// The same with real models on this machine, fingerprint and all. Throws Error(usage) for a
/// request out of range and as espalier::Session does.
[[nodiscard]] LatencyTable measure_latency(const LatencyRequest& request,
                                           const OnMeasured& on_measured);

/// The values nearest to `values` in squared difference of which none is smaller than the one
/// before it. Source: pool adjacent violators, Barlow et al. 1972.
[[nodiscard]] std::vector<double> not_falling(std::span<const double> values);

/// The table as the search pays it, for a model of these layers. Throws Error(usage) when a layer
/// is wider than the table.
[[nodiscard]] Cost latency_cost(const LatencyTable& table, const checkpoint::BertConfig& config);

}  // namespace espalier::prune
