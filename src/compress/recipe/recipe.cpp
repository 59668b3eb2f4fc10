#include "compress/recipe/recipe.hpp"

#include <yaml-cpp/yaml.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/file_bytes.hpp"
#include "base/printable.hpp"
#include "compress/recipe/unquoted.hpp"
#include "espalier/error.hpp"

namespace espalier::recipe {
namespace {

constexpr std::size_t kMaxBytes = 1000000;  // recipes are written by hand

// What compress says to each stage itself, from its own options and from where it keeps things.
constexpr std::array<std::string_view, 16> kOwn = {
    "DIR",          "output",    "train",       "eval",    "text-column",  "pair-column",
    "label-column", "no-header", "data-format", "threads", "save-minutes", "resume",
    "force",        "format",    "quiet",       "cache"};

class Parser {
 public:
  Parser(const std::string& name, const Catalogue& catalogue)
      : name_(name), catalogue_(catalogue) {}

  std::vector<Stage> parse(const std::string& text) const {
    try {
      const std::vector<YAML::Node> documents = YAML::LoadAll(text);
      if (documents.size() != 1) fail(1, "a recipe is one YAML document that says 'stages:'");
      return stages_of(documents[0]);
    } catch (const YAML::Exception& error) {
      const int line = error.mark.is_null() ? 0 : error.mark.line;
      fail(static_cast<std::size_t>(line) + 1, "this is no YAML: " + error.msg);
    }
  }

 private:
  [[noreturn]] void fail(std::size_t line, const std::string& message) const {
    throw Error(ErrorCode::bad_input, name_ + ":" + std::to_string(line) + ": " + message);
  }

  static std::size_t line_of(const YAML::Node& node) {
    return static_cast<std::size_t>(std::max(0, node.Mark().line)) + 1;
  }

  std::string suggestion(std::string_view word, const std::vector<std::string_view>& names) const {
    return catalogue_.suggest ? catalogue_.suggest(word, names) : std::string();
  }

  std::vector<Stage> stages_of(const YAML::Node& root) const {
    if (!root.IsMap()) fail(1, "a recipe is a map that says 'stages:' and then a list of them");
    YAML::Node list;
    for (const auto& entry : root) {
      const std::string key = text_of(entry.first, "a key");
      if (key != "stages") {
        fail(line_of(entry.first), "unknown key " + printable(key) + suggestion(key, {"stages"}) +
                                       "; a recipe has 'stages'");
      }
      if (list.IsDefined() && !list.IsNull()) fail(line_of(entry.first), "'stages' is there twice");
      list = entry.second;
    }
    if (!list.IsDefined() || !list.IsSequence() || list.size() == 0) {
      fail(line_of(root), "'stages' is a list, as in: stages: [quantize]");
    }
    std::vector<Stage> stages;
    for (const YAML::Node& node : list) stages.push_back(stage_of(node));
    check_order(stages);
    return stages;
  }

  Stage stage_of(const YAML::Node& node) const {
    Stage stage{.verb = {}, .settings = {}, .line = line_of(node)};
    if (node.IsScalar()) {
      stage.verb = node.Scalar();
    } else if (node.IsMap() && node.size() == 1) {
      stage.verb = text_of(node.begin()->first, "a stage");
    } else {
      fail(stage.line, "a stage is one command with its options, as in: - prune: {method: kprune}");
    }
    const StageKind* kind = catalogue_.find(stage.verb);
    if (kind == nullptr) {
      std::vector<std::string_view> verbs;
      std::string list;
      for (const StageKind& known : catalogue_.kinds) {
        verbs.push_back(known.verb);
        list += (list.empty() ? "" : ", ") + known.verb;
      }
      fail(stage.line, "unknown stage " + printable(stage.verb) + suggestion(stage.verb, verbs) +
                           "; stages are " + list);
    }
    if (node.IsMap()) read_settings(node.begin()->second, *kind, stage);
    check_required(*kind, stage);
    return stage;
  }

  void read_settings(const YAML::Node& node, const StageKind& kind, Stage& stage) const {
    if (node.IsNull()) return;
    if (!node.IsMap()) fail(line_of(node), "the options of a stage are 'name: value' each");
    for (const auto& entry : node) {
      const std::string name = text_of(entry.first, "an option");
      const std::size_t line = line_of(entry.first);
      const StageOption& option = option_of(name, kind, line);
      if (stage.find(name) != nullptr) fail(line, "'" + name + "' is there twice");
      read_setting(option, entry.second, line, stage);
    }
  }

  const StageOption& option_of(const std::string& name, const StageKind& kind,
                               std::size_t line) const {
    const StageOption* option = kind.find(name);
    const bool is_own = std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end();
    if (option != nullptr && !is_own) return *option;
    if (option != nullptr) {
      fail(line, "'" + name + "' of " + kind.verb + " is no part of a recipe: compress says it");
    }
    std::vector<std::string_view> names;
    for (const StageOption& known : kind.options) {
      if (std::find(kOwn.begin(), kOwn.end(), known.name) == kOwn.end()) {
        names.push_back(known.name);
      }
    }
    fail(line, kind.verb + " has no option " + printable(name) + suggestion(name, names) +
                   "; see espalier " + kind.verb + " --help");
  }

