#include "tradeoff_results.hpp"

#include "base/cpu_info.hpp"
#include "compress/checkpoint/checkpoint.hpp"
#include "compress/export/provenance.hpp"
#include "compress_examiner.hpp"
#include "model_entry.hpp"
#include "report.hpp"
#include "tradeoff_scores.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::uint32_t kUsualTokens = 32;  // of a sentence, for the count of multiply-adds

Json number_or_null(const std::optional<double>& number) {
  return number ? Json(measure::two_digits(*number)) : Json();
}

// Of the stages that made a candidate, whenever they ran.
measure::EnergyFigure build_energy(std::span<const recipe::DoneStage> stages) {
  measure::EnergyFigure all{
      .tag = measure::EnergyTag::measured, .joules = 0.0, .source = {}, .reason = {}};
  for (const recipe::DoneStage& done : stages) {
    const Json energy = done.record.value("energy", Json::object());
    const Json joules = energy.value("joules", Json());
    if (!joules.is_number()) return {};
    *all.joules += joules.get<double>();
    if (energy.value("tag", "") != measure::energy_tag_name(measure::EnergyTag::measured)) {
      all.tag = measure::EnergyTag::estimated;
    }
  }
  return all;
}

Json build_json(const BuiltCandidate& built) {
  double seconds = 0;
  for (const recipe::DoneStage& done : built.stages) seconds += done.record.value("seconds", 0.0);
  const measure::EnergyFigure energy = build_energy(built.stages);
  return {{"seconds", seconds},
          {"joules", number_or_null(energy.joules)},
          {"energy_source", measure::energy_tag_name(energy.tag)}};
}

Json latency_json(const TurnResult& timing, const TradeoffFound& found, std::size_t model) {
  const measure::LatencySummary& latency = timing.call;
  const double round_s = timing.round.p50_ms / 1000;
  return {{"p50_ms", latency.p50_ms},
          {"p90_ms", latency.p90_ms},
          {"p99_ms", latency.p99_ms},
          {"mean_ms", latency.mean_ms},
          {"sd_ms", latency.sd_ms},
          {"texts_per_s", static_cast<double>(found.workload.n_sentences) / round_s},
          {"tokens_per_s", static_cast<double>(found.workload.n_tokens(model)) / round_s}};
}

measure::TextCost cost_of(const TurnResult& timing, const TradeoffFound& found) {
  return measure::cost_of_texts(timing.energy, found.workload.n_sentences * found.request->rounds,
                                found.cost);
}

Json cost_json(const measure::TextCost& cost) {
  return {{"joules_per_1000_texts", number_or_null(cost.joules_per_1000_texts)},
          {"kwh_per_million_texts", number_or_null(cost.kwh_per_million_texts)},
          {"grams_co2e_per_million_texts", number_or_null(cost.grams_co2e_per_million_texts)},
          {"energy_source", measure::energy_tag_name(cost.tag)},
          {"source", cost.source},
          {"reason", cost.reason}};
}

void add_timing(const TradeoffFound& found, const TradeoffModel& model, std::size_t timed,
                Json& entry) {
  const TurnResult& timing = *model.timing;
  const TurnResult& reference = *found.models.front().timing;
  entry["latency"] = latency_json(timing, found, timed);
  entry["speed"] = {
      {"times", timing.speedup.times}, {"p10", timing.speedup.p10}, {"p90", timing.speedup.p90}};
  const measure::TextCost cost = cost_of(timing, found);
  entry["energy"] = cost_json(cost);
  if (model.built.stages.empty()) return;  // the checkpoint as it is: nothing was spent on it
  const measure::Payback payback =
      measure::payback(build_energy(model.built.stages), cost_of(reference, found), cost);
  entry["payback"] = {{"texts", payback.n_texts ? Json(*payback.n_texts) : Json()},
                      {"energy_source", measure::energy_tag_name(payback.tag)},
                      {"reason", payback.reason}};
}

Json entry_of(const TradeoffFound& found, const TradeoffModel& model, std::size_t timed) {
  const std::string& name = model.built.candidate.name;
  if (!model.built.is_done() || model.file.empty()) {
    return {{"name", name},
            {"runtime", "espalier"},
            {"status", "failed"},
            {"reason", model.built.reason},
            {"commands", model.commands}};
  }
  Json entry = model_entry(name, model.file, Model::open(model.file), kUsualTokens);
  entry["commands"] = model.commands;
  if (!model.built.stages.empty()) entry["build"] = build_json(model.built);
  entry.update(model.scores);
  entry.erase("rows");
  if (model.timing) add_timing(found, model, timed, entry);
  return entry;
}

