#include "part_text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "compress/export/precision_rules.hpp"

namespace espalier::tools {
namespace {

struct Group {
  std::string what;
  std::vector<std::string> names;
};

// The largest group first.
std::vector<Group> ordered(std::vector<Group> groups) {
  std::erase_if(groups, [](const Group& group) { return group.names.empty(); });
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.names.size() > b.names.size(); });
  return groups;
}

std::vector<Group> grouped(const format::ModelSpec& spec) {
  std::vector<compress::PartType> types = {Precision::int8, Precision::bf16, Precision::fp32};
  for (const std::uint32_t size : {32, 64, 128}) types.push_back(compress::int4_of(size));
  std::vector<Group> groups;
  for (const compress::PartType& type : types) groups.push_back({type_text(type), {}});
  const std::vector<std::string> names = compress::part_names(spec.layers.size());
  const std::vector<compress::PartType> stored = compress::precisions_of(spec);
  for (std::size_t part = 0; part < names.size(); ++part) {
    for (std::size_t type = 0; type < types.size(); ++type) {
      if (types[type] == stored[part]) groups[type].names.push_back(names[part]);
    }
  }
  return ordered(std::move(groups));
}

std::string counted(const Group& group) {
  return std::to_string(group.names.size()) + " " + group.what;
}

// "25 int8; 2 fp32: layer.0.ffn.down, ...": most parts go without names.
std::string listed(const std::vector<Group>& groups) {
  std::string text;
  for (const Group& group : groups) {
    const bool most = text.empty();
    text += (most ? "" : "; ") + counted(group);
    if (most) continue;
    for (std::size_t name = 0; name < group.names.size(); ++name) {
      text += (name == 0 ? ": " : ", ") + group.names[name];
    }
  }
  return text;
}

}  // namespace

std::string parts_text(const format::ModelSpec& spec) {
  return listed(grouped(spec));
}

std::string_view codes_name(const format::LinearSpec& linear) {
  if (linear.precision != Precision::int8 || linear.in == 0 || linear.out == 0) return "";
  switch (linear.activations) {
    case format::ActivationCodes::per_token_symmetric:
      return "per token symmetric";
    case format::ActivationCodes::per_token_asymmetric:
      return "per token";
    case format::ActivationCodes::per_tensor_asymmetric:
      return "per tensor";
  }
  return "";
}

std::string activations_text(const format::ModelSpec& spec) {
  std::vector<Group> groups = {{"per token", {}}, {"per token symmetric", {}}, {"per tensor", {}}};
  const std::vector<std::string> names = compress::part_names(spec.layers.size());
  auto name = names.begin() + 1;  // after the words'
  for (const format::LayerSpec& layer : spec.layers) {
    for (const format::LinearSpec* linear : {&layer.qkv, &layer.out, &layer.up, &layer.down}) {
      for (Group& group : groups) {
        if (group.what == codes_name(*linear)) group.names.push_back(*name);
      }
      ++name;
    }
  }
  return listed(ordered(std::move(groups)));
}

std::string part_counts(const format::ModelSpec& spec) {
  std::string text;
  for (const Group& group : grouped(spec)) {
    text += (text.empty() ? "" : ", ") + counted(group);
  }
  return text;
}

}  // namespace espalier::tools
