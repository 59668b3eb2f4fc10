// espalier compare: two models side by side, in size, in time and in answers.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/model_impl.hpp"
#include "attribution.hpp"
#include "column_request.hpp"
#include "commands.hpp"
#include "compare_attribution.hpp"
#include "compare_report.hpp"
#include "evaluation.hpp"
#include "export_model.hpp"
#include "output.hpp"
#include "report.hpp"
#include "tensor_differences.hpp"
#include "turn_timing.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

// Two calls: a round ends within a second or two even where one thread computes in fp32.
constexpr std::size_t kTimedRows = 64;
constexpr std::uint32_t kUsualTokens = 32;

struct CompareOptions {
  std::string a;
  std::string b;
  std::string data;
  ColumnRequest columns;
  std::uint32_t flips = 10;
  bool attribute = false;
  std::uint32_t attribute_texts = 100;
  std::uint32_t tokens = 0;
  std::uint32_t rounds = 20;
  std::uint32_t threads = 0;
  std::string backend = "auto";
  std::string format = "table";
  bool quiet = false;
};

template <typename Visitor>
void visit(CompareOptions& options, Visitor&& visitor) {
  visitor({.name = "A", .help = "model file (.espl), or checkpoint folder", .required = true},
          options.a);
  visitor({.name = "B", .help = "the same; its figures are set against A's", .required = true},
          options.b);
  visitor({.name = "--data", .help = "rows to answer and to time, .gz too", .value = "FILE"},
          options.data);
  visit_columns(options.columns, visitor);
  visit_slices(options.columns, visitor);
  visitor({.name = "--flips", .help = "answers that differ to show, with their texts", .max = 1000},
          options.flips);
  visitor({.name = "--attribute", .help = "how far the reasons moved: the words that speak for it"},
          options.attribute);
  visitor({.name = "--attribute-texts",
           .help = "texts that this is told of, the first of --data",
           .value = "N",
           .min = 1,
           .max = 1000000},
          options.attribute_texts);
  visitor({.name = "--tokens",
           .help = "of a sentence, for multiply-adds; else the data's, or 32",
           .min = 1,
           .max = 65536},
          options.tokens);
  visitor({.name = "-r,--rounds", .help = "rounds that are timed", .min = 1, .max = 100000},
          options.rounds);
  visit_threads(options.threads, visitor);
  visitor({.name = "--backend", .help = "what computes", .choices = "auto|cpu|reference"},
          options.backend);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, options.format);
  visit_quiet(options.quiet, visitor);
}

struct Side {
  OpenedModel opened;
  Contestant contestant;
};

Side open(const CompareOptions& options, const std::string& path) {
  OpenedModel opened = open_model_or_checkpoint(path);
  Session session(opened.model, {.n_threads = options.threads, .backend = options.backend});
  Contestant contestant{base_name(path), opened.model, std::move(session)};
  return {std::move(opened), std::move(contestant)};
}

ComparedModel described(const Side& side) {
  return {.name = side.contestant.name,
          .is_folder = side.opened.is_folder,
          .stored_bytes = side.opened.stored_bytes,
          .spec = &side.opened.model.impl().spec()};
}

std::unique_ptr<data::Reader> open_data(const CompareOptions& options, Task task) {
  return data::Reader::open(
      options.data, options.columns.format(),
      options.columns.columns(/*words=*/task == Task::tag, /*need_label=*/false));
}

TurnWorkload workload_of(const CompareOptions& options, const Model& a, const Model& b) {
  const std::array models = {a, b};
  const bool masks = a.info().task == Task::fill_mask || b.info().task == Task::fill_mask;
  if (options.data.empty() || masks) return drawn_workload(models);
  const std::unique_ptr<data::Reader> reader = open_data(options, a.info().task);
  std::vector<data::Row> rows;
  while (rows.size() < kTimedRows) {
    data::Row row;
    if (!reader->next(row)) break;
    // The texts of a pair are embedded each by itself.
    if (a.info().task == Task::embed) row.pair.reset();
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw Error(ErrorCode::bad_input, "the data has no rows");
  return text_workload(models, texts_of(rows), {.what = "first rows of the data"});
}

std::uint32_t nominal_tokens(const CompareOptions& options, const TurnWorkload& workload) {
  if (options.tokens != 0) return options.tokens;
  if (options.data.empty()) return kUsualTokens;
  const std::size_t n_tokens = workload.n_tokens(0);
  return static_cast<std::uint32_t>((n_tokens + workload.n_sentences / 2) / workload.n_sentences);
}

// What Evaluation::result() says of one model alone; counts are no scores.
Json scores_in(const Json& result) {
  Json scores = Json::object();
  for (const auto& [name, value] : result.items()) {
    const bool is_count = name == "n" || name == "words" || name == "truncated";
    if (value.is_number() && !is_count) scores[name] = value;
  }
  return scores;
}

// Both answer the same question: scores, and how far the answers of B are from those of A.
void score_together(const CompareOptions& options, Contestants& contestants,
                    Comparison& comparison) {
  const std::unique_ptr<data::Reader> reader =
      open_data(options, contestants.model.model.info().task);
  const std::unique_ptr<Evaluation> evaluation = make_evaluation(contestants, *reader);
  answer_rows(*reader, *evaluation, nullptr);
  const Json result = evaluation->result();
  if (const std::size_t n_truncated = result.at("truncated").get<std::size_t>()) {
    comparison.notes.push_back(std::to_string(n_truncated) + " of " + result.at("n").dump() +
                               " rows were longer than the limit of B and cut");
  }
  for (const char* name : {"slice_score", "slices"}) {
    if (result.contains(name)) comparison.slices[name] = result[name];
  }
  comparison.flips = result.value("flip_texts", Json::array());
  if (comparison.flips.size() > options.flips) {
    comparison.flips.erase(comparison.flips.begin() + options.flips, comparison.flips.end());
  }
  if (result.contains("reliability")) {
    comparison.reliability = {{"a", result["compare"]["reliability"]},
                              {"b", result["reliability"]}};
  }
  comparison.scores_a = scores_in(result.at("compare"));
  for (const auto& [name, value] : result.items()) {
    if (comparison.scores_a.contains(name)) {
      comparison.scores_b[name] = value;
    } else if (name == "accuracy_difference_95" || (value.is_number() && name != "truncated")) {
      comparison.distances[name] = value;
    }
  }
}

// Nothing to hold against each other but each model's own scores, where it has any.
Json score_alone(const CompareOptions& options, Contestants& contestants,
                 std::vector<std::string>& notes) {
  const Task task = contestants.model.model.info().task;
  try {
    const std::unique_ptr<data::Reader> reader = open_data(options, task);
    const std::unique_ptr<Evaluation> evaluation = make_evaluation(contestants, *reader);
    answer_rows(*reader, *evaluation, nullptr);
    return scores_in(evaluation->result());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_input && error.code() != ErrorCode::usage) throw;
    notes.push_back("'" + contestants.model.name + "' has no scores: " + error.what());
    return Json::object();
  }
}

