#include "evaluation.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "measure/metrics.hpp"

namespace espalier::tools {
namespace {

void check_same_question(const Contestants& contestants) {
  if (!contestants.other) return;
  const ModelInfo& model = contestants.model.model.info();
  const ModelInfo& other = contestants.other->model.info();
  const std::string pair =
      "'" + contestants.model.name + "' and '" + contestants.other->name + "' ";
  if (model.task != other.task) {
    throw Error(ErrorCode::bad_input, pair + "cannot be compared: one is a " +
                                          std::string(name_of(model.task)) + " model, the other " +
                                          std::string(name_of(other.task)));
  }
  if (model.labels != other.labels) {
    throw Error(ErrorCode::bad_input,
                pair + "cannot be compared: their labels differ (espalier inspect)");
  }
}

}  // namespace

std::unique_ptr<Evaluation> make_evaluation(Contestants& contestants, const data::Reader& reader) {
  check_same_question(contestants);
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
