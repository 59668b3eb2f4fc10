#include "compress/recipe/stage_command.hpp"

#include <algorithm>
#include <cctype>

namespace espalier::recipe {
namespace {

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-_./=:,+@%").find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') text += "'\\'";
    text += c;
  }
  return text + "'";
}

class Words {
 public:
  Words(const Stage& stage, const StageKind& kind) : stage_(stage), kind_(kind) {
    words_.push_back(stage.verb);
  }

  void add(const std::string& word) { words_.push_back(word); }
  void add(const std::string& option, const std::string& value) {
    words_.push_back("--" + option);
    words_.push_back(value);
  }
  // What the run says, unless the recipe says it or the command has no such option.
  void add_default(const std::string& option, const std::string& value) {
    if (kind_.find(option) != nullptr && stage_.find(option) == nullptr) add(option, value);
  }

  std::vector<std::string> take() { return std::move(words_); }

 private:
  const Stage& stage_;
  const StageKind& kind_;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> stage_command(const Stage& stage, const StageKind& kind,
                                       const Surroundings& around, const StagePlaces& places) {
  Words words(stage, kind);
  if (stage.verb == "distill") {
    words.add_default("teacher", places.teacher.string());
    const bool cuts = stage.number("student-layers") > 0 || stage.number("student-hidden") > 0;
    if (!cuts) words.add_default("student", places.input.string());
    words.add("cache", around.cache.string());
  } else {
    words.add(places.input.string());
  }
  for (const Setting& setting : stage.settings) {
    if (setting.values.empty()) words.add("--" + setting.name);
    for (const std::string& value : setting.values) words.add(setting.name, value);
  }
  // A model recovers from itself as it was; what an earlier stage lost, it learns from the whole.
  if (stage.verb == "prune" && stage.learns() && places.input != places.teacher) {
    words.add_default("teacher", places.teacher.string());
  }
  if (kind.find("train") != nullptr && !around.train.empty()) {
    words.add("train", around.train);
    // A cut alone chooses nothing by these rows, and answering them takes longer than the cut.
    const bool chooses = stage.verb != "prune" || stage.learns();
    if (chooses && !around.eval.empty()) words.add("eval", around.eval);
    for (const std::string& word : around.columns) words.add(word);
  }
  words.add_default("seed", std::to_string(around.seed));
  words.add("threads", std::to_string(around.n_threads));
  words.add("output", places.output.string());
  return words.take();
}

std::string command_line(std::span<const std::string> words) {
  std::string line = "espalier";
  for (const std::string& word : words) line += " " + quoted(word);
  return line;
}

}  // namespace espalier::recipe
