// espalier tradeoff: small models of one checkpoint side by side, in size, time, score and energy,
// for a person who has to choose. Resumable: what is made and scored is kept in OUT.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.hpp"
#include "base/file_bytes.hpp"
#include "checkpoint_sensitivity.hpp"
#include "commands.hpp"
#include "compress/export/provenance.hpp"
#include "compress/export/stamp.hpp"
#include "compress/recipe/presets.hpp"
#include "compress_examiner.hpp"
#include "compress_report.hpp"
#include "handoff.hpp"
#include "input_lines.hpp"
#include "interrupt.hpp"
#include "output.hpp"
#include "output_folder.hpp"
#include "report.hpp"
#include "report/results.hpp"
#include "report_files.hpp"
#include "stage_catalogue.hpp"
#include "tradeoff_results.hpp"
#include "tradeoff_scores.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxTexts = 100000;

// As compress would see it: the places of files, what the checkpoint is, the words of its columns.
CompressRequest compress_request(const TradeoffRequest& request) {
  const fs::path out = request.output;
  CompressRequest same;
  same.folder = request.folder;
  same.output = (out / "model.espl").string();
  same.train = request.train;
  same.eval = request.eval;
  same.columns = request.columns;
  same.work = (out / (request.quick ? "work-quick" : "work")).string();
  same.bf16 = request.bf16;
  same.seed = request.seed;
  same.threads = request.threads;
  same.force = request.force;
  return same;
}

CompressPlan plan_of(const TradeoffRequest& request, const recipe::Catalogue& catalogue) {
  const recipe::Preset& light = recipe::preset("light");
  CompressPlan plan =
      make_plan(compress_request(request),
                recipe::parse_recipe(std::string(light.name), std::string(light.text), catalogue));
  plan.around.eval.clear();  // what is scored by these rows must not have been chosen by them
  return plan;
}

void check_request(const TradeoffRequest& request) {
  if (!request.quick && request.train.empty()) {
    throw Error(ErrorCode::usage,
                "pruned and smaller models learn from labelled rows: name them with --train, or "
                "leave such models out with --quick");
  }
  if (request.quick && !request.train.empty()) {
    throw Error(ErrorCode::usage, "--quick learns nothing; leave --train or --quick away");
  }
  if (request.quick && request.bf16) {
    throw Error(ErrorCode::usage, "--quick learns nothing; leave --bf16 or --quick away");
  }
}

// A folder of an earlier run, an empty one or a new one.
void prepare_output(const TradeoffRequest& request) {
  const fs::path out = request.output;
  const bool goes_on =
      fs::exists(out / "work" / "run.json") || fs::exists(out / "work-quick" / "run.json");
  if (!goes_on) check_output_folder(out, {request.folder}, request.force);
  make_folder(out);
}

recipe::Fingerprint fingerprint_of(const CompressPlan& plan) {
  recipe::Fingerprint print = {{"version", std::string(version())},
                               {"--bf16", plan.request.bf16 ? "yes" : ""},
                               {"--seed", std::to_string(plan.request.seed)},
                               {"--threads", std::to_string(plan.n_threads)}};
  for (const fs::path& file : plan.checkpoint_files) {
    print.emplace_back("DIR/" + file.filename().string(), compress::file_hash(file));
  }
  if (!plan.request.train.empty()) {
    print.emplace_back("--train", compress::file_hash(plan.request.train));
  }
  std::string columns;
  for (const std::string& word : plan.around.columns) columns += word + " ";
  print.emplace_back("columns", columns);
  return print;
}

std::string checksum_of(const fs::path& model) {
  return hex(Model::open(model.string()).info().checksum);
}

// What the rows are and how they are looked at: what was found in them is kept under it.
std::string rows_key(const TradeoffRequest& request) {
  std::string key = compress::file_hash(request.eval) + "-" + std::to_string(request.explain);
  for (const std::string& column : request.columns.slice_columns) {
    key += "-" + compress::text_hash(column);
  }
  return key;
}

// What int8 costs the checkpoint part by part; empty where nobody asked.
Json find_sensitivity(const TradeoffRequest& request, const CompressPlan& plan,
                      const recipe::Workspace& workspace) {
  if (request.explain == 0) return Json::object();
  const std::string kept = "sensitivity-" + rows_key(request) + ".json";
  if (std::optional<Json> known = workspace.find(kept)) return *known;
  note("measuring what int8 costs part by part");
  Json found = sensitivity_json(checkpoint_sensitivity({.folder = request.folder,
                                                        .data = request.eval,
                                                        .columns = request.columns,
                                                        .limit = request.explain,
                                                        .n_threads = plan.n_threads}));
  workspace.keep(kept, found);
  return found;
}

