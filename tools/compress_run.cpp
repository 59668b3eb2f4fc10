#include "compress_run.hpp"

#include <algorithm>

#include "base/cpu_info.hpp"
#include "compress/checkpoint/checkpoint.hpp"
#include "compress/export/export.hpp"
#include "compress/export/provenance.hpp"
#include "compress/recipe/split.hpp"
#include "compress_examiner.hpp"
#include "compress_report.hpp"
#include "handoff.hpp"
#include "interrupt.hpp"
#include "output.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

namespace fs = std::filesystem;

recipe::Limits limits_of(const CompressRequest& request) {
  recipe::Limits limits{.max_drop = request.max_drop,
                        .max_slice_drop = request.max_slice_drop,
                        .confidence = request.confidence,
                        .target_speedup = request.target_speedup};
  if (request.target_size) {
    limits.target_bytes = static_cast<std::uint64_t>(*request.target_size * 1e6);
  }
  return limits;
}

bool is_by_slice(const CompressRequest& request) {
  return request.max_slice_drop || !request.columns.slice_columns.empty();
}

// What tells a checkpoint from another one; a folder may hold much else, the results of runs too.
std::vector<fs::path> files_of(const checkpoint::Checkpoint& opened, const fs::path& folder) {
  std::vector<fs::path> files = opened.weight_paths();
  for (const char* name : {"config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json", "added_tokens.json"}) {
    files.push_back(opened.model_folder() / name);
  }
  for (const char* name : {"modules.json", "sentence_bert_config.json", "1_Pooling/config.json"}) {
    files.push_back(folder / name);
  }
  std::erase_if(files, [](const fs::path& file) { return !fs::is_regular_file(file); });
  return files;
}

std::uint64_t size_or_zero(const fs::path& file) {
  std::error_code missing;
  const std::uintmax_t n_bytes = fs::file_size(file, missing);
  return missing ? 0 : n_bytes;
}

std::vector<std::string> column_words(const ColumnRequest& columns) {
  ColumnRequest given = columns;
  ColumnRequest plain;
  std::vector<std::string> words;
  const std::vector<std::string> defaults = {plain.text_column, plain.pair_column,
                                             plain.label_column, "", plain.data_format};
  std::size_t index = 0;
  visit_columns(given, [&](const OptionText& text, auto& field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, bool>) {
      if (field) words.emplace_back(text.name);
    } else if (field != defaults[index]) {
      words.insert(words.end(), {std::string(text.name), field});
    }
    ++index;
  });
  return words;
}

// "dev.tsv.gz" becomes "dev.choosing.tsv" in the folder of the run.
fs::path part_of(const fs::path& work, const fs::path& file, const char* part) {
  const fs::path plain = file.extension() == ".gz" ? file.stem() : file.filename();
  return work / "data" / (plain.stem().string() + "." + part + plain.extension().string());
}

// Which rows choose and which decide. One candidate that must keep a budget is decided on by all
// rows, so training must not choose its epoch by them.
void place_rows(CompressPlan& plan) {
  const CompressRequest& request = plan.request;
  if (request.eval.empty()) return;
  plan.deciding = request.gate.empty() ? request.eval : request.gate;
  if (!request.gate.empty()) plan.choosing = request.eval;
  plan.splits = plan.candidates.size() > 1 && request.gate.empty();
  if (plan.splits) {
    plan.choosing = part_of(plan.work, request.eval, "choosing");
    plan.deciding = part_of(plan.work, request.eval, "deciding");
  }
  plan.around.eval = plan.choosing.string();
  const bool has_budget = request.max_drop || request.max_slice_drop;
  if (plan.choosing.empty() && !has_budget) plan.around.eval = request.eval;
}

// Everything that the outcome depends on.
recipe::Fingerprint fingerprint_of(const CompressPlan& plan, const recipe::Catalogue& catalogue) {
  const CompressRequest& request = plan.request;
  recipe::Fingerprint print = {{"version", std::string(version())},
                               {"recipe", compress::text_hash(plan.recipe.text)},
                               {"--bf16", request.bf16 ? "yes" : ""},
                               {"--seed", std::to_string(request.seed)},
                               {"--threads", std::to_string(plan.n_threads)}};
  for (const fs::path& file : plan.checkpoint_files) {
    print.emplace_back("DIR/" + file.filename().string(), compress::file_hash(file));
  }
  for (const recipe::DataFile& file : data_files(request)) {
    print.emplace_back("--" + file.use, compress::file_hash(file.path));
  }
  std::string columns;
  for (const std::string& word : plan.around.columns) columns += word + " ";
  print.emplace_back("columns", columns);
  const auto add_number = [&print](const char* name, const std::optional<double>& value) {
    print.emplace_back(name, value ? shortest_text(*value) : "");
  };
  add_number("--max-drop", request.max_drop);
  add_number("--max-slice-drop", request.max_slice_drop);
  for (const std::string& column : request.columns.slice_columns) {
    print.emplace_back("--slice-column", column);
  }
  add_number("--confidence", request.confidence);
  add_number("--target-speedup", request.target_speedup);
  add_number("--target-size", request.target_size);
  for (const recipe::Stage& stage : plan.recipe.stages) {
    for (const recipe::Setting& setting : stage.settings) {
      if (!catalogue.find(stage.verb)->find(setting.name)->is_file) continue;
      for (const std::string& value : setting.values) {
        if (fs::is_regular_file(value)) {
          print.emplace_back(stage.verb + " " + setting.name, compress::file_hash(value));
        }
      }
    }
  }
  return print;
}

