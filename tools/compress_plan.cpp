// The plan of compress with its predictions, as --dry-run prints it.
#include <nlohmann/json.hpp>

#include "compress/recipe/pipeline.hpp"
#include "compress_examiner.hpp"
#include "compress_report.hpp"
#include "measure/report.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kTokens = 32;  // of a sentence, where none was cut into pieces yet

// Multiply-adds of a training step: forward, and twice that to go back; the teacher forward.
constexpr double kStudentPasses = 3;

constexpr const char* kHowPredicted =
    "size and multiply-adds are predicted from the shapes that the stages leave (widths that a cut "
    "leaves: on average); of a text of 32 tokens";
constexpr const char* kHowTimed =
    "time is unknown before a stage has run: it follows from the multiply-adds and the machine";

// The commands of a candidate, in the folders that they will have.
std::vector<std::string> commands_of(const CompressPlan& plan, const recipe::Catalogue& catalogue,
                                     const std::vector<recipe::Stage>& stages) {
  const std::vector<std::string> names = recipe::stage_names(stages);
  std::vector<std::string> lines;
  recipe::StagePlaces places{
      .input = plan.request.folder, .output = {}, .teacher = plan.request.folder};
  for (std::size_t index = 0; index < stages.size(); ++index) {
    const recipe::Stage& stage = stages[index];
    places.output =
        plan.work / "stages" / names[index] / (stage.verb == "quantize" ? "model.espl" : "model");
    lines.push_back(recipe::command_line(
        recipe::stage_command(stage, *catalogue.find(stage.verb), plan.around, places)));
    places.input = places.output;
    if (stage.value("method") == "vocab") places.teacher = places.output;
  }
  return lines;
}

// Multiply-adds of the training of a stage, over `n_rows` texts.
double training_work(const recipe::Shape& teacher, const recipe::Shape& student,
                     const recipe::Stage& stage, std::size_t n_rows) {
  const bool prunes = stage.verb == "prune";
  double epochs = stage.number(prunes ? "recover-epochs" : "epochs");
  if (!prunes && epochs == 0) epochs = 3;
  const double teaches = stage.verb == "finetune" ? 0 : recipe::multiply_adds(teacher, kTokens);
  return epochs * static_cast<double>(n_rows) *
         (kStudentPasses * recipe::multiply_adds(student, kTokens) + teaches);
}

Json number_or_unknown(const std::optional<double>& number) {
  return number ? Json(*number) : Json("unknown");
}

Json plan_json(const CompressPlan& plan, const recipe::Catalogue& catalogue) {
  const recipe::Candidate& first = plan.candidates.front();
  const std::vector<std::string> commands = commands_of(plan, catalogue, first.stages);
  const std::size_t n_rows =
      plan.request.train.empty()
          ? 0
          : count_rows(plan.request.train, plan.request.columns, plan.task == Task::tag);
  Json stages = Json::array();
  std::optional<recipe::Shape> shape = plan.start;
  for (std::size_t index = 0; index < first.stages.size(); ++index) {
    const recipe::Stage& stage = first.stages[index];
    const std::optional<recipe::Shape> before = shape;
    if (shape) shape = recipe::after_stage(*shape, stage);
    Json json = {{"stage", recipe::one_line(stage)}, {"command", commands[index]}};
    json["multiply_adds"] = number_or_unknown(
        shape ? std::optional(recipe::multiply_adds(*shape, kTokens)) : std::nullopt);
    json["training_multiply_adds"] = number_or_unknown(
        before ? std::optional(
                     stage.needs_train() ? training_work(plan.start, *before, stage, n_rows) : 0.0)
               : std::nullopt);
    json["seconds"] = "unknown";
    stages.push_back(std::move(json));
  }
  Json candidates = Json::array();
  for (const recipe::Candidate& candidate : plan.candidates) {
    candidates.push_back(
        {{"name", candidate.name}, {"predicted_bytes", number_or_unknown(candidate.bytes())}});
  }
  return {{"recipe", plan.recipe.name},
          {"text", plan.recipe.text},
          {"bytes_of_int8_before", recipe::file_bytes(plan.start)},
          {"multiply_adds_before", recipe::multiply_adds(plan.start, kTokens)},
          {"stages", stages},
          {"candidates", candidates},
          {"predicted", kHowPredicted},
          {"time", kHowTimed}};
}

std::string in_millions(const Json& number, double unit, const char* name) {
  return number.is_number() ? fixed(number.get<double>() / unit, 1) + name : "unknown";
}

std::string rows_text(const CompressPlan& plan) {
  if (plan.deciding.empty()) return "no rows to judge by: nothing is compared\n";
  if (plan.splits) {
    return "two thirds of " + base_name(plan.request.eval) +
           " choose a candidate, the third that nobody has looked at decides\n";
  }
  return base_name(plan.deciding.string()) + " decides" +
         (plan.choosing.empty() ? "" : ", " + base_name(plan.choosing.string()) + " chooses") +
         "\n";
}

}  // namespace

std::string plan_text(const CompressPlan& plan, const recipe::Catalogue& catalogue) {
  const Json json = plan_json(plan, catalogue);
  if (plan.request.format == "json") {
    Json report = {{"schema_version", kSchemaVersion}};
    report.update(json);
    return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  std::string text = json["text"].get<std::string>() + "\n";
  for (const Json& stage : json["stages"]) {
    text += stage["command"].get<std::string>() + "\n  leaves " +
            in_millions(stage["multiply_adds"], 1e6, " million multiply-adds a text");
    const Json& work = stage["training_multiply_adds"];
    if (!work.is_number() || work.get<double>() > 0) {
      text += ", learns with " + in_millions(work, 1e12, " x 10^12 of them");
    }
    text += ", time unknown\n";
  }
  measure::Table table;
  table.add_column("candidate").add_column("predicted file", measure::Align::right);
  table.add_row({"(light: int8 alone)", in_millions(json["bytes_of_int8_before"], 1e6, " MB")});
  for (const Json& candidate : json["candidates"]) {
    table.add_row({candidate["name"].get<std::string>(),
                   in_millions(candidate["predicted_bytes"], 1e6, " MB")});
  }
  text += "\n" + table.print(measure::TableFormat::table) + rows_text(plan);
  return text + "before: " + in_millions(json["multiply_adds_before"], 1e6, " million") +
         " multiply-adds a text; " + kHowPredicted + "\n" + kHowTimed + "\n";
}

}  // namespace espalier::tools
