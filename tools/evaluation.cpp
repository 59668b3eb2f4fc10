#include "evaluation.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "interrupt.hpp"
#include "measure/metrics.hpp"
#include "output.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

// Rows are answered some at a time: memory stays bounded and Ctrl-C is heard within a moment.
constexpr std::size_t kChunkRows = 64;
constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

}  // namespace

std::string difference_in_question(const Contestants& contestants) {
  if (!contestants.other) return {};
  const ModelInfo& model = contestants.model.model.info();
  const ModelInfo& other = contestants.other->model.info();
  const std::string pair =
      "'" + contestants.model.name + "' and '" + contestants.other->name + "' cannot be compared: ";
  if (model.task != other.task) {
    return pair + "one is a " + std::string(name_of(model.task)) + " model, the other " +
           std::string(name_of(other.task));
  }
  if (model.labels != other.labels) return pair + "their labels differ (espalier inspect)";
  return {};
}

std::unique_ptr<Evaluation> make_evaluation(Contestants& contestants, const data::Reader& reader) {
  const std::string difference = difference_in_question(contestants);
  if (!difference.empty()) throw Error(ErrorCode::bad_input, difference);
  switch (contestants.model.model.info().task) {
    case Task::classify:
      return evaluate_classes(contestants, reader);
    case Task::multi_label:
      return evaluate_multi_label(contestants, reader);
    case Task::regress:
      return evaluate_regression(contestants, reader);
    case Task::embed:
      return evaluate_embeddings(contestants, reader);
    case Task::tag:
      return evaluate_tags(contestants, reader);
    case Task::fill_mask:
      break;
  }
  throw Error(ErrorCode::usage, "'" + contestants.model.name +
                                    "' fills in masked words, for which there is no score here; "
                                    "evaluate a model fine-tuned for a task");
}

void check_scorable(Task task, const data::Reader& reader) {
  if (task != Task::embed || reader.columns().pair) return;
  throw Error(ErrorCode::usage,
              "an embedding model is scored on pairs: name the second text with --pair-column, "
              "or give another model with --compare");
}

void answer_rows(data::Reader& reader, Evaluation& evaluation, AtomicFile* predictions) {
  Progress progress("rows", 0);
  std::vector<data::Row> rows;
  std::string lines;
  std::size_t n_done = 0;
  for (bool more = true; more;) {
    rows.clear();
    std::size_t n_bytes = 0;
    while (more && rows.size() < kChunkRows && n_bytes < kChunkBytes) {
      rows.emplace_back();
      more = reader.next(rows.back());
      n_bytes += rows.back().text.size();
      if (!more) rows.pop_back();
    }
    throw_if_interrupted();
    if (rows.empty()) break;
    lines.clear();
    evaluation.add(rows, predictions == nullptr ? nullptr : &lines);
    if (predictions != nullptr) predictions->write(lines);
    n_done += rows.size();
    progress.show(n_done);
  }
  if (n_done == 0) throw Error(ErrorCode::bad_input, "the data has no rows");
}

std::vector<Text> texts_of(std::span<const data::Row> rows) {
  std::vector<Text> texts;
  for (const data::Row& row : rows) {
    texts.push_back({.first = row.text});
    if (row.pair) texts.back().second = *row.pair;
  }
  return texts;
}

void append_line(std::string& lines, const nlohmann::ordered_json& object) {
  lines += object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void FlipList::add(const data::Row& row, Json flip, double change) {
  Json json = {{"line", row.line}, {"text", row.text}};
  if (row.pair) json["pair"] = *row.pair;
  json.update(flip);
  flips_.push_back({change, json.dump(-1, ' ', false, Json::error_handler_t::replace)});
  // Cut now and then, so that any number of rows fits into memory.
  if (flips_.size() < 2 * kMost) return;
  sort(flips_);
  flips_.resize(kMost);
}

void FlipList::sort(std::vector<Flip>& flips) {
  std::stable_sort(flips.begin(), flips.end(),
                   [](const Flip& a, const Flip& b) { return a.change > b.change; });
}

Json FlipList::worst() const {
  std::vector<Flip> flips = flips_;
  sort(flips);
  Json list = Json::array();
  for (std::size_t index = 0; index < std::min(flips.size(), kMost); ++index) {
    list.push_back(Json::parse(flips[index].json));
  }
  return list;
}

Json calibration_json(const measure::ScoreCalibration& calibration) {
  Json bins = Json::array();
  for (const measure::ReliabilityBin& bin : calibration.bins) {
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"n", bin.n},
                    {"mean_score", bin.mean_score},
                    {"share", bin.share}});
  }
  return {{"ece_percent", calibration.ece_percent},
          {"brier", calibration.brier},
          {"reliability", bins}};
}

void LogitDistance::add(std::span<const float> reference, std::span<const float> candidate,
                        std::size_t width) {
  if (reference.empty() && candidate.empty()) return;
  const measure::LogitPair pair{reference, candidate, width};
  const std::size_t n_rows = reference.size() / width;
  kl_sum_ += measure::mean_kl(pair) * static_cast<double>(n_rows);
  max_difference_ = std::max(max_difference_, measure::max_abs_difference(pair));
  n_flips_ += measure::count_flips(pair);
  n_rows_ += n_rows;
}

}  // namespace espalier::tools
