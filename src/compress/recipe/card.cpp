#include "compress/recipe/card.hpp"

#include <yaml-cpp/yaml.h>

#include "base/decimal.hpp"
#include "base/file_bytes.hpp"
#include "compress/export/provenance.hpp"
#include "compress/recipe/unquoted.hpp"
#include "espalier/error.hpp"
#include "measure/energy.hpp"

namespace espalier::recipe {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxReadmeBytes = 4000000;

std::string megabytes(std::uint64_t n_bytes) {
  return fixed(static_cast<double>(n_bytes) / 1e6, 2) + " MB";
}

std::string text_of(const fs::path& file) {
  if (!fs::is_regular_file(file)) return {};
  const FileBytes bytes = FileBytes::open(file, FileAccess::read, kMaxReadmeBytes);
  return {reinterpret_cast<const char*>(bytes.bytes().data()), bytes.bytes().size()};
}

// The YAML between the two lines "---" that a README of a model hub begins with.
YAML::Node front_matter(const std::string& readme) {
  constexpr std::string_view kFence = "---\n";
  if (!readme.starts_with(kFence)) return {};
  const std::size_t end = readme.find("\n---", kFence.size());
  if (end == std::string::npos) return {};
  try {
    return YAML::Load(readme.substr(kFence.size(), end - kFence.size()));
  } catch (const YAML::Exception&) {
    return {};  // a README is written for people
  }
}

std::string flow_text(const YAML::Node& node) {
  if (!node.IsDefined() || node.IsNull()) return {};
  YAML::Emitter out;
  out << YAML::Flow << node;
  return out.c_str();
}

std::string pipeline_tag(checkpoint::Architecture architecture) {
  switch (architecture) {
    case checkpoint::Architecture::model:
      return "sentence-similarity";
    case checkpoint::Architecture::sequence_classification:
      return "text-classification";
    case checkpoint::Architecture::token_classification:
      return "token-classification";
    case checkpoint::Architecture::masked_lm:
      return "fill-mask";
  }
  return {};
}

void add_results(YAML::Emitter& out, const CardInput& input, const Drop& drop) {
  out << YAML::Key << "metrics" << YAML::Value << YAML::BeginSeq << drop.metric << YAML::EndSeq;
  out << YAML::Key << "model-index" << YAML::Value << YAML::BeginSeq << YAML::BeginMap;
  out << YAML::Key << "name" << YAML::Value << fs::path(input.file).stem().string();
  out << YAML::Key << "results" << YAML::Value << YAML::BeginSeq << YAML::BeginMap;
  out << YAML::Key << "task" << YAML::Value << YAML::BeginMap << YAML::Key << "type" << YAML::Value
      << input.base.pipeline_tag << YAML::EndMap;
  out << YAML::Key << "dataset" << YAML::Value << YAML::BeginMap << YAML::Key << "name"
      << YAML::Value << input.deciding_file << YAML::Key << "type" << YAML::Value
      << input.deciding_file << YAML::EndMap;
  out << YAML::Key << "metrics" << YAML::Value << YAML::BeginSeq << YAML::BeginMap << YAML::Key
      << "type" << YAML::Value << drop.metric << YAML::Key << "value" << YAML::Value
      << YAML::Load(fixed(drop.after, 2)) << YAML::EndMap << YAML::EndSeq;
  out << YAML::EndMap << YAML::EndSeq << YAML::EndMap << YAML::EndSeq;
}

void add_yaml(YAML::Emitter& out, const char* key, const std::string& value) {
  if (value.empty()) return;
  YAML::Node node = YAML::Load(value);
  node.SetStyle(YAML::EmitterStyle::Flow);
  out << YAML::Key << key << YAML::Value << node;
}

std::string front_matter_of(const CardInput& input) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  add_yaml(out, "language", input.base.language);
  add_yaml(out, "license", input.base.license);
  out << YAML::Key << "library_name" << YAML::Value << "espalier";
  out << YAML::Key << "tags" << YAML::Value << YAML::BeginSeq << "espalier"
      << "bert"
      << "int8";
  if (!input.stages.empty() && input.stages.front().stage.verb != "quantize") out << "pruned";
  if (kept_pieces(input.stages)) out << "domain-bound";
  out << YAML::EndSeq;
  if (!input.base.pipeline_tag.empty()) {
    out << YAML::Key << "pipeline_tag" << YAML::Value << input.base.pipeline_tag;
  }
  out << YAML::Key << "base_model" << YAML::Value << input.base.name;
  add_yaml(out, "datasets", input.base.datasets);
  if (input.outcome != nullptr && input.outcome->drop()) {
    add_results(out, input, *input.outcome->drop());
  }
  out << YAML::EndMap;
  return std::string("---\n") + out.c_str() + "\n---\n";
}

std::string row(const std::string& name, const std::string& before, const std::string& after) {
  return "| " + name + " | " + before + " | " + after + " |\n";
}

