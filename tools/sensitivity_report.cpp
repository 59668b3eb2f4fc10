#include "sensitivity_report.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "json_text.hpp"
#include "measure/bar_chart.hpp"
#include "measure/report.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
using measure::Align;

/// The measure as a person reads it.
std::string_view distance_words(Task task) {
  switch (task) {
    case Task::regress:
      return "mean |difference|";
    case Task::embed:
      return "1 - cosine";
    case Task::classify:
    case Task::multi_label:
    case Task::tag:
    case Task::fill_mask:
      break;
  }
  return "KL";
}

std::string_view answers_words(Task task) {
  if (task == Task::tag) return " words";
  return task == Task::embed ? " texts" : " rows";
}

std::string figure(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.3g", value);
  return digits;
}

// As megabytes() has it, and below zero where padding costs more than codes save.
std::string signed_megabytes(std::int64_t bytes) {
  return fixed(static_cast<double>(bytes) / 1e6, 3);
}

std::string summary(const Sensitivity& found, const AnswerDistance& distance) {
  std::string text =
      std::string(distance_words(found.task)) + " " + figure(distance.value) + " to fp32";
  if (distance.n_flips) {
    text +=
        ", " + std::to_string(*distance.n_flips) + " flips of " + std::to_string(found.n_answers);
  }
  return text;
}

Json distance_json(Task task, const AnswerDistance& distance) {
  Json json = {{distance_name(task), distance.value}};
  if (distance.n_flips) json["flips"] = *distance.n_flips;
  return json;
}

}  // namespace

std::string sensitivity_table(const SensitivityReport& report) {
  const Sensitivity& found = report.found;
  const bool has_flips = found.all_int8.n_flips.has_value();
  measure::Table table;
  const std::string distance(distance_words(found.task));
  table.add_column("part").add_column("MB saved", Align::right);
  for (const char* alone : {"alone in int8", "all but it in int8"}) {
    table.add_column(distance + ", " + alone, Align::right);
    if (has_flips) table.add_column("flips", Align::right);
  }
  for (const PartSensitivity& part : found.parts) {
    std::vector<measure::Cell> cells = {part.name, signed_megabytes(part.saved_bytes)};
    for (const AnswerDistance* side : {&part.alone_int8, &part.alone_fp32}) {
      cells.emplace_back(figure(side->value));
      if (has_flips) cells.push_back(measure::Cell::count(side->n_flips.value_or(0)));
    }
    table.add_row(std::move(cells));
  }
  return key_value_text(
             {{"model", one_line(report.model, 80) + ", " + std::string(name_of(found.task))},
              {"data", one_line(report.data, 80) + ", " + std::to_string(found.n_answers) +
                           std::string(answers_words(found.task))},
              {"all int8", summary(found, found.all_int8) + ", " +
                               signed_megabytes(found.saved_bytes) + " MB saved"},
              {"attention", summary(found, found.attention) +
                                ": its own products in int8, every part in fp32"}}) +
         "\n" + table.print(measure::TableFormat::table);
}

Json sensitivity_json(const SensitivityReport& report) {
  const Sensitivity& found = report.found;
  Json parts = Json::array();
  for (const PartSensitivity& part : found.parts) {
    parts.push_back({{"name", part.name},
                     {"saved_bytes", part.saved_bytes},
                     {"alone_int8", distance_json(found.task, part.alone_int8)},
                     {"alone_fp32", distance_json(found.task, part.alone_fp32)}});
  }
  return {{"model", report.model},
          {"task", name_of(found.task)},
          {"data", report.data},
          {"n", found.n_rows},
          {"answers", found.n_answers},
          {"truncated", found.n_truncated},
          {"saved_bytes", found.saved_bytes},
          {"all_int8", distance_json(found.task, found.all_int8)},
          {"attention", distance_json(found.task, found.attention)},
          {"parts", parts}};
}

std::string sensitivity_svg(const SensitivityReport& report) {
  const Sensitivity& found = report.found;
  measure::BarChart chart = {
      .title = "What int8 costs, part by part: " + report.model + " on " + report.data,
      .x_label = std::string(distance_words(found.task)) + " to the fp32 model",
      .series = {"alone in int8", "all but it in int8"},
      .groups = {},
      .mark = measure::BarMark{"all in int8", found.all_int8.value}};
  for (const PartSensitivity& part : found.parts) {
    chart.groups.push_back({part.name, {part.alone_int8.value, part.alone_fp32.value}});
  }
  return measure::bar_chart_svg(chart);
}

}  // namespace espalier::tools
