#include "compress/recipe/pipeline.hpp"

#include <fstream>

#include "compress/export/provenance.hpp"
#include "espalier/error.hpp"
#include "measure/energy.hpp"

namespace espalier::recipe {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kSensitivityRows = 300;  // enough to rank parts; minutes for a BERT-base

Json read_report(const fs::path& file) {
  std::ifstream stream(file);
  return Json::parse(stream, nullptr, /*allow_exceptions=*/false);
}

// What the command measured itself, or an estimate from the time of its threads.
Json energy_of(const Json& report, const StageCost& cost) {
  if (report.is_object() && report.contains("energy") && report["energy"].is_object() &&
      report["energy"].value("joules", Json()).is_number()) {
    return report["energy"];
  }
  return {{"tag", measure::energy_tag_name(measure::EnergyTag::estimated)},
          {"joules", measure::two_digits(cost.cpu_seconds * measure::kDefaultWattsPerCore)},
          {"source", "processor time of the stage"}};
}

}  // namespace

std::vector<std::string> stage_names(const std::vector<Stage>& stages) {
  constexpr std::size_t kDigits = 8;
  std::vector<std::string> names;
  std::string told;
  for (const Stage& stage : stages) {
    told += one_line(stage) + "\n";
    names.push_back(std::to_string(names.size() + 1) + "-" + stage.verb + "-" +
                    compress::text_hash(told).substr(0, kDigits));
  }
  return names;
}

DoneStage Pipeline::carry_out(const Stage& stage, const std::string& folder, const StageJob& job) {
  const std::string name = "stages/" + folder + "/stage.json";
  DoneStage done{.stage = stage, .folder = folder, .output = job.output, .record = {}};
  if (const auto record = workspace_.find(name)) {
    done.record = *record;
    return done;
  }
  const StageCost cost = runner_.run(job);
  const Json report = read_report(job.report);
  done.record = {{"stage", one_line(stage)},
                 {"command", command_line(job.words)},
                 {"seconds", cost.seconds},
                 {"energy", energy_of(report, cost)},
                 {"report", report.is_object() ? report : Json::object()}};
  workspace_.keep(name, done.record);
  return done;
}

std::vector<DoneStage> Pipeline::run(const std::vector<Stage>& stages) {
  const std::vector<std::string> names = stage_names(stages);
  std::vector<DoneStage> all;
  StagePlaces places{.input = start_, .output = {}, .teacher = start_};
  for (std::size_t index = 0; index < stages.size(); ++index) {
    const Stage& stage = stages[index];
    const StageKind* kind = kinds_.find(stage.verb);
    const fs::path folder = workspace_.stage_folder(names[index]);
    places.output = folder / (stage.verb == "quantize" ? "model.espl" : "model");
    all.push_back(carry_out(stage, names[index],
                            {.title = names[index],
                             .words = stage_command(stage, *kind, around_, places),
                             .output = places.output,
                             .report = folder / "report.json"}));
    places.input = places.output;
    // A teacher reads the same pieces as its student.
    if (stage.value("method") == "vocab") places.teacher = places.output;
  }
  return all;
}

fs::path Pipeline::reference() {
  const std::string name = "reference";
  const fs::path folder = workspace_.stage_folder(name);
  const fs::path output = folder / "model.espl";
  const Stage stage{.verb = "convert", .settings = {}, .line = 0};
  return carry_out(stage, name,
                   {.title = name,
                    .words = {"convert", start_.string(), "--threads",
                              std::to_string(around_.n_threads), "--output", output.string()},
                    .output = output,
                    .report = folder / "report.json"})
      .output;
}

std::vector<std::string> Pipeline::worst_parts(const std::vector<Stage>& stages,
                                               const fs::path& data) {
  const std::vector<DoneStage> before = run({stages.begin(), stages.end() - 1});
  const fs::path checkpoint = before.empty() ? start_ : before.back().output;
  const std::string name =
      before.empty() ? "sensitivity" : "sensitivity-of-" + before.back().folder;
  const fs::path folder = workspace_.stage_folder(name);
  std::vector<std::string> words = {"sensitivity", checkpoint.string(),
                                    "--data",      data.string(),
                                    "--limit",     std::to_string(kSensitivityRows),
                                    "--threads",   std::to_string(around_.n_threads)};
  words.insert(words.end(), around_.columns.begin(), around_.columns.end());
  const Stage stage{.verb = "sensitivity", .settings = {}, .line = 0};
  const DoneStage done = carry_out(
      stage, name, {.title = name, .words = words, .output = {}, .report = folder / "report.json"});
  std::vector<std::string> parts;
  for (const Json& part : done.record["report"].value("parts", Json::array())) {
    parts.push_back(part.value("name", ""));
  }
  return parts;
}

}  // namespace espalier::recipe
