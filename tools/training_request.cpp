#include "training_request.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace espalier::tools {
namespace {

// They say where and how a run is shown and kept, not what is learnt.
constexpr std::array<std::string_view, 6> kNotSettings = {"--output", "--resume", "--force",
                                                          "--format", "--quiet",  "--save-minutes"};

std::string_view long_name(const BoundOption& option) {
  return option.text.name.substr(option.text.name.rfind(',') + 1);
}

std::string text_of(const OptionField& field) {
  struct ToText {
    std::string operator()(const bool* value) const { return *value ? "yes" : "no"; }
    std::string operator()(const std::string* value) const { return *value; }
    std::string operator()(const std::optional<std::string>* value) const {
      return value->value_or("");
    }
    std::string operator()(const std::vector<std::string>* values) const {
      std::string all;
      for (const std::string& value : *values) all.append(value).append(" ");
      return all;
    }
    std::string operator()(const std::uint32_t* value) const { return std::to_string(*value); }
    std::string operator()(const double* value) const { return shortest_text(*value); }
    std::string operator()(const std::optional<double>* value) const {
      return *value ? shortest_text(**value) : "";
    }
  };
  return std::visit(ToText{}, field);
}

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

}  // namespace

train::TrainingOptions trainer_options(const TrainingRequest& request) {
  return {.epochs = request.epochs,
          .max_steps = request.max_steps,
          .batch_size = request.batch_size,
          .accumulation = request.accumulation,
          .learning_rate = request.learning_rate,
          .warm_up = request.warm_up,
          .weight_decay = request.weight_decay,
          .clip_norm = request.clip_norm,
          .dropout = request.dropout,
          .patience = request.patience,
          .freeze_word_embeddings = request.freeze_embeddings,
          .bf16 = request.bf16,
          .seed = request.seed};
}

train::Settings settings_of(const std::vector<BoundOption>& options) {
  train::Settings settings;
  for (const BoundOption& option : options) {
    const std::string_view name = long_name(option);
    if (std::find(kNotSettings.begin(), kNotSettings.end(), name) != kNotSettings.end()) continue;
    const bool is_place = option.text.value == "FILE" || option.text.value == "DIR";
    if (is_place || !name.starts_with('-')) continue;
    settings.emplace_back(name, text_of(option.field));
  }
  return settings;
}

std::string resume_command(const std::string& program, const std::vector<BoundOption>& options,
                           const std::vector<BoundOption>& defaults) {
  std::string line = program;
  for (std::size_t index = 0; index < options.size(); ++index) {
    const BoundOption& option = options[index];
    const std::string_view name = long_name(option);
    const std::string value = text_of(option.field);
    if (name == "--resume" || name == "--force") continue;
    if (value == text_of(defaults[index].field)) continue;
    if (const auto* values = std::get_if<std::vector<std::string>*>(&option.field)) {
      for (const std::string& each : **values) {
        if (name.starts_with('-')) line.append(" ").append(name);
        line.append(" ").append(quoted(each));
      }
      continue;
    }
    if (name.starts_with('-')) line.append(" ").append(name);
    if (!std::holds_alternative<bool*>(option.field)) line.append(" ").append(quoted(value));
  }
  return line + " --resume";
}

}  // namespace espalier::tools
