// espalier compress: a checkpoint becomes a small model file by a recipe, under a budget of
// accuracy, size and speed; or, with nothing more to say, an int8 file.
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/cpu_info.hpp"
#include "commands.hpp"
#include "compress/recipe/presets.hpp"
#include "compress_report.hpp"
#include "compress_request.hpp"
#include "compress_run.hpp"
#include "export_model.hpp"
#include "output.hpp"
#include "report.hpp"
#include "stage_catalogue.hpp"

namespace espalier::tools {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_usage(const std::string& message) {
  throw Error(ErrorCode::usage, message);
}

// The command as given, with what is missing: a line to type.
std::string line_with(const CompressRequest& request, const std::vector<std::string>& missing) {
  std::vector<std::string> words = {"compress", request.folder, "-o", request.output};
  const auto add = [&words](const char* name, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {name, value});
  };
  const auto add_number = [&add](const char* name, const std::optional<double>& value) {
    if (value) add(name, shortest_text(*value));
  };
  add("--preset", request.preset);
  add("--recipe", request.recipe);
  add("--train", request.train);
  add("--eval", request.eval);
  add("--gate", request.gate);
  for (const std::string& column : request.columns.slice_columns) add("--slice-column", column);
  add_number("--max-drop", request.max_drop);
  add_number("--max-slice-drop", request.max_slice_drop);
  add_number("--confidence", request.confidence);
  add_number("--target-speedup", request.target_speedup);
  add_number("--target-size", request.target_size);
  words.insert(words.end(), missing.begin(), missing.end());
  return recipe::command_line(words);
}

void check_request(const CompressRequest& request, const recipe::Recipe& recipe) {
  const auto needs_eval = [&](bool given, const std::string& option) {
    if (given && request.eval.empty()) {
      fail_usage(option + " is judged on labelled rows; name them: " +
                 line_with(request, {"--eval", "dev.tsv"}));
    }
  };
  needs_eval(request.max_drop.has_value(), "--max-drop");
  needs_eval(request.max_slice_drop.has_value(), "--max-slice-drop");
  needs_eval(!request.columns.slice_columns.empty(), "--slice-column");
  needs_eval(request.target_speedup.has_value(), "--target-speedup");
  needs_eval(!request.gate.empty(), "--gate");
  if (request.confidence && !request.max_drop && !request.max_slice_drop) {
    fail_usage("--confidence is about a budget; say it: " +
               line_with(request, {"--max-drop", "0.5"}));
  }
  if (recipe.needs_train() && request.train.empty()) {
    const std::vector<std::string> eval = {"--train", "train.tsv", "--eval", "dev.tsv"};
    fail_usage("'" + recipe.name + "' trains; name labelled rows: " +
               line_with(request, {eval.begin(), eval.begin() + (request.eval.empty() ? 4 : 2)}));
  }
  std::error_code ignored;
  if (!request.gate.empty() && fs::equivalent(request.gate, request.eval, ignored)) {
    fail_usage("--gate and --eval are the same file; leave --gate away and a third of it decides");
  }
}

recipe::Recipe recipe_of(const CompressRequest& request, const recipe::Catalogue& catalogue) {
  if (!request.preset.empty() && !request.recipe.empty()) {
    fail_usage("--preset and --recipe are both recipes; give one of them");
  }
  recipe::Recipe recipe;
  if (!request.recipe.empty()) {
    recipe = recipe::read_recipe(request.recipe, catalogue);
  } else {
    const recipe::Preset& preset =
        recipe::preset(request.preset.empty() ? "light" : request.preset);
    recipe = recipe::parse_recipe(std::string(preset.name), std::string(preset.text), catalogue);
  }
  if (!request.trim_vocab.empty()) {
    recipe.stages.insert(recipe.stages.begin(),
                         {.verb = "prune",
                          .settings = {{.name = "method", .values = {"vocab"}},
                                       {.name = "corpus", .values = {request.trim_vocab}}},
                          .line = 0});
  }
  if (request.bf16 && !recipe::learn_in_bf16(recipe)) {
    fail_usage("--bf16 is how stages train, and '" + recipe.name + "' has none that does");
  }
  return recipe;
}

// Nothing to choose, to learn or to compare: what quantize does, and a card.
bool is_plain(const CompressRequest& request, const recipe::Recipe& recipe) {
  return recipe.stages.size() == 1 && recipe.stages[0].settings.empty() && request.eval.empty() &&
         !request.target_size && request.work.empty();
}

void quantize_only(const CompressRequest& request, const recipe::Recipe& recipe) {
  const auto start = std::chrono::steady_clock::now();
  measure::EnergyMeter meter = measure::EnergyMeter::open({.nvml_library = ""});
  meter.start();
  const std::unique_ptr<AtomicFile> card = open_card(request);
  export_model({.folder = request.folder,
                .output = request.output,
                .precision = "int8",
                .threads = request.threads,
                .force = request.force,
                .format = request.format,
                .quiet = request.quiet});
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  const recipe::DoneStage done{.stage = recipe.stages[0],
                               .folder = {},
                               .output = request.output,
                               .record = {{"seconds", time.count()},
                                          {"energy", energy_json(meter.stop().total())},
                                          {"report", nlohmann::ordered_json::object()}}};
  card->write(card_of(request, recipe, {&done, 1}, nullptr));
  card->commit();
}

void run(const CompressRequest& request) {
  if (request.quiet) silence_notes();
  const recipe::Catalogue catalogue = stage_catalogue();
  const recipe::Recipe recipe = recipe_of(request, catalogue);
  if (request.print_recipe) return write_out(recipe.text);
  check_request(request, recipe);
  if (request.dry_run) return write_out(plan_text(make_plan(request, recipe), catalogue));
  check_output_file(request.output, request.force);
  if (is_plain(request, recipe)) return quantize_only(request, recipe);
  run_plan(make_plan(request, recipe), catalogue);
}

}  // namespace

Command compress_command() {
  return make_command<CompressRequest>(
      {.name = "compress",
       .summary = "make a checkpoint small and fast, by a recipe, within a budget of accuracy",
       .examples = "espalier compress ./my-model -o my-model.espl\n"
                   "espalier compress ./my-model -o m.espl --eval dev.tsv --max-drop 0.5\n"
                   "espalier compress ./my-model -o m.espl --preset small --train train.tsv "
                   "--eval dev.tsv",
       .details = "With no more than DIR and -o: int8, without data. The smallest candidate within "
                  "every limit is\n"
                  "written, with a card FILE.md; if none is, exit code 5 and no file. Stopped, it "
                  "goes on."},
      run);
}

}  // namespace espalier::tools
