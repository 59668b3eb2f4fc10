// Outcomes as JSON, for the workspace and for reports.
#include <array>

#include "compress/recipe/search.hpp"
#include "espalier/error.hpp"

namespace espalier::recipe {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<Verdict, std::string_view>, 5> kVerdicts = {
    {{Verdict::accepted, "accepted"},
     {Verdict::too_large, "too large"},
     {Verdict::too_slow, "too slow"},
     {Verdict::loses_choosing, "loses too much on the rows that choose"},
     {Verdict::loses_deciding, "loses too much on the rows that decide"}}};

Json json_of(const Drop& drop) {
  Json json = {{"metric", drop.metric},
               {"before", drop.before},
               {"after", drop.after},
               {"points", drop.points()},
               {"rows", drop.n_rows}};
  if (drop.test) {
    json["became_wrong"] = drop.test->only_first;
    json["became_right"] = drop.test->only_second;
    json["mcnemar_p"] = drop.test->p_exact;
  }
  if (drop.interval) {
    json["confidence"] = *drop.confidence;
    json["interval"] = {drop.interval->low, drop.interval->high};
  }
  if (!drop.slice.empty()) json["slice"] = drop.slice;
  for (const Drop& slice : drop.slices) json["slices"].push_back(json_of(slice));
  return json;
}

Drop drop_from(const Json& json) {
  Drop drop{.metric = json.at("metric").get<std::string>(),
            .before = json.at("before").get<double>(),
            .after = json.at("after").get<double>(),
            .n_rows = json.at("rows").get<std::size_t>(),
            .test = {},
            .confidence = {},
            .interval = {}};
  if (json.contains("became_wrong")) {
    drop.test = measure::mcnemar(json["became_wrong"].get<std::size_t>(),
                                 json.at("became_right").get<std::size_t>());
  }
  if (json.contains("interval")) {
    drop.confidence = json.at("confidence").get<double>();
    drop.interval = {.low = json["interval"].at(0).get<double>(),
                     .high = json["interval"].at(1).get<double>()};
  }
  drop.slice = json.value("slice", "");
  for (const Json& slice : json.value("slices", Json::array())) {
    drop.slices.push_back(drop_from(slice));
  }
  return drop;
}

Verdict verdict_from(const std::string& name) {
  for (const auto& [verdict, known] : kVerdicts) {
    if (known == name) return verdict;
  }
  throw Error(ErrorCode::bad_input, "there is no verdict '" + name + "'; start over with --force");
}

}  // namespace

std::string_view verdict_name(Verdict verdict) noexcept {
  for (const auto& [known, name] : kVerdicts) {
    if (known == verdict) return name;
  }
  return {};
}

Json to_json(const Outcome& outcome) {
  Json json = {{"name", outcome.name},
               {"verdict", verdict_name(outcome.verdict)},
               {"bytes", outcome.n_bytes}};
  if (outcome.predicted) json["predicted_bytes"] = *outcome.predicted;
  if (outcome.choosing) json["choosing"] = json_of(*outcome.choosing);
  if (outcome.deciding) json["deciding"] = json_of(*outcome.deciding);
  if (outcome.speed) {
    json["speedup"] = {{"median", outcome.speed->speedup},
                       {"p10", outcome.speed->p10},
                       {"p90", outcome.speed->p90}};
  }
  json["looks"] = outcome.n_looks;
  json["bf16_parts"] = outcome.spared;
  json["model"] = outcome.model.string();
  return json;
}

Outcome outcome_from_json(const Json& json) {
  try {
    Outcome outcome{.name = json.at("name").get<std::string>(),
                    .verdict = verdict_from(json.at("verdict").get<std::string>()),
                    .n_bytes = json.at("bytes").get<std::uint64_t>()};
    if (json.contains("predicted_bytes")) outcome.predicted = json["predicted_bytes"].get<double>();
    if (json.contains("choosing")) outcome.choosing = drop_from(json["choosing"]);
    if (json.contains("deciding")) outcome.deciding = drop_from(json["deciding"]);
    if (json.contains("speedup")) {
      const Json& speed = json["speedup"];
      outcome.speed = {.speedup = speed.at("median").get<double>(),
                       .p10 = speed.at("p10").get<double>(),
                       .p90 = speed.at("p90").get<double>()};
    }
    outcome.n_looks = json.at("looks").get<std::size_t>();
    outcome.spared = json.at("bf16_parts").get<std::vector<std::string>>();
    outcome.model = json.at("model").get<std::string>();
    return outcome;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::bad_input, std::string("a candidate's outcome is damaged: ") +
                                          error.what() + "; start over with --force");
  }
}

}  // namespace espalier::recipe
