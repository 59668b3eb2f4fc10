#include "compress_report.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/model_impl.hpp"
#include "base/cpu_info.hpp"
#include "cli.hpp"
#include "compress/checkpoint/checkpoint.hpp"
#include "compress/export/stamp.hpp"
#include "output.hpp"
#include "part_text.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kMostListed = 5;

fs::path card_path(const CompressRequest& request) {
  return fs::path(request.output).replace_extension(".md");
}

std::uint64_t weight_bytes(const checkpoint::Checkpoint& opened) {
  std::uint64_t n_bytes = 0;
  for (const fs::path& path : opened.weight_paths()) n_bytes += fs::file_size(path);
  return n_bytes;
}

double seconds_of(std::span<const recipe::DoneStage> stages) {
  double seconds = 0;
  for (const recipe::DoneStage& done : stages) seconds += done.record.value("seconds", 0.0);
  return seconds;
}

std::string limits_text(const recipe::Limits& limits) {
  std::string text;
  const auto add = [&text](const std::string& limit) {
    text += (text.empty() ? "" : ", ") + limit;
  };
  const std::string sure =
      limits.confidence ? " with a confidence of " + shortest_text(100 * *limits.confidence) + " %"
                        : "";
  if (limits.max_drop) {
    add("a drop of at most " + shortest_text(*limits.max_drop) + " points" + sure);
  }
  if (limits.max_slice_drop) {
    add("a drop of at most " + shortest_text(*limits.max_slice_drop) +
        " points in every label and slice" + sure);
  }
  if (limits.target_bytes) add("at most " + megabytes(*limits.target_bytes));
  if (limits.target_speedup) add(shortest_text(*limits.target_speedup) + " x the speed of fp32");
  return text;
}

// Those that were refused for the least first: late in the order of checks, then by their drop.
std::vector<const recipe::Outcome*> best_of(const std::vector<recipe::Outcome>& outcomes) {
  std::vector<const recipe::Outcome*> best;
  for (const recipe::Outcome& outcome : outcomes) best.push_back(&outcome);
  std::stable_sort(best.begin(), best.end(), [](const auto* a, const auto* b) {
    const auto rank = [](const recipe::Outcome& outcome) {
      return outcome.drop() ? outcome.drop()->points() : 1000.0;
    };
    const bool a_large = a->verdict == recipe::Verdict::too_large;
    const bool b_large = b->verdict == recipe::Verdict::too_large;
    return a_large != b_large ? b_large : rank(*a) < rank(*b);
  });
  if (best.size() > kMostListed) best.resize(kMostListed);
  return best;
}

Json result_json(const CompressPlan& plan, const recipe::SearchResult& result, const Model& model) {
  Json candidates = Json::array();
  for (const recipe::Outcome& outcome : result.outcomes) {
    Json json = recipe::to_json(outcome);
    json.erase("model");
    candidates.push_back(std::move(json));
  }
  Json stages = Json::array();
  for (const recipe::DoneStage& done : result.stages) {
    stages.push_back({{"stage", recipe::one_line(done.stage)},
                      {"seconds", done.record.value("seconds", 0.0)},
                      {"energy", done.record.value("energy", Json())}});
  }
  return {{"file", base_name(plan.request.output)},
          {"card", base_name(card_path(plan.request).string())},
          {"bytes", model.info().file_bytes},
          {"checksum", hex(model.info().checksum)},
          {"recipe", plan.recipe.name},
          {"candidate", result.outcomes[*result.chosen].name},
          {"stages", stages},
          {"candidates", candidates}};
}

}  // namespace

std::string candidate_line(const recipe::Outcome& outcome) {
  std::string line = outcome.name + ": " + megabytes(outcome.n_bytes);
  if (outcome.drop()) line += ", " + recipe::drop_text(*outcome.drop());
  if (outcome.speed) line += ", " + fixed(outcome.speed->speedup, 2) + " x as fast";
  return line + "; " + std::string(recipe::verdict_name(outcome.verdict));
}

