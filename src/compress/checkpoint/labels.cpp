#include "compress/checkpoint/labels.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

constexpr std::uint64_t kMaxLabels = 65536;
// The original's default; its writer leaves "id2label" out where it equals it.
constexpr std::uint64_t kDefaultLabels = 2;

// "12" but neither "012" nor "+12": two spellings of one id would be a duplicate.
std::optional<std::uint64_t> label_id(const std::string& key) {
  std::uint64_t id = 0;
  const char* end = key.data() + key.size();
  const auto [stopped, error] = std::from_chars(key.data(), end, id);
  const bool canonical = error == std::errc() && stopped == end && std::to_string(id) == key;
  return canonical ? std::optional(id) : std::nullopt;
}

std::vector<std::string> named_labels(const JsonFields& config, const nlohmann::json& id2label) {
  if (!id2label.is_object() || id2label.empty() || id2label.size() > kMaxLabels) {
    config.refuse("id2label", "must be an object with 1 to 65536 labels");
  }
  std::vector<std::string> labels(id2label.size());
  std::set<std::string> names;
  for (const auto& entry : id2label.items()) {
    const std::optional<std::uint64_t> id = label_id(entry.key());
    if (!id || *id >= labels.size()) {
      throw Error(ErrorCode::bad_input, "key 'id2label' has the id " + printable(entry.key()) +
                                            "; ids must be 0 to " +
                                            std::to_string(labels.size() - 1) + " without a gap");
    }
    if (!entry.value().is_string()) {
      throw Error(ErrorCode::bad_input, "key 'id2label' gives id " + printable(entry.key()) +
                                            " the label " + printable(entry.value().dump()) +
                                            "; it must be a string");
    }
    labels[*id] = entry.value().get<std::string>();
    if (!names.insert(labels[*id]).second) {
      throw Error(ErrorCode::bad_input, "key 'id2label' has the label " + printable(labels[*id]) +
                                            " twice; answers could not be told apart");
    }
  }
  return labels;
}

}  // namespace

std::vector<std::string> parse_labels(const JsonFields& config) {
  const IntegerRange range{.least = 1, .most = kMaxLabels};
  const std::optional<std::uint64_t> stated = config.integer("num_labels", range);
  if (const nlohmann::json* id2label = config.find("id2label")) {
    std::vector<std::string> labels = named_labels(config, *id2label);
    if (stated && *stated != labels.size()) {
      config.refuse("num_labels",
                    "must be the number of labels in 'id2label', " + std::to_string(labels.size()));
    }
    return labels;
  }
  std::vector<std::string> labels;
  for (std::uint64_t id = 0; id < stated.value_or(kDefaultLabels); ++id) {
    labels.push_back("LABEL_" + std::to_string(id));
  }
  return labels;
}

ProblemType parse_problem_type(const JsonFields& config, std::size_t n_labels) {
  const std::optional<std::string> stated = config.text("problem_type");
  if (!stated) return n_labels == 1 ? ProblemType::regression : ProblemType::single_label;
  if (*stated == "regression") {
    if (n_labels != 1) {
      config.refuse("problem_type",
                    "needs exactly one label here, there are " + std::to_string(n_labels));
    }
    return ProblemType::regression;
  }
  if (*stated == "single_label_classification") {
    if (n_labels < 2) config.refuse("problem_type", "needs at least two labels");
    return ProblemType::single_label;
  }
  if (*stated == "multi_label_classification") return ProblemType::multi_label;
  config.refuse("problem_type",
                "must be 'single_label_classification', 'multi_label_classification' or "
                "'regression'");
}

}  // namespace espalier::checkpoint