Json data_json(const std::string& path, std::size_t n_rows) {
  return {{"name", base_name(path)}, {"rows", n_rows}, {"xxh3", compress::file_hash(path)}};
}

// The command as given, without the folders of its files.
std::string command_of(const TradeoffRequest& request) {
  std::vector<std::string> words = {"tradeoff", base_name(request.folder), "--eval",
                                    base_name(request.eval)};
  const auto add = [&words](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  if (!request.train.empty()) add("--train", base_name(request.train));
  if (!request.texts.empty()) add("--texts", base_name(request.texts));
  for (const std::string& column : request.columns.slice_columns) add("--slice-column", column);
  if (request.quick) words.emplace_back("--quick");
  if (request.bf16) words.emplace_back("--bf16");
  add("--explain", std::to_string(request.explain));
  add("--rounds", std::to_string(request.rounds));
  add("--seed", std::to_string(request.seed));
  if (request.threads != 0) add("--threads", std::to_string(request.threads));
  add("-o", base_name(request.output));
  return recipe::command_line(words);
}

Json energy_terms(const TradeoffFound& found) {
  const measure::EnergyFigure& energy = found.models.front().timing->energy;
  const measure::Grid& grid = found.cost.grid;
  return {
      {"energy_source", measure::energy_tag_name(energy.tag)},
      {"source", energy.source},
      {"reason", energy.reason},
      {"grid",
       {{"region", grid.region}, {"grams_per_kwh", grid.grams_per_kwh}, {"source", grid.source}}},
      {"pue", found.cost.pue}};
}

Json checkpoint_json(const TradeoffRequest& request) {
  std::uint64_t n_bytes = 0;
  for (const fs::path& path : checkpoint::Checkpoint::open(request.folder).weight_paths()) {
    n_bytes += fs::file_size(path);
  }
  return {{"name", base_name(request.folder)}, {"bytes", n_bytes}};
}

Json timing_json(const TradeoffFound& found) {
  return {{"workload", found.workload.description},
          {"sentences", found.workload.n_sentences},
          {"tokens", found.workload.n_tokens(0)},
          {"rounds", found.request->rounds},
          {"order", "all models in turns, each round begins with another one"},
          {"control", control_json(found.control)}};
}

}  // namespace

Json tradeoff_json(const TradeoffFound& found) {
  const TradeoffRequest& request = *found.request;
  const ModelInfo info = Model::open(found.models.front().file).info();
  const TradeoffMetric metric = tradeoff_metric(info.task);
  Json results = {
      {"schema_version", 1},
      {"kind", "trade_off"},
      {"version", version()},
      {"command", command_of(request)},
      {"seed", request.seed},
      {"quick", request.quick},
      {"checkpoint", checkpoint_json(request)},
      {"task", name_of(info.task)},
      {"labels", info.labels},
      {"metric", {{"key", metric.key}, {"name", metric.name}, {"unit", metric.unit}}},
      {"data", data_json(request.eval, found.models.front().scores.value("rows", std::size_t{0}))},
      {"machine",
       {{"cpu", cpu_name()},
        {"instruction_set", isa_name(usable_isa())},
        {"processors", usable_cpus()},
        {"threads", found.plan->n_threads}}},
      {"timing", timing_json(found)},
      {"energy", energy_terms(found)},
      {"reference", found.models.front().built.candidate.name}};
  if (!request.train.empty()) {
    ColumnRequest columns = request.columns;
    columns.slice_columns.clear();  // those are of --eval
    const std::size_t n_rows = count_rows(request.train, columns,
                                          /*words=*/info.task == Task::tag);
    results["train"] = data_json(request.train, n_rows);
  }
  results["notes"] = Json::array(
      {"Nothing learnt from the rows that score: trained models are those of their last epoch."});
  Json& models = results["models"] = Json::array();
  std::size_t timed = 0;
  for (const TradeoffModel& model : found.models) {
    models.push_back(entry_of(found, model, timed));
    if (model.timing) ++timed;
  }
  if (!found.sensitivity.empty()) results["sensitivity"] = Json::array({found.sensitivity});
  return results;
}

}  // namespace espalier::tools
