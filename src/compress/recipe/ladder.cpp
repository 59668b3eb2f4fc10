#include "compress/recipe/ladder.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace espalier::recipe {
namespace {

// A prediction further over the target than this is believed. Widths that a cut leaves are not
// known before, the rest of the file is known to a percent.
constexpr double kBelieved = 1.1;

constexpr std::size_t kLinears = 4;  // of a layer

std::string number_text(double number) {
  char digits[32];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  return {digits, end.ptr};
}

double rounded(double number, double steps) {
  return std::round(number * steps) / steps;
}

bool make_lighter(Setting& setting, const Shape& before) {
  if (setting.values.size() != 1) return false;
  double old_value = 0;
  const std::string& text = setting.values[0];
  std::from_chars(text.data(), text.data() + text.size(), old_value);
  double value = old_value;
  if (setting.name.starts_with("target-")) value = rounded(std::sqrt(old_value), 100);
  if (setting.name == "rank") value = rounded(std::sqrt(old_value * before.hidden), 1);
  if (setting.name == "keep-layers" || setting.name == "student-layers") {
    value = std::ceil((old_value + static_cast<double>(before.layers.size())) / 2);
  }
  if (old_value <= 0 || value == old_value) return false;
  setting.values[0] = number_text(value);
  return true;
}

// Bytes that a part takes more in bf16 than in int8, of the smallest of them.
double smallest_part(const Shape& shape) {
  double smallest = shape.vocabulary * (shape.rank > 0 ? shape.rank : shape.hidden);
  for (const LayerShape& layer : shape.layers) {
    smallest = std::min(smallest, shape.hidden * std::min(layer.attention, layer.intermediate));
  }
  return smallest;
}

}  // namespace

std::optional<double> Candidate::bytes() const {
  if (!shape) return std::nullopt;
  return file_bytes(*shape) + static_cast<double>(n_spared) * smallest_part(*shape);
}

std::optional<std::vector<Stage>> lighter(const std::vector<Stage>& stages, const Shape& start) {
  std::vector<Stage> result = stages;
  bool changed = false;
  for (Stage& stage : result) {
    for (Setting& setting : stage.settings) changed = make_lighter(setting, start) || changed;
  }
  if (!changed) return std::nullopt;
  return result;
}

std::vector<Candidate> make_candidates(const Recipe& recipe, const Shape& start,
                                       const Limits& limits) {
  std::vector<Candidate> all;
  const auto add = [&](const std::string& name, const std::vector<Stage>& stages) {
    const std::optional<Shape> shape = after_stages(start, stages);
    all.push_back({.name = name, .stages = stages, .n_spared = 0, .shape = shape});
    if (!limits.max_drop && !limits.max_slice_drop) return;
    const std::size_t n_parts = 1 + kLinears * (shape ? shape->layers : start.layers).size();
    std::size_t last = 0;
    for (const std::size_t n_spared : {std::size_t{1}, n_parts / 4, n_parts / 2}) {
      if (n_spared <= last) continue;
      last = n_spared;
      all.push_back({.name = name + ", " + std::to_string(n_spared) +
                             (n_spared == 1 ? " part in bf16" : " parts in bf16"),
                     .stages = stages,
                     .n_spared = n_spared,
                     .shape = shape});
    }
  };
  add(recipe.name, recipe.stages);
  if (limits.max_drop || limits.max_slice_drop) {
    if (const auto stages = lighter(recipe.stages, start)) add(recipe.name + ", lighter", *stages);
  }
  if (!limits.target_bytes) return all;
  const double most = kBelieved * static_cast<double>(*limits.target_bytes);
  // From the second on: what is moved up by erasing never reaches the first place.
  all.erase(std::remove_if(all.begin() + 1, all.end(),
                           [most](const Candidate& candidate) {
                             return candidate.bytes().value_or(0) > most;
                           }),
            all.end());
  return all;
}

Stage sparing(Stage quantize, const std::vector<std::string>& parts) {
  if (parts.empty()) return quantize;
  Setting rules{.name = "tensor-type", .values = {}};
  if (const Setting* given = quantize.find(rules.name)) rules = *given;
  std::erase_if(quantize.settings,
                [&](const Setting& setting) { return setting.name == rules.name; });
  for (const std::string& part : parts) rules.values.push_back("^" + part + "$=bf16");
  quantize.settings.push_back(std::move(rules));
  return quantize;
}

}  // namespace espalier::recipe