std::string figures(const CardInput& input) {
  std::string text = "| | before | after |\n|---|---|---|\n";
  text +=
      row("size", megabytes(input.checkpoint_bytes) + " (checkpoint)", megabytes(input.n_bytes));
  text += row("weights", "", input.precision);
  if (input.outcome == nullptr) return text;
  if (const std::optional<Drop>& drop = input.outcome->drop()) {
    text += row(drop->metric, fixed(drop->before, 2) + " (fp32)", fixed(drop->after, 2));
  }
  if (input.outcome->speed) {
    const Speed& speed = *input.outcome->speed;
    text += row("speed, one sentence at a time, " + std::to_string(input.n_threads) +
                    (input.n_threads == 1 ? " thread" : " threads"),
                "1 x (fp32, the same runtime)",
                fixed(speed.speedup, 2) + " x (" + fixed(speed.p10, 2) + " to " +
                    fixed(speed.p90, 2) + ")");
  }
  if (const std::optional<Drop>& drop = input.outcome->drop()) {
    text += "\n" + drop_text(*drop) + " of `" + input.deciding_file + "`" +
            (input.deciding_part.empty() ? "" : " (" + input.deciding_part + ")") + ".\n";
  }
  return text;
}

std::string stage_table(const CardInput& input) {
  std::string text = "| stage | seconds | energy |\n|---|---|---|\n";
  for (const DoneStage& done : input.stages) {
    const Json energy = done.record.value("energy", Json::object());
    const Json joules = energy.value("joules", Json());
    text += "| `" + one_line(done.stage) + "` | " + fixed(done.record.value("seconds", 0.0), 1) +
            " | " +
            (joules.is_number()
                 ? measure::joules_text(joules.get<double>()) + ", " + energy.value("tag", "")
                 : std::string("not measured")) +
            " |\n";
  }
  return text;
}

}  // namespace

BaseModel base_model(const fs::path& folder, checkpoint::Architecture architecture) {
  const fs::path plain = folder.lexically_normal();
  BaseModel base{
      .name = unquoted((plain.has_filename() ? plain : plain.parent_path()).filename().string()),
      .pipeline_tag = pipeline_tag(architecture),
      .language = {},
      .license = {},
      .datasets = {}};
  const Json config =
      Json::parse(text_of(folder / "config.json"), nullptr, /*allow_exceptions=*/false);
  if (config.is_object() && config.value("_name_or_path", Json()).is_string()) {
    // Where somebody kept it on their disk is nobody's business.
    const std::string name = config["_name_or_path"].get<std::string>();
    if (!name.empty() && !name.starts_with('/') && !name.starts_with('.')) base.name = name;
  }
  const YAML::Node matter = front_matter(text_of(folder / "README.md"));
  if (matter.IsMap()) {
    base.language = flow_text(matter["language"]);
    base.license = flow_text(matter["license"]);
    base.datasets = flow_text(matter["datasets"]);
  }
  return base;
}

std::string energy_of_stages(std::span<const DoneStage> stages) {
  double joules = 0;
  bool is_estimate = false;
  for (const DoneStage& done : stages) {
    const Json energy = done.record.value("energy", Json::object());
    if (!energy.value("joules", Json()).is_number()) return {};
    joules += energy["joules"].get<double>();
    is_estimate = is_estimate ||
                  energy.value("tag", "") != measure::energy_tag_name(measure::EnergyTag::measured);
  }
  if (stages.empty()) return {};
  return measure::joules_text(joules) + (is_estimate ? " (estimated)" : " (measured)");
}

std::string model_card(const CardInput& input) {
  const std::string name = fs::path(input.file).stem().string();
  std::string text = front_matter_of(input) + "# " + name + "\n\n`" + input.file +
                     "` was made from `" + input.base.name + "` by espalier " + input.version +
                     ": one file with weights, tokenizer and a self-test, for inputs of up to " +
                     std::to_string(input.max_length) + " tokens.\n\n" + figures(input);
  if (const auto pieces = kept_pieces(input.stages)) {
    text += "\n**Domain-bound: " + *pieces +
            " pieces.** Word pieces that a corpus did not need were taken out; text of another "
            "domain is cut into other pieces than before, and answers to it suffer.\n";
  }
  text += "\n## Use\n\n```sh\nespalier verify " + input.file + "\nespalier run " + input.file +
          " --text '...'\n```\n\n## How it was made\n\n```yaml\n" + input.recipe_text + "```\n\n";
  text += stage_table(input);
  const std::string energy = energy_of_stages(input.stages);
  text += "\n" + fixed(input.seconds, 1) + " seconds in all" +
          (energy.empty() ? "" : ", " + energy) + ".\n";
  if (input.outcome != nullptr && input.outcome->name != "") {
    text += "\nCandidate: " + input.outcome->name + ".";
    if (!input.outcome->spared.empty()) {
      text += " In bf16, because int8 hurts them most:";
      for (const std::string& part : input.outcome->spared) text += " `" + part + "`";
      text += ".";
    }
    text += "\n";
  }
  if (!input.data.empty()) text += "\n| data | file | XXH3-64 |\n|---|---|---|\n";
  for (const DataFile& file : input.data) {
    text += "| " + file.use + " | `" + unquoted(file.path.filename().string()) + "` | " +
            compress::file_hash(file.path) + " |\n";
  }
  return text;
}

}  // namespace espalier::recipe