void fail_over_budget(const CompressPlan& plan, const recipe::SearchResult& result) {
  std::string message = "no candidate keeps " + limits_text(plan.limits) +
                        "; no file was written. The best of " +
                        std::to_string(result.outcomes.size()) + " tried:";
  for (const recipe::Outcome* outcome : best_of(result.outcomes)) {
    message += "\n  " + candidate_line(*outcome);
  }
  message += "\n  their files are in '" + plan.work.string() +
             "'; allow more, or take a recipe that " +
             (plan.limits.target_bytes ? std::string("cuts deeper") : std::string("cuts less"));
  throw Error(ErrorCode::over_budget, message);
}

std::unique_ptr<AtomicFile> open_card(const CompressRequest& request) {
  const fs::path path = card_path(request);
  if (path == fs::path(request.output)) {
    throw Error(ErrorCode::usage, "'" + request.output +
                                      "' is what the model card is called; name the model "
                                      "file .espl");
  }
  return std::make_unique<AtomicFile>(path, request.force ? Overwrite::replace : Overwrite::refuse);
}

std::string card_of(const CompressRequest& request, const recipe::Recipe& recipe,
                    std::span<const recipe::DoneStage> stages, const recipe::Outcome* outcome) {
  const checkpoint::Checkpoint opened = checkpoint::Checkpoint::open(request.folder);
  const Model model = Model::open(request.output);
  const std::vector<recipe::DataFile> data =
      outcome == nullptr ? std::vector<recipe::DataFile>{} : data_files(request);
  recipe::CardInput input;
  input.file = base_name(request.output);
  input.base = recipe::base_model(request.folder, opened.config().architecture);
  input.precision = part_counts(model.impl().spec());
  input.n_bytes = model.info().file_bytes;
  input.checkpoint_bytes = weight_bytes(opened);
  input.max_length = model.info().max_length;
  input.recipe_text = recipe.text;
  input.stages = stages;
  input.outcome = outcome;
  input.deciding_file = base_name(request.gate.empty() ? request.eval : request.gate);
  const bool is_split = request.gate.empty() && outcome != nullptr && outcome->choosing;
  if (is_split) input.deciding_part = "every third row";
  input.data = data;
  input.n_threads = request.threads == 0 ? usable_cpus() : request.threads;
  input.seconds = seconds_of(stages);
  input.version = version();
  return recipe::model_card(input);
}

void finish(const CompressPlan& plan, const recipe::Catalogue& catalogue,
            const recipe::SearchResult& result, AtomicFile& card) {
  const CompressRequest& request = plan.request;
  const recipe::Outcome& outcome = result.outcomes[*result.chosen];
  const std::vector<recipe::DataFile> data = data_files(request);
  compress::write_stamped(outcome.model, request.output,
                          recipe::origin_stamp({.recipe = plan.recipe,
                                                .kinds = catalogue,
                                                .stages = result.stages,
                                                .outcome = outcome,
                                                .data = data,
                                                .seed = request.seed}),
                          request.force ? Overwrite::replace : Overwrite::refuse);
  const Model model = Model::open(request.output);  // what was written is what can be read
  card.write(card_of(request, plan.recipe, result.stages, &outcome));
  card.commit();
  if (request.format == "json") return print_json(result_json(plan, result, model));
  std::string text = request.output + ": " + std::string(name_of(model.info().task)) + ", " +
                     part_counts(model.impl().spec()) + ", " + megabytes(model.info().file_bytes) +
                     ", " + outcome.name + "\n";
  if (outcome.drop()) text += recipe::drop_text(*outcome.drop()) + "\n";
  if (outcome.speed) {
    text += fixed(outcome.speed->speedup, 2) + " x as fast as fp32 (" +
            fixed(outcome.speed->p10, 2) + " to " + fixed(outcome.speed->p90, 2) +
            "), one text at a time on " + std::to_string(plan.n_threads) +
            (plan.n_threads == 1 ? " thread\n" : " threads\n");
  }
  if (const auto pieces = recipe::kept_pieces(result.stages)) {
    text += "domain-bound: " + *pieces + " pieces\n";
  }
  write_out(text);
  note("card: " + card_path(request).string() + "; stages are kept in '" + plan.work.string() +
       "'");
}

Json energy_json(const measure::EnergyFigure& figure) {
  Json json = {{"tag", measure::energy_tag_name(figure.tag)}};
  json["joules"] = figure.joules ? Json(measure::two_digits(*figure.joules)) : Json();
  json["source"] = figure.source;
  return json;
}

}  // namespace espalier::tools
