// Why parts of a model are kept in floats, as far as the file's provenance tells.
#include <regex>

#include "compress/export/precision_rules.hpp"
#include "profile.hpp"

namespace espalier::tools {

std::vector<FloatPart> float_parts_of(const format::ModelSpec& spec) {
  // The last stage that made weights what they are; its rules are tried in their order.
  const std::vector<std::pair<std::string, std::string>>* options = nullptr;
  for (const format::ProvenanceStage& stage : spec.provenance) {
    for (const auto& [name, value] : stage.options) {
      if (name == "precision") options = &stage.options;
    }
  }
  const auto reason_for = [&](const std::string& part, std::string_view type) {
    std::string reason = "the file does not say why";
    if (options == nullptr) return reason;
    for (const auto& [name, value] : *options) {
      if (name == "precision" && value == type) {
        reason = "the model was made with precision " + value;
      }
      if (!name.starts_with("rule.")) continue;
      const std::string pattern = value.substr(0, value.rfind('='));
      try {
        if (!std::regex_search(part, std::regex(pattern, std::regex::ECMAScript))) continue;
      } catch (const std::regex_error&) {
        continue;  // another program's rule: it explains nothing
      }
      reason = "rule " + value;
    }
    return reason;
  };
  std::vector<FloatPart> parts;
  const std::vector<std::string> names = compress::part_names(spec.layers.size());
  const std::vector<compress::PartType> types = compress::precisions_of(spec);
  for (std::size_t part = 0; part < names.size(); ++part) {
    if (types[part].precision == Precision::int8) continue;
    const std::string type = type_text(types[part]);
    parts.push_back({names[part], type, reason_for(names[part], type)});
  }
  return parts;
}

}  // namespace espalier::tools
