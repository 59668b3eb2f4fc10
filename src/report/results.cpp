#include "report/results.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/printable.hpp"
#include "espalier/error.hpp"
#include "measure/pareto.hpp"
#include "report/node.hpp"

namespace espalier::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;
constexpr std::size_t kMaxModels = 500;
// What "nearly as good" means in a sentence: a point of the score's hundred.
constexpr double kNearPoints = 1.0;
// Of reasons: enough to see what moved, on a page that stays small with many models.
constexpr std::size_t kMaxReasonTexts = 5;
constexpr std::size_t kMaxReasonWords = 60;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorCode::bad_input, printable(name) + " " + why);
}

bool is_trade_off(const Json& json) {
  return json.value("kind", Json()) == Json("trade_off");
}

void check_trade_off(const NamedDocument& document) {
  const Json& json = *document.json;
  if (json.value("schema_version", Json()) != Json(kSchemaVersion)) {
    refuse(document.name, "is of another schema version than " + std::to_string(kSchemaVersion) +
                              "; make the report with the espalier that wrote it");
  }
  const Json models = json.value("models", Json());
  if (!models.is_array()) refuse(document.name, "has no list of models; is it results.json?");
  for (const Json& model : models) {
    if (!model.is_object() || !model.value("name", Json()).is_string()) {
      refuse(document.name, "lists a model without a name; is it results.json?");
    }
  }
}

bool is_same_model(const Json& a, const Json& b) {
  return a.at("name") == b.at("name") && a.value("runtime", Json()) == b.value("runtime", Json());
}

void add_models(Json& results, const Json& models) {
  for (const Json& model : models) {
    Json& all = results["models"];
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&](const Json& m) { return is_same_model(m, model); });
    if (known != all.end()) {
      *known = model;
    } else {
      all.push_back(model);
    }
  }
}

void add_notes(Json& results, const Json& notes) {
  if (!notes.is_array()) return;
  Json& all = results["notes"];
  if (!all.is_array()) all = Json::array();
  for (const Json& note : notes) {
    if (std::find(all.begin(), all.end(), note) == all.end()) all.push_back(note);
  }
}

measure::ParetoPoint point_of(const Node& model, const Node& cost) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  return {cost.number().value_or(kNone), model["score"]["value"].number().value_or(kNone)};
}

void mark_front(Json& results, const char* axis, Node (*cost_of)(const Node&)) {
  const Node root(results);
  std::vector<measure::ParetoPoint> points;
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    const Node model = root["models"][index];
    points.push_back(point_of(model, cost_of(model)));
  }
  const std::vector<std::size_t> front = measure::pareto_front(points);
  for (std::size_t index = 0; index < points.size(); ++index) {
    const bool is_on = std::find(front.begin(), front.end(), index) != front.end();
    results["models"][index]["front"][axis] = is_on;
  }
}

Node size_of(const Node& model) {
  return model["bytes"];
}
Node time_of(const Node& model) {
  return model["latency"]["p50_ms"];
}
Node energy_of(const Node& model) {
  return model["energy"]["joules_per_1000_texts"];
}

std::optional<std::size_t> find_reference(const Json& results) {
  const Json name = results.value("reference", Json());
  const Json& models = results.at("models");
  for (std::size_t index = 0; index < models.size(); ++index) {
    if (models[index].at("name") == name) return index;
  }
  return std::nullopt;
}

// The name of the least by `x_of` among models that score nearly what the reference does.
Json least_near(const Json& results, double least_score, Node (*x_of)(const Node&)) {
  const Node root(results);
  Json best;
  std::optional<double> least;
  for (std::size_t index = 0; index < results.at("models").size(); ++index) {
    const Node model = root["models"][index];
    const std::optional<double> score = model["score"]["value"].number();
    const std::optional<double> x = x_of(model).number();
    if (!score || !x || *score < least_score || (least && *x >= *least)) continue;
    least = x;
    best = model["name"].text();
  }
  return best;
}

// A report of the same model on the same data takes the place of the older one.
void add_report(Json& results, const char* key, const Json& report) {
  Json& all = results[key];
  if (!all.is_array()) all = Json::array();
  const auto is_same = [&report](const Json& other) {
    for (const char* name : {"model", "data", "file"}) {
      if (Node(other)[name].text() != Node(report)[name].text()) return false;
    }
    return true;
  };
  const auto known = std::find_if(all.begin(), all.end(), is_same);
  if (known != all.end()) {
    *known = report;
  } else {
    all.push_back(report);
  }
}

// What compare said of its second model goes to the model of that file or name.
void add_attribution(Json& results, const NamedDocument& document) {
  const std::string name = Node(*document.json)["b"]["name"].text();
  const std::string stem = name.substr(0, name.rfind('.'));
  for (Json& model : results.at("models")) {
    const bool is_of_file = Node(model)["file"].text() == name;
    if (!is_of_file && model.at("name") != name && model.at("name") != stem) continue;
    model["attribution"] = attribution_to_show(document.json->at("attribution"));
    return;
  }
  refuse(document.name, "tells the reasons of " + printable(name) + ", which is no model here");
}

