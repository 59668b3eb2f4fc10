#include "prune_report.hpp"

#include <algorithm>
#include <array>

#include "compress/prune/cost.hpp"
#include "compress/train/device.hpp"
#include "espalier/session.hpp"
#include "measure/metrics.hpp"
#include "measure/report.hpp"
#include "report.hpp"
#include "turn_timing.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kRounds = 40;

std::string ratio_text(double before, double after) {
  return after > 0 ? fixed(before / after, 2) + " x" : "";
}

std::string signed_text(double difference) {
  std::string text(difference < 0 ? "" : "+");
  return text.append(fixed(difference, 2));
}

std::string millions(double number) {
  return fixed(number / 1e6, 2) + " M";
}

std::string list_of(const Json& numbers) {
  std::string text;
  for (const Json& number : numbers) {
    if (!text.empty()) text += ' ';
    text += std::to_string(number.get<std::uint64_t>());
  }
  return text.empty() ? "-" : text;
}

void add_layers(measure::Table& table, const Json& before, const Json& after) {
  // A model that lost whole layers says so in one line.
  if (before.size() != after.size()) {
    table.add_row({"layers", std::to_string(before.size()), std::to_string(after.size()), ""});
    return;
  }
  for (std::size_t layer = 0; layer < before.size(); ++layer) {
    const std::string name = "layer " + std::to_string(layer);
    table.add_row(
        {name + " heads", list_of(before[layer]["heads"]), list_of(after[layer]["heads"]), ""});
    table.add_row({name + " neurons", std::to_string(before[layer]["neurons"].get<int>()),
                   std::to_string(after[layer]["neurons"].get<int>()), ""});
  }
}

}  // namespace

Json shape_facts(const model::Bert& bert, double mean_length) {
  Json layers = Json::array();
  for (const checkpoint::LayerWidths& widths : bert.config.layers) {
    layers.push_back({{"heads", widths.heads}, {"neurons", widths.intermediate}});
  }
  return {{"parameters", model::parameter_count(bert)},
          {"pieces", bert.config.vocab},
          {"encoder_multiply_adds",
           prune::multiply_add_cost(bert.config, mean_length).of(bert.config.layers)},
          {"layers", layers}};
}

Json speed_facts(const std::filesystem::path& before, const std::filesystem::path& after,
                 unsigned n_threads) {
  const Model dense = Model::open(before.string());
  const Model small = Model::open(after.string());
  Session dense_session(dense, {.n_threads = n_threads});
  Session small_session(small, {.n_threads = n_threads});
  const std::array models = {dense, small};
  const std::array sessions = {&dense_session, &small_session};
  const TurnWorkload workload = drawn_workload(models);
  const std::vector<TurnResult> times =
      time_in_turns(sessions, workload, {.n_rounds = kRounds}).models;
  return {{"workload", workload.description},
          {"precision", "int8"},
          {"threads", n_threads},
          {"before_ms", times[0].round.p50_ms},
          {"after_ms", times[1].round.p50_ms},
          {"speedup", times[1].speedup.times},
          {"speedup_p10", times[1].speedup.p10},
          {"speedup_p90", times[1].speedup.p90}};
}

std::string prune_table(const Json& card) {
  const Json& before = card["before"];
  const Json& after = card["after"];
  measure::Table table;
  table.add_column("").add_column("before").add_column("after").add_column("");
  const Json old_scores = before.value("scores", Json::object());
  for (const auto& [name, value] : old_scores.items()) {
    const double now = after["scores"][name].get<double>();
    table.add_row({name, fixed(value.get<double>(), 2), fixed(now, 2),
                   signed_text(now - value.get<double>())});
  }
  const auto row = [&](const char* name, const char* key, const auto& show) {
    const double old_value = before[key].get<double>(), new_value = after[key].get<double>();
    table.add_row({name, show(old_value), show(new_value), ratio_text(old_value, new_value)});
  };
  row("encoder multiply-adds a token", "encoder_multiply_adds", millions);
  row("parameters", "parameters", millions);
  row("word pieces", "pieces", [](double number) { return fixed(number, 0); });
  row("int8 file", "int8_bytes",
      [](double bytes) { return megabytes(static_cast<std::uint64_t>(bytes)); });
  const Json& speed = card["speed"];
  table.add_row({"int8 ms on " + std::to_string(speed["threads"].get<int>()) + " threads",
                 fixed(speed["before_ms"].get<double>(), 2),
                 fixed(speed["after_ms"].get<double>(), 2),
                 fixed(speed["speedup"].get<double>(), 2) + " x (" +
                     fixed(speed["speedup_p10"].get<double>(), 2) + " to " +
                     fixed(speed["speedup_p90"].get<double>(), 2) + ")"});
  add_layers(table, before["layers"], after["layers"]);
  std::string text = table.print(measure::TableFormat::table);
  const Json distance = card.value("distance", Json());
  if (distance.is_object()) {
    text += std::to_string(distance["flips"].get<std::size_t>()) + " of " +
            std::to_string(distance["rows"].get<std::size_t>()) + " answers changed, KL " +
            fixed(distance["kl"].get<double>(), 4);
    if (distance.contains("won")) {
      text += ", " + std::to_string(distance["won"].get<std::size_t>()) + " became right, " +
              std::to_string(distance["lost"].get<std::size_t>()) + " wrong, McNemar p " +
              fixed(distance["mcnemar_p"].get<double>(), 3);
    }
    text += "\n";
  }
  return text;
}

}  // namespace espalier::tools