void score_all(const TradeoffRequest& request, const CompressPlan& plan,
               const recipe::Workspace& workspace, std::vector<TradeoffModel>& models) {
  const std::string rows = rows_key(request);
  const fs::path reference = models.front().built.model;
  for (TradeoffModel& model : models) {
    if (!model.built.is_done()) continue;
    const std::string& name = model.built.candidate.name;
    const std::string kept =
        "candidates/" + name + "-" + checksum_of(model.built.model) + "-" + rows + ".json";
    if (const std::optional<Json> known = workspace.find(kept)) {
      model.scores = *known;
      continue;
    }
    note("scoring " + name);
    const bool is_reference = &model == &models.front();
    model.scores = score_model({.eval = request.eval,
                                .columns = request.columns,
                                .n_explained = request.explain,
                                .n_threads = plan.n_threads},
                               model.built.model, is_reference ? fs::path() : reference);
    workspace.keep(kept, model.scores);
  }
}

// The loss against the reference, for the file's own record and its card.
recipe::Outcome outcome_of(const TradeoffModel& model, const TradeoffModel& reference,
                           std::string_view metric) {
  const Json& difference = model.scores.at("difference");
  recipe::Drop drop;
  drop.metric = metric;
  drop.before = reference.scores.at("score").at("value").get<double>();
  drop.after = model.scores.at("score").at("value").get<double>();
  drop.n_rows = model.scores.at("rows").get<std::size_t>();
  if (difference.contains("low")) {
    drop.confidence = 0.95;
    drop.interval = measure::Interval{-difference.at("high").get<double>(),
                                      -difference.at("low").get<double>()};
  }
  recipe::Outcome outcome{.name = model.built.candidate.name};
  outcome.n_bytes = fs::file_size(model.built.model);
  outcome.deciding = std::move(drop);
  outcome.model = model.built.model;
  return outcome;
}

// The model file with all that is known of its origin, and its card beside it.
void write_model(const CompressPlan& plan, const recipe::Catalogue& catalogue,
                 const TradeoffModel& reference, std::string_view metric, TradeoffModel& model) {
  const fs::path out = fs::path(plan.request.output).parent_path();
  const std::string& name = model.built.candidate.name;
  model.file = (out / (name + ".espl")).string();
  if (model.built.stages.empty()) {
    AtomicFile file(model.file, Overwrite::replace);
    file.write(FileBytes::open(model.built.model).bytes());
    file.commit();
    return;
  }
  const recipe::Outcome outcome = outcome_of(model, reference, metric);
  CompressRequest request = plan.request;
  request.output = model.file;
  const std::vector<recipe::DataFile> data = data_files(request);
  compress::write_stamped(model.built.model, model.file,
                          recipe::origin_stamp({.recipe = model.built.candidate.recipe,
                                                .kinds = catalogue,
                                                .stages = model.built.stages,
                                                .outcome = outcome,
                                                .data = data,
                                                .seed = request.seed}),
                          Overwrite::replace);
  AtomicFile card(out / (name + ".md"), Overwrite::replace);
  card.write(card_of(request, model.built.candidate.recipe, model.built.stages, &outcome));
  card.commit();
}

std::vector<std::string> read_texts(const std::string& path) {
  InputLines lines(path);
  std::vector<std::string> texts;
  for (std::string line; texts.size() < kMaxTexts && lines.next(line);) {
    if (!line.empty()) texts.push_back(line);
  }
  return texts;
}

