// espalier evaluate: the scores of a model on a data set, and its distance to another model.
#include <nlohmann/json.hpp>

#include "base/atomic_file.hpp"
#include "column_request.hpp"
#include "commands.hpp"
#include "evaluation.hpp"
#include "export_model.hpp"
#include "json_text.hpp"
#include "names.hpp"
#include "output.hpp"
#include "report.hpp"
#include "row_slices.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

struct EvaluateOptions {
  std::string model;
  std::string data;
  ColumnRequest columns;
  std::string compare;
  std::string predictions;
  bool force = false;
  std::uint32_t max_length = 0;
  std::uint32_t threads = 0;
  std::string backend = "auto";
  std::string format = "table";
  bool quiet = false;
};

template <typename Visitor>
void visit(EvaluateOptions& options, Visitor&& visitor) {
  visitor({.name = "MODEL", .help = "model file (.espl), or checkpoint folder", .required = true},
          options.model);
  visitor({.name = "--data", .help = "labelled rows, .gz too", .value = "FILE", .required = true},
          options.data);
  visit_columns(options.columns, visitor);
  visit_slices(options.columns, visitor);
  visitor(
      {.name = "--compare", .help = "model or folder to measure the distance to", .value = "OTHER"},
      options.compare);
  visitor(
      {.name = "--predictions", .help = "write the answers, a line of JSON a row", .value = "OUT"},
      options.predictions);
  visitor({.name = "--force", .help = "replace OUT if it exists"}, options.force);
  visitor({.name = "--max-length",
           .help = "longest input in tokens; without it the model's own",
           .min = 3},
          options.max_length);
  visit_threads(options.threads, visitor);
  visitor({.name = "--backend", .help = "what computes", .choices = "auto|cpu|reference"},
          options.backend);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, options.format);
  visit_quiet(options.quiet, visitor);
}

Contestant open(const EvaluateOptions& options, const std::string& path) {
  Model model = open_model_or_checkpoint(path).model;
  Session session(
      model,
      {.n_threads = options.threads, .backend = options.backend, .max_length = options.max_length});
  return {base_name(path), std::move(model), std::move(session)};
}

std::unique_ptr<data::Reader> open_data(const EvaluateOptions& options, Task task) {
  // Without labels there is still a distance to measure, or answers to write.
  const bool need_label = options.compare.empty() && options.predictions.empty();
  std::unique_ptr<data::Reader> reader =
      data::Reader::open(options.data, options.columns.format(),
                         options.columns.columns(task == Task::tag, need_label));
  if (need_label) check_scorable(task, *reader);
  return reader;
}

std::string shown(const Json& value) {
  if (value.is_number_float()) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.6g", value.get<double>());
    return digits;
  }
  if (value.is_string()) return one_line(value.get<std::string>(), 80);
  if (value.is_array()) return shown(value[0]) + " to " + shown(value[1]);
  return value.dump();
}

// Keys of objects within are joined by a point: entities.PER.f1.
void add_lines(const Json& object, const std::string& prefix,
               std::vector<std::pair<std::string, std::string>>& lines) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + one_line(key, 40);
    if (value.is_array() && (value.empty() || value[0].is_object())) continue;  // no one line
    if (value.is_object()) {
      add_lines(value, name + ".", lines);
    } else {
      lines.emplace_back(name, shown(value));
    }
  }
}

void print(const EvaluateOptions& options, const Contestants& contestants, const Json& result) {
  Json report = {{"model", contestants.model.name},
                 {"precision", name_of(contestants.model.model.info().precision)},
                 {"data", base_name(options.data)}};
  report.update(result);
  report.erase("flip_texts");  // compare shows them; --predictions has every answer
  if (options.format == "json") return print_json(report);
  report.erase("slice_score");  // heads its table
  std::vector<std::pair<std::string, std::string>> lines;
  add_lines(report, "", lines);
  write_out(key_value_text(lines));
  if (const std::string slices = slice_table(result); !slices.empty()) write_out("\n" + slices);
}

void run(const EvaluateOptions& options) {
  if (options.quiet) silence_notes();
  Contestants contestants{open(options, options.model), nullptr};
  if (!options.compare.empty()) {
    contestants.other = std::make_unique<Contestant>(open(options, options.compare));
  }
  const Task task = contestants.model.model.info().task;
  const std::unique_ptr<data::Reader> reader = open_data(options, task);
  const std::unique_ptr<Evaluation> evaluation = make_evaluation(contestants, *reader);
  std::optional<AtomicFile> predictions;
  if (!options.predictions.empty()) {
    predictions.emplace(options.predictions,
                        options.force ? Overwrite::replace : Overwrite::refuse);
  }
  note(first_line(contestants.model.model, contestants.model.session));
  answer_rows(*reader, *evaluation, predictions ? &*predictions : nullptr);
  const Json result = evaluation->result();
  if (predictions) predictions->commit();
  print(options, contestants, result);
  if (const std::size_t n_truncated = result.at("truncated").get<std::size_t>()) {
    note(std::to_string(n_truncated) + " of " + result.at("n").dump() +
         " rows were longer than the limit and cut");
  }
}

}  // namespace

Command evaluate_command() {
  return make_command<EvaluateOptions>(
      {.name = "evaluate",
       .summary =
           "score a model on a data set (TSV, CSV, JSONL, CoNLL), or compare it with another",
       .examples = "espalier evaluate sentiment.espl --data dev.tsv\n"
                   "espalier evaluate int8.espl --data dev.tsv --compare fp32.espl --format json\n"
                   "espalier evaluate ner.espl --data eng.testb --predictions answers.jsonl",
       .details =
           "Accuracies and F1 are percentages. Labels are names or numbers. kl is of OTHER's\n"
           "answers to this model's, mean of the rows; flips are rows (words) that differ. Every "
           "label\n"
           "(entity type) and slice has its score; with --compare OTHER's is the one before, and "
           "the\n"
           "worst loss comes first."},
      run);
}

}  // namespace espalier::tools
