#include "compress/export/precision_rules.hpp"

#include <array>
#include <cassert>
#include <regex>
#include <string_view>

#include "base/printable.hpp"
#include "espalier/error.hpp"
#include "format/scan.hpp"

namespace espalier::compress {
namespace {

/// One linear of a layer: what its name ends with, and where it is.
struct LinearRow {
  std::string_view name;
  PartType LayerPrecisions::*precision;
  format::LinearSpec format::LayerSpec::*spec;
};

constexpr std::array<LinearRow, 4> kLinears = {{
    {"attention.qkv", &LayerPrecisions::qkv, &format::LayerSpec::qkv},
    {"attention.out", &LayerPrecisions::out, &format::LayerSpec::out},
    {"ffn.up", &LayerPrecisions::up, &format::LayerSpec::up},
    {"ffn.down", &LayerPrecisions::down, &format::LayerSpec::down},
}};

constexpr std::size_t kWordPart = 0;

// The library compiles nested groups by recursion; and files keep patterns, in 1024 bytes each.
constexpr std::size_t kMaxPatternBytes = 500;
constexpr std::size_t kMaxRules = 100;  // a file keeps 128 options of a stage

/// The linear that part number `part`, past the words, is.
template <typename Spec>
auto& linear_of(Spec& spec, std::size_t part) {
  assert(part > kWordPart && part <= spec.layers.size() * kLinears.size());
  const std::size_t linear = part - 1;
  return spec.layers[linear / kLinears.size()].*(kLinears[linear % kLinears.size()].spec);
}

std::regex compiled(const PrecisionRule& rule) {
  if (rule.pattern.size() > kMaxPatternBytes) {
    throw Error(ErrorCode::usage, printable(rule.pattern, 80) + " is too long a pattern: " +
                                      std::to_string(rule.pattern.size()) + " bytes, at most " +
                                      std::to_string(kMaxPatternBytes) + " are taken");
  }
  if (format::find_invalid_utf8(rule.pattern)) {
    throw Error(ErrorCode::usage, printable(rule.pattern, 80) + " is not UTF-8");
  }
  try {
    return std::regex(rule.pattern);
  } catch (const std::regex_error& error) {
    throw Error(ErrorCode::usage,
                printable(rule.pattern, 80) + " is no regular expression: " + error.what());
  }
}

void check_type(const PrecisionRule& rule) {
  const auto [precision, group] = rule.precision;
  if (group == 0 || (precision == Precision::int8 && format::is_group(group))) return;
  throw Error(ErrorCode::usage, "groups of " + std::to_string(group) + " for " +
                                    printable(rule.pattern, 80) +
                                    "; int4 has groups of 32, 64 or 128, other types have none");
}

[[noreturn]] void fail_unmatched(const PrecisionRule& rule, std::size_t n_layers) {
  const std::string layers = n_layers == 1 ? "0" : "0-" + std::to_string(n_layers - 1);
  std::string names = part_names(0).front();
  for (const LinearRow& row : kLinears) {
    names += ", layer." + layers + "." + std::string(row.name);
  }
  throw Error(ErrorCode::usage, printable(rule.pattern, 80) +
                                    " matches no part of this model; its parts are " + names);
}

std::uint64_t weight_bytes(const format::LinearSpec& linear) {
  return linear.weight.bytes.size() + linear.scale.bytes.size() + linear.input_scale.bytes.size() +
         linear.multiplier.bytes.size();
}

}  // namespace

std::string type_text(const PartType& type) {
  std::string text(name_of(type));
  if (type.group != 0) text += " g" + std::to_string(type.group);
  return text;
}

std::vector<std::string> part_names(std::size_t n_layers) {
  std::vector<std::string> names = {"embedding.word"};
  for (std::size_t layer = 0; layer < n_layers; ++layer) {
    for (const LinearRow& row : kLinears) {
      names.push_back("layer." + std::to_string(layer) + "." + std::string(row.name));
    }
  }
  return names;
}

PartPrecisions precisions_by_rules(std::size_t n_layers, Precision fallback,
                                   std::span<const PrecisionRule> rules) {
  PartPrecisions result{
      fallback, std::vector<LayerPrecisions>(n_layers, {fallback, fallback, fallback, fallback})};
  if (rules.size() > kMaxRules) {
    throw Error(ErrorCode::usage, std::to_string(rules.size()) + " rules, at most " +
                                      std::to_string(kMaxRules) +
                                      " are taken; let a pattern match several parts");
  }
  const std::vector<std::string> names = part_names(n_layers);
  for (const PrecisionRule& rule : rules) {
    const std::regex pattern = compiled(rule);
    check_type(rule);
    bool any = false;
    for (std::size_t part = 0; part < names.size(); ++part) {
      if (!std::regex_search(names[part], pattern)) continue;
      any = true;
      if (part == kWordPart) {
        result.word = rule.precision;
        continue;
      }
      const std::size_t linear = part - 1;
      result.layers[linear / kLinears.size()].*(kLinears[linear % kLinears.size()].precision) =
          rule.precision;
    }
    if (!any) fail_unmatched(rule, n_layers);
  }
  return result;
}

std::vector<PartType> precisions_of(const format::ModelSpec& spec) {
  const format::EmbeddingSpec& embedding = spec.embedding;
  std::vector<PartType> precisions = {{format::word_precision(embedding), embedding.word_group}};
  for (const format::LayerSpec& layer : spec.layers) {
    for (const LinearRow& row : kLinears) {
      const format::LinearSpec& linear = layer.*row.spec;
      precisions.push_back({linear.precision, linear.group});
    }
  }
  return precisions;
}

std::uint64_t part_bytes(const format::ModelSpec& spec, std::size_t part) {
  if (part != kWordPart) return weight_bytes(linear_of(spec, part));
  const format::EmbeddingSpec& embedding = spec.embedding;
  return embedding.word.bytes.size() + embedding.word_scale.bytes.size() +
         embedding.word_multiplier.bytes.size() +
         (embedding.projection ? weight_bytes(*embedding.projection) : 0);
}

void take_part(format::ModelSpec& to, const format::ModelSpec& from, std::size_t part) {
  if (part != kWordPart) {
    linear_of(to, part) = linear_of(from, part);
    return;
  }
  to.embedding.word = from.embedding.word;
  to.embedding.word_scale = from.embedding.word_scale;
  to.embedding.projection = from.embedding.projection;
  to.embedding.word_group = from.embedding.word_group;
  to.embedding.word_multiplier = from.embedding.word_multiplier;
}

}  // namespace espalier::compress