void time_all(const TradeoffRequest& request, const CompressPlan& plan, TradeoffFound& found) {
  std::vector<Model> opened;
  std::vector<TradeoffModel*> timed;
  for (TradeoffModel& model : found.models) {
    if (model.file.empty()) continue;
    opened.push_back(Model::open(model.file));
    timed.push_back(&model);
  }
  const std::vector<std::string> lines =
      request.texts.empty() ? std::vector<std::string>() : read_texts(request.texts);
  std::vector<Text> texts;
  for (const std::string& line : lines) texts.push_back({.first = line});
  found.workload = request.texts.empty() ? drawn_workload(opened) : text_workload(opened, texts);
  note("timing " + std::to_string(opened.size()) +
       " models in turns: " + found.workload.description);
  std::vector<Session> sessions;
  for (const Model& model : opened)
    sessions.emplace_back(model, SessionOptions{.n_threads = plan.n_threads});
  std::vector<Session*> all;
  for (Session& session : sessions) all.push_back(&session);
  const TurnTimes times =
      time_in_turns(all, found.workload, {.n_rounds = request.rounds, .takes_energy = true});
  found.control = times.control;
  for (std::size_t model = 0; model < timed.size(); ++model) {
    timed[model]->timing = times.models[model];
  }
}

Json merged(const TradeoffRequest& request, const TradeoffFound& found) {
  const Json own = tradeoff_json(found);
  std::vector<Json> others;
  for (const std::string& path : request.with) others.push_back(read_json_file(path));
  std::vector<report::NamedDocument> documents = {{"results of this run", &own}};
  for (std::size_t index = 0; index < others.size(); ++index) {
    documents.push_back({base_name(request.with[index]), &others[index]});
  }
  Json results = report::merge_results(documents);
  if (request.no_texts) report::leave_out_texts(results);
  return results;
}

void run(const TradeoffRequest& request) {
  if (request.quiet) silence_notes();
  check_request(request);
  const recipe::Catalogue catalogue = stage_catalogue();
  const CompressPlan plan = plan_of(request, catalogue);
  const TradeoffMetric metric = tradeoff_metric(plan.task);
  TradeoffFound found{.request = &request,
                      .plan = &plan,
                      .models = {},
                      .sensitivity = {},
                      .workload = {},
                      .control = {},
                      .cost = {}};
  found.cost = {.grid = measure::grid_from_text(request.grid), .pue = request.pue};
  (void)count_rows(request.eval, request.columns, plan.task == Task::tag);  // before the work
  prepare_output(request);
  const recipe::Workspace workspace(plan.work, fingerprint_of(plan), request.force);
  if (workspace.goes_on()) note("going on with what '" + plan.work.string() + "' holds");
  recipe::ChildRunner runner(own_program(), pending_signal, notes_are_silenced(),
                             recipe::ChildRunner::Messages::kept);
  recipe::Pipeline pipeline(catalogue, workspace, runner, plan.around, request.folder);
  std::vector<TradeoffCandidate> candidates = tradeoff_candidates(request.quick, catalogue);
  if (request.bf16) {
    for (TradeoffCandidate& candidate : candidates) recipe::learn_in_bf16(candidate.recipe);
  }
  for (BuiltCandidate& built : build_candidates(candidates, pipeline)) {
    std::vector<std::string> commands = commands_of(built.candidate, plan, catalogue);
    found.models.push_back(
        {.built = std::move(built), .commands = std::move(commands), .file = {}});
  }
  score_all(request, plan, workspace, found.models);
  found.sensitivity = find_sensitivity(request, plan, workspace);
  for (TradeoffModel& model : found.models) {
    if (model.built.is_done()) {
      write_model(plan, catalogue, found.models.front(), metric.key, model);
    }
  }
  time_all(request, plan, found);
  const Json results = merged(request, found);
  const fs::path out = request.output;
  write_report(results, ReportKind::json, (out / kResultsFile).string());
  write_report(results, ReportKind::html, (out / "report.html").string());
  note("written: " + (out / "report.html").string() + ", " + (out / kResultsFile).string());
  if (request.format == "json") return print_json(results);
  write_out(report::results_text(results, measure::table_format_from_name(request.format)));
}

}  // namespace

Command tradeoff_command() {
  return make_command<TradeoffRequest>(
      {.name = "tradeoff",
       .summary = "make small models of a checkpoint and set them side by side, to choose from",
       .examples = "espalier tradeoff ./my-model --eval dev.tsv --quick -o out/\n"
                   "espalier tradeoff ./my-model --train train.tsv --eval dev.tsv -o out/",
       .details =
           "Makes fp32, int8, int4, pruned, balanced, small and tiny, times all of them in turns,\n"
           "scores them against fp32 and writes OUT/NAME.espl, results.json and report.html. A\n"
           "model that cannot be made is listed with its reason. The same command goes on where\n"
           "one was stopped."},
      run);
}

}  // namespace espalier::tools