  void read_setting(const StageOption& option, const YAML::Node& node, std::size_t line,
                    Stage& stage) const {
    Setting setting{.name = option.name, .values = {}};
    if (option.is_flag) {
      bool is_set = false;
      if (!node.IsScalar() || !YAML::convert<bool>::decode(node, is_set)) {
        fail(line, "'" + option.name + "' is true or false");
      }
      if (is_set) stage.settings.push_back(setting);
      return;
    }
    if (node.IsSequence() && option.is_repeatable) {
      for (const YAML::Node& value : node) setting.values.push_back(text_of(value, option.name));
    } else {
      setting.values.push_back(text_of(node, option.name));
    }
    try {
      // One value at a time, as they stand on a command line.
      for (const std::string& value : setting.values) option.check({value});
    } catch (const Error& error) {
      fail(line, std::string(stage.verb) + " " + error.what());
    }
    stage.settings.push_back(std::move(setting));
  }

  std::string text_of(const YAML::Node& node, const std::string& what) const {
    if (!node.IsScalar()) {
      fail(line_of(node),
           printable(what) + " takes one value" + (node.IsNull() ? ", and none is there" : ""));
    }
    return node.Scalar();
  }

  void check_required(const StageKind& kind, const Stage& stage) const {
    for (const StageOption& option : kind.options) {
      const bool is_own = std::find(kOwn.begin(), kOwn.end(), option.name) != kOwn.end();
      // Without a word about it, distill learns from the checkpoint that is compressed.
      const bool has_default = option.name == "teacher";
      if (option.is_required && !is_own && !has_default && stage.find(option.name) == nullptr) {
        fail(stage.line, kind.verb + " needs '" + option.name + "'");
      }
    }
  }

  void check_order(const std::vector<Stage>& stages) const {
    for (std::size_t index = 0; index < stages.size(); ++index) {
      const Stage& stage = stages[index];
      const bool is_last = index + 1 == stages.size();
      if ((stage.verb == "quantize") != is_last) {
        fail(stage.line, is_last ? "the last stage is quantize, which makes the model file"
                                 : "quantize makes the model file and can only be the last stage");
      }
      if (stage.verb == "distill") check_student(stage, index);
    }
  }

  void check_student(const Stage& stage, std::size_t index) const {
    const bool cuts = stage.number("student-layers") > 0 || stage.number("student-hidden") > 0;
    if (index == 0 && !cuts && stage.find("student") == nullptr) {
      fail(stage.line,
           "distill as the first stage needs student-layers, student-hidden or student");
    }
    if (index > 0 && (cuts || stage.find("student") != nullptr)) {
      fail(stage.line,
           "this student starts anew, and what the stages before it did would be lost; put it "
           "first");
    }
  }

  const std::string& name_;
  const Catalogue& catalogue_;
};

}  // namespace

const Setting* Stage::find(std::string_view name) const {
  for (const Setting& setting : settings) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

std::string Stage::value(std::string_view name, std::string_view fallback) const {
  const Setting* setting = find(name);
  return setting == nullptr || setting->values.empty() ? std::string(fallback)
                                                       : setting->values.front();
}

double Stage::number(std::string_view name) const {
  const std::string text = value(name);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool Stage::needs_train() const {
  if (verb == "finetune" || verb == "distill") return true;
  if (verb != "prune") return false;
  constexpr std::array<std::string_view, 5> kBlind = {"random", "magnitude", "layers", "embedding",
                                                      "vocab"};
  const std::string method = value("method");
  return number("recover-epochs") > 0 ||
         std::find(kBlind.begin(), kBlind.end(), method) == kBlind.end();
}

bool Stage::learns() const {
  return verb == "finetune" || verb == "distill" ||
         (verb == "prune" && number("recover-epochs") > 0);
}

bool Recipe::needs_train() const {
  return std::any_of(stages.begin(), stages.end(),
                     [](const Stage& stage) { return stage.needs_train(); });
}

Recipe parse_recipe(const std::string& name, const std::string& text, const Catalogue& catalogue) {
  return {.name = name, .text = text, .stages = Parser(name, catalogue).parse(text)};
}

Recipe read_recipe(const std::string& path, const Catalogue& catalogue) {
  const FileBytes file = FileBytes::open(path, FileAccess::read, kMaxBytes);
  const std::string text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  return parse_recipe(unquoted(std::filesystem::path(path).filename().string()), text, catalogue);
}

bool learn_in_bf16(Recipe& recipe) {
  bool learns = false;
  for (Stage& stage : recipe.stages) {
    if (!stage.learns()) continue;
    learns = true;
    if (stage.find("bf16") == nullptr) stage.settings.push_back({.name = "bf16", .values = {}});
  }
  return learns;
}

std::string one_line(const Stage& stage) {
  std::string line = stage.verb;
  for (const Setting& setting : stage.settings) {
    if (setting.values.empty()) line += " " + setting.name;
    for (const std::string& value : setting.values) line += " " + setting.name + "=" + value;
  }
  return line;
}

}  // namespace espalier::recipe
