#include "tradeoff_scores.hpp"

#include <nlohmann/json.hpp>

#include "attribution.hpp"
#include "cli.hpp"
#include "compare_attribution.hpp"
#include "data/reader.hpp"
#include "evaluation.hpp"
#include "interrupt.hpp"
#include "measure/entities.hpp"
#include "measure/svg.hpp"
#include "output.hpp"
#include "report.hpp"
#include "report/results.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kChunkRows = 64;
constexpr std::size_t kMostFlips = 50;     // a page of them; evaluate --compare has all
constexpr std::size_t kMostColumns = 300;  // of a text: enough to see what it says
constexpr std::size_t kMostConfused = 30;  // labels of a matrix that a person can read
constexpr std::size_t kMostSlices = 60;

Contestant open(const std::filesystem::path& path, unsigned n_threads) {
  Model model = Model::open(path.string());
  Session session(model, {.n_threads = n_threads});
  return {base_name(path.string()), std::move(model), std::move(session)};
}

std::unique_ptr<data::Reader> open_rows(const ScoreRequest& request, Task task) {
  return data::Reader::open(request.eval, request.columns.format(),
                            request.columns.columns(task == Task::tag, /*need_label=*/true));
}

// Counts what an evaluation wrote about rows with one label each.
void add_confusion(const std::string& lines, const std::vector<std::string>& labels,
                   std::vector<std::vector<std::size_t>>& confusion) {
  const auto index_of = [&labels](const Json& name) {
    return static_cast<std::size_t>(
        std::find(labels.begin(), labels.end(), name.get<std::string>()) - labels.begin());
  };
  for (const std::string_view line : split(lines, '\n')) {
    if (line.empty()) continue;
    const Json answer = Json::parse(line);
    const std::size_t gold = index_of(answer.at("label"));
    const std::size_t answered = index_of(answer.at("predicted"));
    if (gold < labels.size() && answered < labels.size()) ++confusion[gold][answered];
  }
}

Json scores_in(const Json& result) {
  Json scores = Json::object();
  for (const auto& [name, value] : result.items()) {
    const bool is_count = name == "n" || name == "words" || name == "truncated" || name == "flips";
    if (value.is_number() && !is_count) scores[name] = value;
  }
  return scores;
}

// Of a tag the type alone: data may open entities otherwise than the model does (IOB1, IOB2).
std::string_view type_of(std::string_view tag) {
  const bool has_place = tag.size() > 2 && tag[1] == '-' && measure::is_entity_tag(tag);
  return has_place ? tag.substr(2) : tag;
}

std::string became(const Json& flip) {
  if (!flip.value("label", Json()).is_string()) return {};
  const bool is_tag = flip.contains("word");
  const auto answer = [&](const char* key) {
    const std::string text = flip.value(key, "");
    return is_tag ? std::string(type_of(text)) : text;
  };
  const bool was_right = answer("before") == answer("label");
  const bool is_right = answer("after") == answer("label");
  if (was_right == is_right) return "other";
  return is_right ? "right" : "wrong";
}

Json flips_in(const Json& result) {
  Json flips = Json::array();
  for (const Json& given : result.value("flip_texts", Json::array())) {
    if (flips.size() == kMostFlips) break;
    Json flip = given;
    std::string text = flip.value("text", "");
    if (flip.contains("pair")) text += " | " + flip.value("pair", "");
    flip.erase("pair");
    flip["text"] = measure::cut_to_columns(text, kMostColumns);
    if (const std::string word = became(flip); !word.empty()) flip["became"] = word;
    flips.push_back(std::move(flip));
  }
  return flips;
}

// The worst ones: they come first.
Json slices_in(const Json& result) {
  Json slices = result.value("slices", Json::array());
  while (slices.size() > kMostSlices) slices.erase(slices.size() - 1);
  return slices;
}

Json score_json(const Json& result, const TradeoffMetric& metric) {
  const std::string key(metric.key);
  if (!result.value(key, Json()).is_number()) {
    throw Error(ErrorCode::bad_input, "the rows of --eval give no " + key +
                                          "; do they have a label? --label-column names it");
  }
  Json score = {{"value", result[key]}};
  const Json interval = result.value(key + "_95", Json());
  if (interval.is_array() && interval.size() == 2) {
    score["low"] = interval[0];
    score["high"] = interval[1];
  }
  return score;
}

