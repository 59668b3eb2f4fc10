#include "compress/recipe/search.hpp"

#include "espalier/error.hpp"

namespace espalier::recipe {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr double kUsualConfidence = 0.95;  // of intervals that are shown and decide nothing

Json json_of(const Judged& judged) {
  Json slices = Json::array();
  for (const Judged& slice : judged.slices) slices.push_back(json_of(slice));
  return {{"metric", judged.metric}, {"score", judged.score}, {"rows", judged.n_rows},
          {"right", judged.right},   {"slice", judged.slice}, {"slices", slices}};
}

Judged judged_from(const Json& json) {
  Judged judged{.metric = json.at("metric").get<std::string>(),
                .score = json.at("score").get<double>(),
                .n_rows = json.at("rows").get<std::size_t>(),
                .right = json.at("right").get<std::vector<std::uint8_t>>(),
                .slice = json.at("slice").get<std::string>()};
  for (const Json& slice : json.at("slices")) judged.slices.push_back(judged_from(slice));
  return judged;
}

class Search {
 public:
  Search(const SearchInput& input, Pipeline& pipeline, const Workspace& workspace)
      : input_(input), pipeline_(pipeline), workspace_(workspace) {}

  SearchResult run(const std::function<void(const Outcome&)>& on_outcome) {
    SearchResult result;
    for (std::size_t index = 0; index < input_.candidates.size(); ++index) {
      const Candidate& candidate = input_.candidates[index];
      const std::string name = "candidates/" + std::to_string(index + 1) + ".json";
      const std::optional<Json> kept = workspace_.find(name);
      const Outcome outcome = kept ? outcome_from_json(*kept) : examined(candidate);
      if (!kept) workspace_.keep(name, to_json(outcome));
      n_looks_ = std::max(n_looks_, outcome.n_looks);
      result.outcomes.push_back(outcome);
      on_outcome(outcome);
      if (outcome.verdict != Verdict::accepted) continue;
      result.chosen = index;
      result.stages = pipeline_.run(stages_of(candidate, outcome.spared));
      break;
    }
    return result;
  }

 private:
  static std::vector<Stage> stages_of(const Candidate& candidate,
                                      const std::vector<std::string>& spared) {
    std::vector<Stage> stages = candidate.stages;
    stages.back() = sparing(stages.back(), spared);
    return stages;
  }

  std::vector<std::string> spared_parts(const Candidate& candidate) {
    if (candidate.n_spared == 0) return {};
    std::vector<std::string> parts = pipeline_.worst_parts(candidate.stages, input_.choosing);
    parts.resize(std::min(parts.size(), candidate.n_spared));
    return parts;
  }

  Outcome examined(const Candidate& candidate) {
    Outcome outcome{.name = candidate.name, .predicted = candidate.bytes()};
    outcome.spared = spared_parts(candidate);
    outcome.model = pipeline_.run(stages_of(candidate, outcome.spared)).back().output;
    outcome.n_bytes = fs::file_size(outcome.model);
    outcome.verdict = verdict_of(outcome);
    return outcome;
  }

  // What is cheap to find out first, and the deciding rows last.
  Verdict verdict_of(Outcome& outcome) {
    const Limits& limits = input_.limits;
    const bool is_large = limits.target_bytes && outcome.n_bytes > *limits.target_bytes;
    if (input_.examiner == nullptr) return is_large ? Verdict::too_large : Verdict::accepted;
    if (input_.is_split) {
      outcome.choosing = drop_on(outcome.model, Rows::choosing, kUsualConfidence);
    } else if (is_large) {
      outcome.deciding = drop_on(outcome.model, Rows::deciding, confidence_of_look(outcome));
    }
    if (is_large) return Verdict::too_large;
    const bool loses = outcome.choosing &&
                       !keeps_budget(*outcome.choosing, {.max_drop = limits.max_drop,
                                                         .max_slice_drop = limits.max_slice_drop});
    if (loses) return Verdict::loses_choosing;
    if (limits.target_speedup) {
      outcome.speed = input_.examiner->speed(pipeline_.reference(), outcome.model);
      if (outcome.speed->speedup < *limits.target_speedup) return Verdict::too_slow;
    }
    outcome.deciding = drop_on(outcome.model, Rows::deciding, confidence_of_look(outcome));
    return keeps_budget(*outcome.deciding, limits) ? Verdict::accepted : Verdict::loses_deciding;
  }

  double confidence_of_look(Outcome& outcome) {
    outcome.n_looks = n_looks_ + 1;
    const double chance = 1 - input_.limits.confidence.value_or(kUsualConfidence);
    return 1 - chance / static_cast<double>(outcome.n_looks);
  }

  Drop drop_on(const fs::path& model, Rows rows, double confidence) {
    return drop_between(reference_on(rows), input_.examiner->judge(model, rows), confidence);
  }

  // The reference answers once in the life of a workspace.
  Judged reference_on(Rows rows) {
    const std::string name = std::string("candidates/reference-") +
                             (rows == Rows::choosing ? "choosing" : "deciding") + ".json";
    if (const std::optional<Json> kept = workspace_.find(name)) {
      return judged_from(*kept);
    }
    const Judged judged = input_.examiner->judge(pipeline_.reference(), rows);
    workspace_.keep(name, json_of(judged));
    return judged;
  }

  const SearchInput& input_;
  Pipeline& pipeline_;
  const Workspace& workspace_;
  std::size_t n_looks_ = 0;
};

}  // namespace

SearchResult search(const SearchInput& input, Pipeline& pipeline, const Workspace& workspace,
                    const std::function<void(const Outcome&)>& on_outcome) {
  return Search(input, pipeline, workspace).run(on_outcome);
}

}  // namespace espalier::recipe
