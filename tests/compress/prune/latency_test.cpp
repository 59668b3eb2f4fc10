#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/random.hpp"
#include "compress/prune/latency_cache.hpp"
#include "compress/prune/latency_table.hpp"
#include "compress/prune/probe_model.hpp"
#include "espalier/error.hpp"
#include "espalier/model.hpp"
#include "tests/support/temporary_folder.hpp"

namespace espalier::prune {
namespace {

LatencyRequest small_request() {
  return {.hidden = 32,
          .head_dim = 8,
          .n_heads = 6,
          .intermediate = 200,
          .precision = Precision::int8,
          .lengths = {3, 9},
          .n_threads = 1,
          .last_layer_first_token_only = true};
}

/// A machine whose costs are known: `rest`, and for each layer what its widths ask for, less in the
/// last one. Steps in width are those of a kernel that works in groups of 64.
double known_ms(std::span<const LayerShape> layers) {
  double ms = 2;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const bool is_last = index + 1 == layers.size();
    const double half = 0.5 * layers[index].n_heads + 0.01 * layers[index].intermediate;
    ms += is_last ? half / 4 : half + 0.2;
  }
  return ms;
}

LatencyTable known_table() {
  LatencyTable table = measure_latency(small_request(), known_ms, {});
  table.fingerprint = "a machine";
  return table;
}

bool rises(const LayerLatency& latency) {
  return std::is_sorted(latency.heads.begin(), latency.heads.end()) &&
         std::is_sorted(latency.intermediate.begin(), latency.intermediate.end(),
                        [](const auto& a, const auto& b) { return a.second < b.second; });
}

TEST(MeasureLatency, FindsWhatEachWidthCosts) {
  const LatencyTable table = known_table();

  ASSERT_EQ(table.inner.heads.size(), 7U);
  for (std::uint32_t n = 0; n <= 6; ++n) {
    EXPECT_NEAR(table.inner.heads[n], 0.1 + 0.5 * n, 1e-9) << n;
    EXPECT_NEAR(table.last.heads[n], 0.125 * n, 1e-9) << n;
  }
  EXPECT_EQ(table.inner.intermediate.front().first, 0U);
  EXPECT_EQ(table.inner.intermediate.back().first, 200U);
  EXPECT_NEAR(table.inner.feed_forward_ms(0), 0.1, 1e-9);
  EXPECT_NEAR(table.inner.feed_forward_ms(150), 0.1 + 1.5, 1e-9);
  EXPECT_NEAR(table.rest_ms, 2, 1e-9);
}

TEST(MeasureLatency, PredictsUnevenModels) {
  const LatencyTable table = known_table();
  const std::vector<LayerShape> layers = {{6, 200}, {0, 17}, {3, 0}, {5, 64}};

  EXPECT_NEAR(table.model_ms(layers), known_ms(layers), 1e-9);
}

TEST(MeasureLatency, TasksOnTokensHaveALastLayerLikeTheOthers) {
  LatencyRequest request = small_request();
  request.last_layer_first_token_only = false;
  const auto time = [](std::span<const LayerShape> layers) {
    double ms = 2;
    for (const LayerShape& shape : layers) ms += 0.2 + shape.n_heads + 0.01 * shape.intermediate;
    return ms;
  };

  const LatencyTable table = measure_latency(request, time, {});

  EXPECT_EQ(table.last, table.inner);
  EXPECT_NEAR(table.rest_ms, 2, 1e-9);
}

TEST(MeasureLatency, IsNotMisledByABusyMachine) {
  Random random(1);
  std::size_t n_calls = 0;
  double load = 1;
  const auto time = [&](std::span<const LayerShape> layers) {
    // Up to three times slower for a while, then otherwise; a call in ten waits for another
    // program; and always a little noise.
    if (n_calls++ % 300 == 0) load = 1 + 2 * random.uniform();
    const double wait = random.below(10) == 0 ? 20 : 0;
    return known_ms(layers) * load * (1 + 0.1 * random.uniform()) + wait;
  };

  const LatencyTable table = measure_latency(small_request(), time, {});

  EXPECT_TRUE(rises(table.inner));
  EXPECT_TRUE(rises(table.last));
  for (const LayerShape& shape : {LayerShape{3, 100}, LayerShape{1, 32}, LayerShape{6, 64}}) {
    const std::vector<LayerShape> dense(6, {6, 200});
    const std::vector<LayerShape> small(6, shape);
    const double speed_up = known_ms(dense) / known_ms(small);
    // As much as one call's noise; waiting that counted would be off by far more.
    EXPECT_NEAR(table.model_ms(dense) / table.model_ms(small), speed_up, 0.1 * speed_up);
  }
}

TEST(MeasureLatency, NoiseMakesNoWiderLayerCheaper) {
  const auto time = [](std::span<const LayerShape> layers) {
    const LayerShape& shape = layers.front();
    return 2.0 + (shape.n_heads == 3 ? 5 : shape.n_heads) + (shape.intermediate == 64 ? 9 : 0);
  };

  const LatencyTable table = measure_latency(small_request(), time, {});

  EXPECT_TRUE(rises(table.inner));
  EXPECT_TRUE(rises(table.last));
}

TEST(MeasureLatency, ReportsToTheEndAndCanBeStopped) {
  std::vector<double> shares;
  static_cast<void>(
      measure_latency(small_request(), known_ms, [&](double share) { shares.push_back(share); }));
  const auto stop = [](double share) {
    if (share > 0) throw Error(ErrorCode::interrupted, "stopped");
  };

  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_EQ(shares.back(), 1);
  EXPECT_THROW(static_cast<void>(measure_latency(small_request(), known_ms, stop)), Error);
}

TEST(MeasureLatency, RefusesARequestThatMeansNothing) {
  for (void (*spoil)(LatencyRequest&) : {+[](LatencyRequest& request) { request.hidden = 0; },
                                         +[](LatencyRequest& request) { request.lengths = {}; },
                                         +[](LatencyRequest& request) {
                                           request.lengths = {4, 0};
                                         },
                                         +[](LatencyRequest& request) { request.n_threads = 0; }}) {
    LatencyRequest request = small_request();
    spoil(request);
    EXPECT_THROW(static_cast<void>(measure_latency(request, known_ms, {})), Error);
  }
}

TEST(LatencyTable, RefusesWiderLayersThanItKnows) {
  const LatencyTable table = known_table();
  const std::vector<LayerShape> wide = {{6, 201}};
  const std::vector<LayerShape> many = {{7, 200}};

  EXPECT_THROW(static_cast<void>(table.model_ms(wide)), Error);
  EXPECT_THROW(static_cast<void>(table.model_ms(many)), Error);
}

TEST(LatencyCost, IsTheTableForEveryCount) {
  const LatencyTable table = known_table();
  checkpoint::BertConfig config;
  config.layers = {{.heads = {0, 2, 5}, .intermediate = 70}, {.heads = {1}, .intermediate = 200}};

  const Cost cost = latency_cost(table, config);

  const std::vector<LayerShape> shapes = {{3, 70}, {1, 200}};
  EXPECT_NEAR(cost.of(config.layers), table.model_ms(shapes), 1e-9);
  EXPECT_EQ(cost.layers[0].heads.size(), 4U);
  EXPECT_EQ(cost.layers[1].neurons.size(), 201U);
}

TEST(NotFalling, PoolsNeighboursThatFall) {
  const std::array<double, 6> values = {1, 3, 2, 4, 3, 2};

  EXPECT_EQ(not_falling(values), (std::vector<double>{1, 2.5, 2.5, 3, 3, 3}));
}

TEST(NotFalling, LeavesWhatRises) {
  const std::array<double, 4> values = {0, 0, 1, 5};

  EXPECT_EQ(not_falling(values), std::vector<double>(values.begin(), values.end()));
  EXPECT_TRUE(not_falling({}).empty());
}

class ProbeModels : public ::testing::TestWithParam<Precision> {};

TEST_P(ProbeModels, AreSoundFilesOfTheShapeAskedFor) {
  LatencyRequest request = small_request();
  request.precision = GetParam();
  for (const bool first_only : {true, false}) {
    request.last_layer_first_token_only = first_only;
    const std::vector<LayerShape> layers = {{6, 200}, {0, 40}, {6, 200}, {2, 0}, {}};

    const std::vector<std::byte> bytes = probe_model(request, layers);

    EXPECT_EQ(bytes, probe_model(request, layers));
    const Model model = Model::open(bytes);
    EXPECT_EQ(model.info().n_layers, 5U);
    EXPECT_EQ(model.info().hidden, 32U);
    EXPECT_EQ(model.info().precision, GetParam());
    EXPECT_EQ(model.info().task, first_only ? Task::classify : Task::tag);
    ProbeTimer timer(request);
    EXPECT_GT(timer.time_ms(layers), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ProbeModels,
                         ::testing::Values(Precision::int8, Precision::fp32, Precision::bf16),
                         [](const auto& precision) {
                           return std::string(name_of(precision.param));
                         });

TEST(Fingerprint, TellsRequestsApart) {
  const LatencyRequest request = small_request();
  LatencyRequest other = request;
  other.lengths.back() = 10;

  EXPECT_EQ(fingerprint_of(request), fingerprint_of(request));
  EXPECT_NE(fingerprint_of(request), fingerprint_of(other));
}

TEST(LatencyText, GivesTheTableBack) {
  const LatencyTable table = known_table();

  const auto back = latency_from_text(latency_to_text(table), "a machine");

  ASSERT_TRUE(back);
  EXPECT_EQ(*back, table);
}

TEST(LatencyText, RefusesAnotherMachineAndEveryChangedByte) {
  const std::string text = latency_to_text(known_table());

  EXPECT_FALSE(latency_from_text(text, "another machine"));
  EXPECT_FALSE(latency_from_text(text, "a mach"));
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(latency_from_text(damaged, "a machine")) << at;
    EXPECT_FALSE(latency_from_text(text.substr(0, at), "a machine")) << at;
  }
}

TEST(LatencyText, RefusesNumbersThatNoMeasuringGives) {
  for (void (*spoil)(LatencyTable&) :
       {+[](LatencyTable& table) { table.inner.heads[2] = 0; },
        +[](LatencyTable& table) { table.last.heads = {1}; },
        +[](LatencyTable& table) { table.rest_ms = -1; },
        +[](LatencyTable& table) { table.rest_ms = NAN; },
        +[](LatencyTable& table) { table.inner.intermediate[1].first = 0; },
        +[](LatencyTable& table) { table.last.intermediate.back().second = 0; }}) {
    LatencyTable table = known_table();
    spoil(table);
    EXPECT_FALSE(latency_from_text(latency_to_text(table), "a machine"));
  }
}

TEST(KeptLatency, IsMeasuredOnceAMachine) {
  const testing::TemporaryFolder folder;
  int n_measured = 0;
  const auto measure = [&] {
    ++n_measured;
    return known_table();
  };

  const KeptLatency first = kept_latency(folder / "new/cache", "a machine", measure);
  const KeptLatency second = kept_latency(folder / "new/cache", "a machine", measure);
  const KeptLatency other = kept_latency(folder / "new/cache", "another machine", measure);

  EXPECT_EQ(n_measured, 2);
  EXPECT_FALSE(first.was_kept);
  EXPECT_EQ(first.not_stored, "");
  EXPECT_TRUE(second.was_kept);
  EXPECT_EQ(second.table, first.table);
  EXPECT_FALSE(other.was_kept);
}

TEST(KeptLatency, MeasuresAnewWhatIsDamaged) {
  const testing::TemporaryFolder folder;
  static_cast<void>(kept_latency(folder.path(), "a machine", known_table));
  testing::write_file(latency_file(folder.path(), "a machine"), "espalier latency table 1\n");

  const KeptLatency again = kept_latency(folder.path(), "a machine", known_table);
  const KeptLatency kept = kept_latency(folder.path(), "a machine", known_table);

  EXPECT_FALSE(again.was_kept);
  EXPECT_TRUE(kept.was_kept);
}

TEST(KeptLatency, DoesWithoutAFolder) {
  const testing::TemporaryFolder folder;
  testing::write_file(folder / "file", "");

  const KeptLatency kept = kept_latency(folder / "file", "a machine", known_table);

  EXPECT_FALSE(kept.was_kept);
  EXPECT_NE(kept.not_stored, "");
  EXPECT_EQ(kept.table, known_table());
}

}  // namespace
}  // namespace espalier::prune
