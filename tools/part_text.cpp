#include "part_text.hpp"

#include <algorithm>
#include <vector>

#include "compress/export/precision_rules.hpp"

namespace espalier::tools {
namespace {

struct Group {
  Precision precision;
  std::vector<std::string> names;
};

std::vector<Group> grouped(const format::ModelSpec& spec) {
  std::vector<Group> groups = {{Precision::int8, {}}, {Precision::bf16, {}}, {Precision::fp32, {}}};
  const std::vector<std::string> names = compress::part_names(spec.layers.size());
  const std::vector<Precision> precisions = compress::precisions_of(spec);
  for (std::size_t part = 0; part < names.size(); ++part) {
    for (Group& group : groups) {
      if (group.precision == precisions[part]) group.names.push_back(names[part]);
    }
  }
  std::erase_if(groups, [](const Group& group) { return group.names.empty(); });
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.names.size() > b.names.size(); });
  return groups;
}

std::string counted(const Group& group) {
  return std::to_string(group.names.size()) + " " + std::string(name_of(group.precision));
}

}  // namespace

std::string parts_text(const format::ModelSpec& spec) {
  std::string text;
  for (const Group& group : grouped(spec)) {
    const bool most = text.empty();
    text += (most ? "" : "; ") + counted(group);
    if (most) continue;
    for (std::size_t name = 0; name < group.names.size(); ++name) {
      text += (name == 0 ? ": " : ", ") + group.names[name];
    }
  }
  return text;
}

std::string part_counts(const format::ModelSpec& spec) {
  std::string text;
  for (const Group& group : grouped(spec)) {
    text += (text.empty() ? "" : ", ") + counted(group);
  }
  return text;
}

}  // namespace espalier::tools
