#include "tradeoff_candidates.hpp"

#include "compress/recipe/presets.hpp"
#include "output.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

struct Row {
  std::string_view name;
  std::string_view recipe;  // empty: the preset of that name
  bool needs_torch = false;
};

constexpr Row kRows[] = {
    {"int8", "stages:\n  - quantize\n"},
    {"int4",
     "stages:\n  - quantize:\n      weights: int4\n      embeddings: int4\n      rounding: mse\n"},
    {"pruned", "stages:\n  - prune:\n      method: kprune\n      target-flops: 1.5\n  - quantize\n",
     true},
    {"balanced", "", true},
    {"small", "", true},
    {"tiny", "", true},
};

bool ends_the_run(const Error& error) {
  return error.code() == ErrorCode::interrupted || error.code() == ErrorCode::terminated;
}

BuiltCandidate build(const TradeoffCandidate& candidate, recipe::Pipeline& pipeline) {
  BuiltCandidate built{.candidate = candidate, .stages = {}, .model = {}, .reason = {}};
  if (candidate.recipe.stages.empty()) {
    built.model = pipeline.reference();
    return built;
  }
  try {
    built.stages = pipeline.run(candidate.recipe.stages);
    built.model = built.stages.back().output;
  } catch (const Error& error) {
    if (ends_the_run(error)) throw;
    built.reason = error.what();
    note("'" + candidate.name + "' could not be made: " + built.reason);
  }
  return built;
}

}  // namespace

std::vector<TradeoffCandidate> tradeoff_candidates(bool quick, const recipe::Catalogue& catalogue) {
  std::vector<TradeoffCandidate> candidates = {{.name = "fp32", .recipe = {}}};
  for (const Row& row : kRows) {
    if (quick && row.needs_torch) continue;
    const std::string name(row.name);
    const std::string text(row.recipe.empty() ? recipe::preset(name).text : row.recipe);
    candidates.push_back({name, recipe::parse_recipe(name, text, catalogue)});
  }
  return candidates;
}

std::vector<BuiltCandidate> build_candidates(std::span<const TradeoffCandidate> candidates,
                                             recipe::Pipeline& pipeline) {
  std::vector<BuiltCandidate> built;
  for (const TradeoffCandidate& candidate : candidates) {
    note("candidate " + candidate.name);
    built.push_back(build(candidate, pipeline));
  }
  return built;
}

std::vector<std::string> commands_of(const TradeoffCandidate& candidate, const CompressPlan& plan,
                                     const recipe::Catalogue& catalogue) {
  const std::string folder = base_name(plan.request.folder);
  const std::string output = candidate.name + ".espl";
  const std::vector<recipe::Stage>& stages = candidate.recipe.stages;
  if (stages.empty()) {
    return {recipe::command_line(std::vector<std::string>{"convert", folder, "-o", output})};
  }
  recipe::Surroundings around = plan.around;
  around.train = around.train.empty() ? "" : base_name(around.train);
  around.eval.clear();
  around.cache = "cache";
  std::vector<std::string> lines;
  recipe::StagePlaces places{.input = folder, .output = {}, .teacher = folder};
  for (std::size_t index = 0; index < stages.size(); ++index) {
    const bool is_last = index + 1 == stages.size();
    places.output = is_last ? output : candidate.name + "." + std::to_string(index + 1);
    lines.push_back(recipe::command_line(
        recipe::stage_command(stages[index], *catalogue.find(stages[index].verb), around, places)));
    places.input = places.output;
  }
  return lines;
}

}  // namespace espalier::tools
