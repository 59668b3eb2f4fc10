#include "bench_report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/cpu_info.hpp"
#include "names.hpp"
#include "report.hpp"
#include "turns.hpp"
#include "workload.hpp"

namespace espalier::tools {
namespace {

using measure::Align;
using measure::Cell;
using Json = nlohmann::ordered_json;

std::string percent(double share) {
  return fixed(100 * share, 1) + " %";
}

std::string signed_percent(double share) {
  return (share < 0 ? "-" : "+") + percent(std::abs(share));
}

Cell two_digits_cell(const std::optional<double>& value) {
  if (!value) return Cell("");
  const std::string text = measure::two_digit_text(*value);
  const std::size_t point = text.find('.');
  const bool plain = text.find('e') == std::string::npos;
  const int n_decimals = point == std::string::npos ? 0 : static_cast<int>(text.size() - point - 1);
  return plain ? Cell::number(measure::two_digits(*value), n_decimals) : Cell(text);
}

bool any_texts(const BenchResult& result) {
  return result.work.cases.front().has_texts();
}

/// Which columns there are beside those of every run.
struct Columns {
  bool models;
  bool streams;
  bool texts;
  bool energy;

  explicit Columns(const BenchResult& result)
      : models(result.contestants.size() > 1),
        streams(result.streams.size() > 1 || result.streams.front() > 1),
        texts(any_texts(result)),
        energy(result.cost.has_value()) {}
};

void add_columns(measure::Table& table, const Columns& columns) {
  if (columns.models) table.add_column("model");
  const auto add = [&table](std::initializer_list<const char*> names) {
    for (const char* name : names) table.add_column(name, Align::right);
  };
  if (columns.streams) add({"streams"});
  add({"batch", "seq", "tokens", "threads", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "mean_ms",
       "sd_ms"});
  if (columns.texts) add({"tokenizer_p50_ms", "with_tokenizer_p50_ms"});
  add({"tokens_per_s", "texts_per_s", "outliers", "drift_percent"});
  if (columns.models) add({"ratio", "ratio_low", "ratio_high"});
  if (!columns.energy) return;
  add({"joules_per_1000_texts", "kwh_per_million_texts", "grams_co2e_per_million_texts"});
  table.add_column("energy_source");
}

std::vector<Cell> cells_of(const BenchRow& row, const BenchResult& result, const Columns& columns) {
  std::vector<Cell> cells;
  if (columns.models) cells.emplace_back(result.contestants[row.model].name);
  if (columns.streams) cells.push_back(Cell::count(row.n_streams));
  for (const std::size_t count :
       {row.batch, std::size_t{row.seq}, static_cast<std::size_t>(std::llround(row.tokens)),
        std::size_t{row.n_threads}}) {
    cells.push_back(Cell::count(count));
  }
  const measure::LatencySummary& latency = row.latency;
  for (const double time_ms : {latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms,
                               latency.mean_ms, latency.sd_ms}) {
    cells.push_back(Cell::number(time_ms, 4));
  }
  if (columns.texts) {
    cells.push_back(Cell::number(row.tokenizer->p50_ms, 4));
    cells.push_back(Cell::number(row.with_tokenizer->p50_ms, 4));
  }
  cells.push_back(Cell::number(row.tokens_per_s, 0));
  cells.push_back(Cell::number(row.texts_per_s, 1));
  cells.push_back(Cell::count(row.steadiness.n_outliers));
  cells.push_back(Cell::number(100 * row.steadiness.drift, 1));
  if (columns.models) {
    const measure::MedianInterval ratio =
        row.ratio.value_or(measure::MedianInterval{.median = 1, .low = 1, .high = 1});
    for (const double value : {ratio.median, ratio.low, ratio.high}) {
      cells.push_back(Cell::number(value, 3));
    }
  }
  if (columns.energy) {
    for (const auto& figure : {row.cost->joules_per_1000_texts, row.cost->kwh_per_million_texts,
                               row.cost->grams_co2e_per_million_texts}) {
      cells.push_back(two_digits_cell(figure));
    }
    cells.emplace_back(measure::energy_tag_name(row.cost->tag));
  }
  return cells;
}

Json latency_json(const measure::LatencySummary& latency) {
  return {{"p50_ms", latency.p50_ms}, {"p90_ms", latency.p90_ms},   {"p95_ms", latency.p95_ms},
          {"p99_ms", latency.p99_ms}, {"mean_ms", latency.mean_ms}, {"sd_ms", latency.sd_ms},
          {"min_ms", latency.min_ms}, {"max_ms", latency.max_ms}};
}

Json two_digits_json(const std::optional<double>& value) {
  return value ? Json(measure::two_digits(*value)) : Json(nullptr);
}

Json row_json(const BenchRow& row, const BenchResult& result) {
  Json json = {{"model", result.contestants[row.model].name},
               {"model_index", row.model},
               {"streams", row.n_streams},
               {"batch", row.batch},
               {"seq", row.seq},
               {"tokens", row.tokens},
               {"threads", row.n_threads},
               {"calls_timed", row.latency.n_runs}};
  json.update(latency_json(row.latency));
  if (row.tokenizer) {
    json["tokenizer"] = latency_json(*row.tokenizer);
    json["with_tokenizer"] = latency_json(*row.with_tokenizer);
  }
  json["tokens_per_s"] = row.tokens_per_s;
  json["texts_per_s"] = row.texts_per_s;
  json["outliers"] = row.steadiness.n_outliers;
  json["drift_percent"] = 100 * row.steadiness.drift;
  if (row.ratio) {
    json["ratio"] = {{"to", 0},
                     {"median", row.ratio->median},
                     {"low", row.ratio->low},
                     {"high", row.ratio->high}};
  }
  if (row.cost) {
    json["energy"] = {
        {"joules", two_digits_json(row.energy->joules)},
        {"seconds", row.energy_s},
        {"texts", row.energy_texts},
        {"joules_per_1000_texts", two_digits_json(row.cost->joules_per_1000_texts)},
        {"kwh_per_million_texts", two_digits_json(row.cost->kwh_per_million_texts)},
        {"grams_co2e_per_million_texts", two_digits_json(row.cost->grams_co2e_per_million_texts)},
        {"energy_source", measure::energy_tag_name(row.cost->tag)},
        {"source", row.cost->source},
        {"reason", row.cost->reason}};
  }
  return json;
}

Json model_json(const BenchContestant& contestant) {
  const ModelInfo& info = contestant.model.info();
  const Session& session = contestant.sessions.front();
  return {{"model", contestant.name},
          {"checksum", hex(info.checksum)},
          {"precision", name_of(info.precision)},
          {"bytes", info.file_bytes},
          {"backend", session.backend()},
          {"backend_path", session.backend_path()},
          {"threads", session.n_threads()},
          {"cold_start_ms", contestant.cold.total_ms()},
          {"open_ms", contestant.cold.open_ms},
          {"session_ms", contestant.cold.session_ms},
          {"first_answer_ms", contestant.cold.answer_ms}};
}

std::string power_text(const measure::EnergyFigure& power) {
  std::string text(measure::energy_tag_name(power.tag));
  if (!power.source.empty()) text += " (" + power.source + ")";
  return text;
}

}  // namespace

std::vector<std::string> bench_first_lines(const BenchResult& result) {
  std::vector<std::string> lines;
  for (const BenchContestant& contestant : result.contestants) {
    std::string line = first_line(contestant.model, contestant.sessions.front());
    if (result.contestants.size() > 1) line += ", " + contestant.name;
    lines.push_back(line);
  }
  lines.front() += any_texts(result) ? "" : ", seed " + std::to_string(kWorkloadSeed);
  lines.push_back(cpu_name() + ", instruction set " + std::string(isa_name(usable_isa())) +
                  " (detected " + std::string(isa_name(detected_isa())) + ")");
  lines.push_back("power: " + power_text(result.power));
  return lines;
}

std::vector<std::string> bench_last_lines(const BenchResult& result) {
  std::vector<std::string> lines;
  for (const BenchContestant& contestant : result.contestants) {
    const ColdStart& cold = contestant.cold;
    lines.push_back("cold start of " + contestant.name + ": " + fixed(cold.total_ms(), 1) +
                    " ms (open " + fixed(cold.open_ms, 1) + ", session " +
                    fixed(cold.session_ms, 1) + ", first answer " + fixed(cold.answer_ms, 1) + ")");
  }
  if (result.peak_resident_bytes) {
    lines.push_back("memory: " + megabytes(*result.peak_resident_bytes) +
                    " resident at most, with all models and calls");
  }
  const measure::ControlSummary control(result.control_ms);
  lines.push_back("control loop: " + fixed(control.latency.p50_ms, 3) + " ms, p90 " +
                  signed_percent(control.spread) + ", drift " + signed_percent(control.drift) +
                  ": " + std::string(control.verdict()));
  if (!result.cost) return lines;
  lines.push_back("energy: grid " + result.cost->grid.region + " " +
                  shortest_text(result.cost->grid.grams_per_kwh) + " gCO2e/kWh (" +
                  result.cost->grid.source + "), PUE " + fixed(result.cost->pue, 2) +
                  (any_texts(result) ? ", with the tokenizer" : ""));
  const measure::TextCost& cost = *result.rows.front().cost;
  lines.push_back("energy: " + std::string(measure::energy_tag_name(cost.tag)) +
                  (cost.source.empty() ? "" : " (" + cost.source + ")") +
                  (cost.reason.empty() ? "" : "; " + cost.reason));
  return lines;
}

std::string bench_table(const BenchResult& result, measure::TableFormat format) {
  const Columns columns(result);
  measure::Table table;
  add_columns(table, columns);
  for (const BenchRow& row : result.rows) table.add_row(cells_of(row, result, columns));
  return table.print(format);
}

nlohmann::ordered_json bench_json(const BenchRequest& request, const BenchResult& result) {
  Json models = Json::array();
  for (const BenchContestant& contestant : result.contestants)
    models.push_back(model_json(contestant));
  Json rows = Json::array();
  for (const BenchRow& row : result.rows) rows.push_back(row_json(row, result));
  const BenchContestant& first = result.contestants.front();
  Json report = {{"version", version()},
                 {"model", first.name},
                 {"checksum", hex(first.model.info().checksum)},
                 {"precision", name_of(first.model.info().precision)},
                 {"cpu", cpu_name()},
                 {"isa_used", isa_name(usable_isa())},
                 {"isa_detected", isa_name(detected_isa())},
                 {"backend", first.sessions.front().backend()},
                 {"backend_path", first.sessions.front().backend_path()},
                 {"warmup", request.warmup},
                 {"repeat", request.repeat},
                 {"duration_s", request.duration_s},
                 {"seed", any_texts(result) ? Json(nullptr) : Json(kWorkloadSeed)},
                 {"power_source",
                  {{"energy_source", measure::energy_tag_name(result.power.tag)},
                   {"source", result.power.source},
                   {"reason", result.power.reason}}},
                 {"models", models},
                 {"peak_resident_bytes",
                  result.peak_resident_bytes ? Json(*result.peak_resident_bytes) : Json(nullptr)},
                 {"control", control_json(measure::ControlSummary(result.control_ms))}};
  if (result.cost) {
    report["grid"] = {{"region", result.cost->grid.region},
                      {"grams_co2e_per_kwh", result.cost->grid.grams_per_kwh},
                      {"source", result.cost->grid.source}};
    report["pue"] = result.cost->pue;
  }
  if (result.idle) {
    const measure::EnergyFigure& idle = result.idle->energy;
    report["idle"] = {{"seconds", result.idle->seconds},
                      {"joules", two_digits_json(idle.joules)},
                      {"energy_source", measure::energy_tag_name(idle.tag)}};
  }
  report["rows"] = rows;
  return report;
}

}  // namespace espalier::tools