// Takes the contestants out of their sides, which are timed by then.
void score(const CompareOptions& options, Side& a, Side& b, Comparison& comparison) {
  comparison.data = base_name(options.data);
  Contestants contestants{std::move(b.contestant),
                          std::make_unique<Contestant>(std::move(a.contestant))};
  const ModelInfo& info = contestants.model.model.info();
  const ModelInfo& other = contestants.other->model.info();
  std::string difference = difference_in_question(contestants);
  if (difference.empty() && info.task == Task::embed && info.hidden != other.hidden) {
    difference = "the two models' vectors differ in width";
  }
  if (difference.empty() && info.task != Task::fill_mask) {
    score_together(options, contestants, comparison);
    if (options.attribute) {
      const std::unique_ptr<data::Reader> reader = open_data(options, info.task);
      comparison.attribution = compare_attributions(contestants, *reader, options.attribute_texts);
    }
    return;
  }
  if (options.attribute) {
    throw Error(ErrorCode::usage, "--attribute is about answers to one question: " + difference);
  }
  if (!difference.empty()) comparison.notes.push_back(difference + "; each is scored alone");
  Contestants alone{std::move(*contestants.other), nullptr};
  contestants.other.reset();
  comparison.scores_a = score_alone(options, alone, comparison.notes);
  comparison.scores_b = score_alone(options, contestants, comparison.notes);
}

void check(const CompareOptions& options) {
  if (!options.data.empty()) return;
  if (!options.columns.slice_columns.empty()) {
    throw Error(ErrorCode::usage, "--slice-column scores rows; give them with --data FILE");
  }
  if (options.attribute) {
    throw Error(ErrorCode::usage, "--attribute is about texts; give them with --data FILE");
  }
}

void run(const CompareOptions& options) {
  if (options.quiet) silence_notes();
  check(options);
  Side a = open(options, options.a);
  Side b = open(options, options.b);
  if (options.attribute) check_attributable(a.opened.model.info());
  Comparison comparison{.a = described(a), .b = described(b)};
  comparison.tensors = tensor_differences(*comparison.a.spec, *comparison.b.spec);
  comparison.workload = workload_of(options, a.opened.model, b.opened.model);
  comparison.n_tokens = nominal_tokens(options, comparison.workload);
  comparison.n_threads = a.contestant.session.n_threads();
  comparison.backend = a.contestant.session.backend();
  const std::array sessions = {&a.contestant.session, &b.contestant.session};
  comparison.times = time_in_turns(sessions, comparison.workload, {.n_rounds = options.rounds});
  if (!comparison.workload.same_ids()) {
    comparison.notes.emplace_back(
        "the two models cut the texts into different pieces: their times are for " +
        std::to_string(comparison.workload.n_tokens(0)) + " and " +
        std::to_string(comparison.workload.n_tokens(1)) + " tokens");
  }
  if (!options.data.empty()) score(options, a, b, comparison);
  note("timed: " + comparison.workload.description + ", " + std::to_string(options.rounds) +
       " rounds in turns, " + std::to_string(comparison.n_threads) + " threads, back end " +
       comparison.backend);
  for (const std::string& line : comparison.notes) note("note: " + line);
  if (options.format == "json") {
    print_json(comparison_json(comparison));
  } else {
    write_out(comparison_table(comparison));
  }
}

}  // namespace

Command compare_command() {
  return make_command<CompareOptions>(
      {.name = "compare",
       .summary = "set two models side by side: size, shape, time, scores",
       .examples = "espalier compare dense.espl pruned.espl --data dev.tsv -t 2\n"
                   "espalier compare ./teacher ./student --format json",
       .details =
           "Both are timed in turns; the speed-up is the median of the rounds, with its 10th\n"
           "and 90th percentiles. Multiply-adds are the encoder's, every layer for every token.\n"
           "With --data A is the one before and B after; of slices the worst loss comes first."},
      run);
}

}  // namespace espalier::tools