bool has_attribution(const Json& json) {
  return json.value("attribution", Json()).is_object() && json.value("b", Json()).is_object();
}

}  // namespace

Json attribution_to_show(const Json& comparison) {
  const Node whole(comparison);
  Json shown = Json::object();
  for (const char* key : {"n_texts", "n_skipped", "mean_spearman", "mean_top5_overlap"}) {
    if (comparison.contains(key)) shown[key] = comparison[key];
  }
  Json& texts = shown["texts"] = Json::array();
  for (std::size_t index = 0; index < std::min(whole["texts"].size(), kMaxReasonTexts); ++index) {
    const Node given = whole["texts"][index];
    Json text = Json::object();
    for (const char* key : {"line", "label", "same_answer", "spearman", "top5_overlap"}) {
      text[key] = given[key].json();
    }
    Json& words = text["words"] = Json::array();
    const std::size_t n_words = given["words"].size();
    for (std::size_t word = 0; word < std::min(n_words, kMaxReasonWords); ++word) {
      const Node from = given["words"][word];
      words.push_back(
          {{"text", from["text"].json()}, {"a", from["a"].json()}, {"b", from["b"].json()}});
    }
    if (n_words > kMaxReasonWords) text["words_left_out"] = n_words - kMaxReasonWords;
    texts.push_back(std::move(text));
  }
  return shown;
}

Json merge_results(std::span<const NamedDocument> documents) {
  Json results;
  std::vector<const Json*> sensitivity;
  std::vector<const Json*> activations;
  std::vector<NamedDocument> attributions;
  for (const NamedDocument& document : documents) {
    const Json& json = *document.json;
    if (!json.is_object()) refuse(document.name, "is no JSON object");
    if (is_trade_off(json)) {
      check_trade_off(document);
      if (results.is_null()) {
        results = json;
      } else {
        add_models(results, json.at("models"));
        add_notes(results, json.value("notes", Json()));
        for (const Json& report : json.value("sensitivity", Json::array())) {
          add_report(results, "sensitivity", report);
        }
      }
    } else if (json.contains("all_int8") && json.contains("parts")) {
      sensitivity.push_back(&json);
    } else if (json.value("calibration", Json()).is_object()) {
      activations.push_back(&json.at("calibration"));
    } else if (has_attribution(json)) {
      attributions.push_back(document);
    } else {
      refuse(document.name,
             "is no results.json of tradeoff, no report of sensitivity, quantize --calib or "
             "compare --attribute");
    }
  }
  if (results.is_null()) {
    results = {
        {"schema_version", kSchemaVersion}, {"kind", "trade_off"}, {"models", Json::array()}};
  }
  if (results.at("models").size() > kMaxModels) {
    throw Error(ErrorCode::resource, "more than " + std::to_string(kMaxModels) +
                                         " models are no choice; leave some out");
  }
  for (const Json* report : sensitivity) add_report(results, "sensitivity", *report);
  for (const Json* report : activations) add_report(results, "activations", *report);
  for (const NamedDocument& document : attributions) add_attribution(results, document);
  derive(results);
  return results;
}

void derive(Json& results) {
  mark_front(results, "size", size_of);
  mark_front(results, "latency", time_of);
  mark_front(results, "energy", energy_of);
  results.erase("picks");
  const std::optional<std::size_t> reference = find_reference(results);
  if (!reference) return;
  const Node root(results);
  const std::optional<double> score = root["models"][*reference]["score"]["value"].number();
  const std::optional<double> bytes = root["models"][*reference]["bytes"].number();
  for (std::size_t index = 0; index < results["models"].size(); ++index) {
    const std::optional<double> own = root["models"][index]["bytes"].number();
    if (bytes && own && *own > 0) results["models"][index]["smaller_times"] = *bytes / *own;
  }
  if (!score) return;
  const double unit = Node(results)["metric"]["unit"].text() == "%" ? 1.0 : 0.01;
  const double least = *score - kNearPoints * unit;
  results["picks"] = {{"max_drop_points", kNearPoints},
                      {"smallest", least_near(results, least, size_of)},
                      {"fastest", least_near(results, least, time_of)},
                      {"least_energy", least_near(results, least, energy_of)}};
}

void leave_out_texts(Json& results) {
  const auto erase_in = [](Json& texts, std::initializer_list<const char*> keys) {
    if (!texts.is_array()) return;
    for (Json& text : texts) {
      for (const char* key : keys) {
        if (text.is_object()) text.erase(key);
      }
    }
  };
  for (Json& model : results["models"]) {
    // A word of tags is a part of its sentence, and words with their scores spell it out.
    if (model.contains("flips")) erase_in(model["flips"], {"text", "word"});
    if (!model.contains("attribution") || !model["attribution"].is_object()) continue;
    Json& reasons = model["attribution"];
    if (reasons.contains("texts")) erase_in(reasons["texts"], {"text", "pair", "words"});
  }
}

}  // namespace espalier::report