void split_eval(const CompressPlan& plan, const recipe::Workspace& workspace) {
  const recipe::SplitFiles files{.choosing = plan.choosing, .deciding = plan.deciding};
  if (fs::exists(files.choosing) && fs::exists(files.deciding)) return;
  fs::create_directories(workspace.data_folder());
  const ColumnRequest& columns = plan.request.columns;
  (void)recipe::split_rows(plan.request.eval, columns.format(),
                           columns.columns(plan.task == Task::tag, /*need_label=*/true), files);
}

void say_outcome(const recipe::Outcome& outcome) {
  note(candidate_line(outcome));
}

}  // namespace

std::vector<recipe::DataFile> data_files(const CompressRequest& request) {
  std::vector<recipe::DataFile> files;
  const auto add = [&files](const char* use, const std::string& path) {
    if (!path.empty()) files.push_back({.use = use, .path = path});
  };
  add("train", request.train);
  add("eval", request.eval);
  add("gate", request.gate);
  add("trim-vocab", request.trim_vocab);
  return files;
}

CompressPlan make_plan(const CompressRequest& request, const recipe::Recipe& recipe) {
  const checkpoint::Checkpoint opened = checkpoint::Checkpoint::open(request.folder);
  const bool is_half =
      checkpoint::bits_of(opened.parameters().position_embeddings.stored_as()) == 16;
  CompressPlan plan;
  plan.request = request;
  plan.recipe = recipe;
  plan.limits = limits_of(request);
  plan.start = recipe::shape_of(
      opened.config(), static_cast<double>(size_or_zero(opened.model_folder() / "vocab.txt")),
      is_half ? 2 : 4);
  plan.task = compress::task_of(opened.config());
  plan.checkpoint_files = files_of(opened, request.folder);
  if (request.confidence && plan.task != Task::classify) {
    throw Error(ErrorCode::usage,
                "--confidence needs rows with one label each, to pair answers; task " +
                    std::string(name_of(plan.task)) + " is decided by the observed drop alone");
  }
  if (is_by_slice(request) && (plan.task == Task::regress || plan.task == Task::embed)) {
    throw Error(ErrorCode::usage,
                "--max-slice-drop and --slice-column need a score in percent for some of the rows; "
                "task " +
                    std::string(name_of(plan.task)) + " is judged by a rank among all of them");
  }
  plan.candidates = recipe::make_candidates(recipe, plan.start, plan.limits);
  plan.work = request.work.empty() ? fs::path(request.output + ".work") : fs::path(request.work);
  plan.n_threads = request.threads == 0 ? usable_cpus() : request.threads;
  plan.around = {.train = request.train,
                 .eval = {},
                 .columns = column_words(request.columns),
                 .cache = plan.work / "cache",
                 .n_threads = plan.n_threads,
                 .seed = request.seed};
  place_rows(plan);
  return plan;
}

void run_plan(const CompressPlan& plan, const recipe::Catalogue& catalogue) {
  const CompressRequest& request = plan.request;
  const std::unique_ptr<AtomicFile> card = open_card(request);
  const recipe::Workspace workspace(plan.work, fingerprint_of(plan, catalogue), request.force);
  if (workspace.goes_on()) note("going on with what '" + plan.work.string() + "' holds");
  std::unique_ptr<ModelExaminer> examiner;
  if (!plan.deciding.empty()) {
    if (plan.splits) split_eval(plan, workspace);
    examiner = std::make_unique<ModelExaminer>(ExaminerInput{.choosing = plan.choosing.string(),
                                                             .deciding = plan.deciding.string(),
                                                             .timed = request.eval,
                                                             .columns = request.columns,
                                                             .by_slice = is_by_slice(request),
                                                             .n_threads = plan.n_threads});
    const std::string warning = recipe::too_few_rows(
        count_rows(plan.deciding.string(), request.columns, plan.task == Task::tag), plan.limits);
    if (!warning.empty()) note("warning: " + warning);
  }
  recipe::ChildRunner runner(own_program(), pending_signal, notes_are_silenced());
  recipe::Pipeline pipeline(catalogue, workspace, runner, plan.around, request.folder);
  try {
    const recipe::SearchResult result = recipe::search({.candidates = plan.candidates,
                                                        .limits = plan.limits,
                                                        .is_split = !plan.choosing.empty(),
                                                        .examiner = examiner.get(),
                                                        .choosing = plan.choosing},
                                                       pipeline, workspace, say_outcome);
    if (!result.chosen) fail_over_budget(plan, result);
    finish(plan, catalogue, result, *card);
  } catch (const Error& error) {
    const bool stopped =
        error.code() == ErrorCode::interrupted || error.code() == ErrorCode::terminated;
    if (stopped) note("what is done is kept in '" + plan.work.string() + "'");
    throw;
  }
}

}  // namespace espalier::tools
