#include "compress/recipe/origin.hpp"

#include <cstdio>

#include "compress/export/provenance.hpp"

namespace espalier::recipe {
namespace {

using Json = nlohmann::ordered_json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string number_text(double number) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.6g", number);
  return digits;
}

Pairs scores_of(const Json& report) {
  Pairs scores;
  const Json all = report.value("scores", Json::object());
  for (const auto& [name, value] : all.items()) {
    if (value.is_number()) scores.emplace_back(name, number_text(value.get<double>()));
  }
  return scores;
}

// Options as given; a file counts by its name and content, a folder by its name.
void add_setting(const Setting& setting, const StageKind& kind, format::ProvenanceStage& made) {
  const StageOption* option = kind.find(setting.name);
  if (setting.values.empty()) made.options.emplace_back(setting.name, "yes");
  for (const std::string& value : setting.values) {
    const std::filesystem::path path = value;
    if (option == nullptr || !option->is_file) {
      made.options.emplace_back(setting.name, value);
    } else if (std::filesystem::is_regular_file(path)) {
      made.inputs.emplace_back(path.filename().string(), compress::file_hash(path));
    } else {
      made.options.emplace_back(setting.name, path.lexically_normal().filename().string());
    }
  }
}

format::ProvenanceStage stage_origin(const DoneStage& done, const OriginInput& input) {
  const StageKind& kind = *input.kinds.find(done.stage.verb);
  format::ProvenanceStage made = compress::make_stage(done.stage.verb, {}, {});
  for (const Setting& setting : done.stage.settings) add_setting(setting, kind, made);
  if (kind.find("seed") != nullptr && done.stage.find("seed") == nullptr) {
    made.options.emplace_back("seed", std::to_string(input.seed));
  }
  const Json& report = done.record.at("report");
  if (const auto pieces = kept_pieces({&done, 1})) {
    made.metrics.emplace_back("domain-bound", *pieces + " pieces");
  }
  const Pairs scores = scores_of(report);
  made.metrics.insert(made.metrics.end(), scores.begin(), scores.end());
  return made;
}

format::ProvenanceStage compress_origin(const OriginInput& input) {
  format::ProvenanceStage made =
      compress::make_stage("compress",
                           {{"recipe", input.recipe.name},
                            {"recipe_xxh3", compress::text_hash(input.recipe.text)},
                            {"candidate", input.outcome.name},
                            {"seed", std::to_string(input.seed)}},
                           {});
  for (const DataFile& file : input.data) {
    made.inputs.emplace_back(file.path.filename().string(), compress::file_hash(file.path));
    made.options.emplace_back(file.use, file.path.filename().string());
  }
  if (const std::optional<Drop>& drop = input.outcome.drop()) {
    made.metrics.emplace_back(drop->metric + " before", number_text(drop->before));
    made.metrics.emplace_back(drop->metric, number_text(drop->after));
    made.metrics.emplace_back("drop", number_text(drop->points()));
    made.metrics.emplace_back("rows", std::to_string(drop->n_rows));
    if (drop->interval) {
      made.metrics.emplace_back("drop from", number_text(drop->interval->low));
      made.metrics.emplace_back("drop to", number_text(drop->interval->high));
    }
  }
  return made;
}

}  // namespace

std::optional<std::string> kept_pieces(std::span<const DoneStage> stages) {
  std::optional<std::string> found;
  std::string before;
  for (const DoneStage& done : stages) {
    if (done.stage.verb != "prune" || done.stage.value("method") != "vocab") continue;
    const Json& report = done.record.at("report");
    const auto pieces = [&report](const char* when) {
      return report.value(when, Json::object()).value("pieces", Json()).dump();
    };
    if (before.empty()) before = pieces("before");
    found = pieces("after") + " of " + before;
  }
  return found;
}

compress::Stamp origin_stamp(const OriginInput& input) {
  compress::Stamp stamp;
  for (const DoneStage& done : input.stages) {
    if (done.stage.verb != "quantize") stamp.before.push_back(stage_origin(done, input));
  }
  stamp.after.push_back(compress_origin(input));
  return stamp;
}

}  // namespace espalier::recipe
