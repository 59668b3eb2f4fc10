#include "compress_examiner.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "cli.hpp"
#include "evaluation.hpp"
#include "interrupt.hpp"
#include "report.hpp"
#include "turn_timing.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kChunkRows = 64;
constexpr std::size_t kTimedRows = 32;  // as many calls a round, so that lengths are the data's
constexpr std::size_t kRounds = 11;

std::unique_ptr<data::Reader> open_rows(const std::string& file, const ColumnRequest& columns,
                                        bool words) {
  return data::Reader::open(file, columns.format(), columns.columns(words, /*need_label=*/true));
}

std::vector<data::Row> next_rows(data::Reader& reader, std::size_t n_rows) {
  std::vector<data::Row> rows;
  for (data::Row row; rows.size() < n_rows && reader.next(row);) rows.push_back(std::move(row));
  return rows;
}

// The score that a task is usually known by.
struct Metric {
  std::string_view name;
  double percent = 1;  // what one point of evaluate's figure is in percent
};

Metric metric_of(Task task) {
  switch (task) {
    case Task::classify:
      return {"accuracy"};
    case Task::multi_label:
      return {"f1"};
    case Task::tag:
      return {"entity_f1"};
    case Task::regress:
    case Task::embed:
      return {"spearman", 100};
    case Task::fill_mask:
      break;
  }
  throw Error(ErrorCode::usage, "a fill_mask model has no score to hold a budget against");
}

double score_of(const Json& result, std::string_view metric) {
  if (result.contains(metric) && result[metric].is_number()) return result[metric].get<double>();
  throw Error(ErrorCode::bad_input, "the rows that judge give no " + std::string(metric) +
                                        "; do they have a label? --label-column names it");
}

// Rows with one label each, by slice: which answers are right.
using RightBySlice = std::map<std::string, std::vector<std::uint8_t>>;

// Which answers are right, of the lines that an evaluation writes about `rows`, one each.
void add_right(const std::string& lines, std::span<const data::Row> rows,
               const std::vector<std::string>& columns, recipe::Judged& judged,
               RightBySlice& slices) {
  const std::vector<std::string_view> answers = split(lines, '\n');
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Json answer = Json::parse(answers[row]);
    const std::uint8_t right = answer.at("predicted") == answer.at("label") ? 1 : 0;
    judged.right.push_back(right);
    slices["label=" + answer["label"].get<std::string>()].push_back(right);
    for (std::size_t column = 0; column < columns.size(); ++column) {
      slices[columns[column] + "=" + rows[row].slices[column]].push_back(right);
    }
  }
}

void add_slices(const RightBySlice& slices, recipe::Judged& judged) {
  for (const auto& [name, right] : slices) {
    const auto n_right = std::count(right.begin(), right.end(), std::uint8_t{1});
    judged.slices.push_back(
        {.metric = judged.metric,
         .score = 100.0 * static_cast<double>(n_right) / static_cast<double>(right.size()),
         .n_rows = right.size(),
         .right = right,
         .slice = name});
  }
}

// Of tasks whose slices have an F1, from what an evaluation says of them.
void add_slices(const Json& result, recipe::Judged& judged) {
  for (const Json& slice : result.value("slices", Json::array())) {
    judged.slices.push_back(
        {.metric = result["slice_score"].get<std::string>(),
         .score = slice["score"].get<double>(),
         .n_rows = slice["n"].get<std::size_t>(),
         .right = {},
         .slice = slice["group"].get<std::string>() + "=" + slice["value"].get<std::string>()});
  }
}

}  // namespace

std::size_t count_rows(const std::string& file, const ColumnRequest& columns, bool words) {
  const std::unique_ptr<data::Reader> reader = open_rows(file, columns, words);
  std::size_t n_rows = 0;
  for (data::Row row; reader->next(row);) ++n_rows;
  return n_rows;
}

recipe::Judged ModelExaminer::judge(const std::filesystem::path& path, recipe::Rows rows) {
  const Model model = Model::open(path.string());
  const Task task = model.info().task;
  Contestants contestants{
      .model = {base_name(path.string()), model, Session(model, {.n_threads = input_.n_threads})},
      .other = nullptr};
  const bool chooses = rows == recipe::Rows::choosing;
  const std::unique_ptr<data::Reader> reader =
      open_rows(chooses ? input_.choosing : input_.deciding, input_.columns, task == Task::tag);
  const std::unique_ptr<Evaluation> evaluation = make_evaluation(contestants, *reader);
  recipe::Judged judged;
  RightBySlice right_by_slice;
  for (;;) {
    throw_if_interrupted();
    const std::vector<data::Row> chunk = next_rows(*reader, kChunkRows);
    if (chunk.empty()) break;
    std::string lines;
    evaluation->add(chunk, &lines);
    if (task == Task::classify) {
      add_right(lines, chunk, input_.columns.slice_columns, judged, right_by_slice);
    }
    judged.n_rows += chunk.size();
  }
  if (judged.n_rows == 0) throw Error(ErrorCode::bad_input, "there are no rows to judge by");
  const Metric metric = metric_of(task);
  judged.metric = metric.name;
  const Json result = evaluation->result();
  judged.score = score_of(result, metric.name) * metric.percent;
  if (!input_.by_slice) return judged;
  if (task == Task::classify) {
    add_slices(right_by_slice, judged);
  } else {
    add_slices(result, judged);
  }
  return judged;
}

recipe::Speed ModelExaminer::speed(const std::filesystem::path& reference,
                                   const std::filesystem::path& path) {
  const Model dense = Model::open(reference.string());
  const Model small = Model::open(path.string());
  const Task task = dense.info().task;
  const std::unique_ptr<data::Reader> reader =
      open_rows(input_.timed, input_.columns, task == Task::tag);
  std::vector<data::Row> rows = next_rows(*reader, kTimedRows);
  for (data::Row& row : rows) {
    if (task == Task::embed) row.pair.reset();  // texts of a pair are embedded each by itself
  }
  Session dense_session(dense, {.n_threads = input_.n_threads});
  Session small_session(small, {.n_threads = input_.n_threads});
  const std::array models = {dense, small};
  const std::array sessions = {&dense_session, &small_session};
  const TurnWorkload workload = text_workload(models, texts_of(rows), {.n_together = 1});
  const Speedup found = time_in_turns(sessions, workload, {.n_rounds = kRounds}).models[1].speedup;
  return {.speedup = found.times, .p10 = found.p10, .p90 = found.p90};
}

}  // namespace espalier::tools