Json difference_json(const Json& result, const TradeoffMetric& metric) {
  const std::string key(metric.key);
  const Json before = result["compare"].value(key, Json());
  Json difference = Json::object();
  if (before.is_number()) {
    difference["points"] = result[key].get<double>() - before.get<double>();
  }
  const Json interval = result.value(key + "_difference_95", Json());
  if (interval.is_array() && interval.size() == 2) {
    difference["low"] = interval[0];
    difference["high"] = interval[1];
  }
  const Json flips = result.value("flips", Json());
  if (flips.is_number()) {
    const double n_answers = result.value("words", result["n"]).get<double>();
    difference["flips"] = flips;
    difference["flips_percent"] = 100 * flips.get<double>() / n_answers;
  }
  for (const char* name : {"kl", "max_abs_logit_diff", "mcnemar_p"}) {
    if (result.contains(name)) difference[name] = result[name];
  }
  return difference;
}

}  // namespace

TradeoffMetric tradeoff_metric(Task task) {
  switch (task) {
    case Task::classify:
      return {"accuracy", "accuracy", "%"};
    case Task::multi_label:
      return {"f1", "micro F1", "%"};
    case Task::tag:
      return {"entity_f1", "entity F1", "%"};
    case Task::regress:
    case Task::embed:
      return {"spearman", "Spearman correlation", ""};
    case Task::fill_mask:
      break;
  }
  throw Error(ErrorCode::usage,
              "a fill_mask model has no score to choose by; give a model fine-tuned for a task");
}

Json score_model(const ScoreRequest& request, const std::filesystem::path& path,
                 const std::filesystem::path& reference) {
  Contestants contestants{open(path, request.n_threads), nullptr};
  if (!reference.empty()) {
    contestants.other = std::make_unique<Contestant>(open(reference, request.n_threads));
  }
  const ModelInfo& info = contestants.model.model.info();
  const TradeoffMetric metric = tradeoff_metric(info.task);
  const std::unique_ptr<data::Reader> reader = open_rows(request, info.task);
  const std::unique_ptr<Evaluation> evaluation = make_evaluation(contestants, *reader);
  const bool has_confusion = info.task == Task::classify && info.labels.size() <= kMostConfused;
  std::vector<std::vector<std::size_t>> confusion(has_confusion ? info.labels.size() : 0,
                                                  std::vector<std::size_t>(info.labels.size()));
  Progress progress("rows", 0);
  std::size_t n_rows = 0;
  for (std::vector<data::Row> rows;;) {
    throw_if_interrupted();
    rows.clear();
    for (data::Row row; rows.size() < kChunkRows && reader->next(row);) rows.push_back(row);
    if (rows.empty()) break;
    std::string lines;
    evaluation->add(rows, has_confusion ? &lines : nullptr);
    if (has_confusion) add_confusion(lines, info.labels, confusion);
    progress.show(n_rows += rows.size());
  }
  if (n_rows == 0) throw Error(ErrorCode::bad_input, "--eval has no rows to score by");
  const Json result = evaluation->result();
  Json found = {
      {"rows", n_rows}, {"score", score_json(result, metric)}, {"scores", scores_in(result)}};
  if (result.contains("ece_percent")) {
    found["score_calibration"] = {{"ece_percent", result["ece_percent"]},
                                  {"brier", result.value("brier", Json())},
                                  {"bins", result.value("reliability", Json::array())}};
  }
  if (has_confusion) found["confusion"] = confusion;
  if (result.contains("entities")) found["entities"] = result["entities"];
  if (contestants.other) {
    found["difference"] = difference_json(result, metric);
    found["flips"] = flips_in(result);
    found["slices"] = slices_in(result);
  }
  if (contestants.other && request.n_explained > 0 && is_attributable(info.task)) {
    const std::unique_ptr<data::Reader> rows = open_rows(request, info.task);
    found["attribution"] =
        report::attribution_to_show(compare_attributions(contestants, *rows, request.n_explained));
  }
  return found;
}

}  // namespace espalier::tools
