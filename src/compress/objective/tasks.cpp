// The table of tasks that can be trained.
#include "compress/objective/task.hpp"
#include "espalier/error.hpp"

namespace espalier::objective {
namespace {

using checkpoint::Architecture;
using checkpoint::ProblemType;

constexpr TaskKind kTasks[] = {
    {.name = "classify",
     .architecture = Architecture::sequence_classification,
     .problem_type = ProblemType::single_label,
     .has_labels = true,
     .needs_pair = false,
     .find_labels = distinct_labels,
     .make = make_classify},
    {.name = "pair",
     .architecture = Architecture::sequence_classification,
     .problem_type = ProblemType::single_label,
     .has_labels = true,
     .needs_pair = true,
     .find_labels = distinct_labels,
     .make = make_classify},
    {.name = "multi_label",
     .architecture = Architecture::sequence_classification,
     .problem_type = ProblemType::multi_label,
     .has_labels = true,
     .needs_pair = false,
     .find_labels = listed_labels_in,
     .make = make_multi_label},
    {.name = "regress",
     .architecture = Architecture::sequence_classification,
     .problem_type = ProblemType::regression,
     .has_labels = false,
     .needs_pair = false,
     .find_labels = nullptr,
     .make = make_regress},
    {.name = "tag",
     .architecture = Architecture::token_classification,
     .problem_type = ProblemType::single_label,
     .has_labels = true,
     .needs_pair = false,
     .find_labels = tags_in,
     .make = make_tag},
    {.name = "embed",
     .architecture = Architecture::model,
     .problem_type = ProblemType::single_label,
     .has_labels = false,
     .needs_pair = true,
     .find_labels = nullptr,
     .make = make_embed},
};

}  // namespace

bool has_head_for(const checkpoint::BertConfig& config, const TaskKind& kind) {
  return config.architecture == kind.architecture &&
         (config.architecture != Architecture::sequence_classification ||
          config.problem_type == kind.problem_type);
}

std::span<const TaskKind> task_kinds() {
  return kTasks;
}

const TaskKind& task_kind(std::string_view name) {
  std::string names;
  for (const TaskKind& kind : kTasks) {
    if (kind.name == name) return kind;
    names += (names.empty() ? "" : ", ") + std::string(kind.name);
  }
  throw Error(ErrorCode::usage,
              "there is no task '" + std::string(name) + "'; the tasks are " + names);
}

}  // namespace espalier::objective
