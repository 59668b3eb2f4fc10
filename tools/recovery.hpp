// A changed model learns to answer as a teacher does, or as it did itself before the change: what
// prune and quantize --qat have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "compress/objective/distill.hpp"
#include "fine_tuned.hpp"
#include "recovery_request.hpp"

namespace espalier::tools {

class Recovery {
 public:
  /// Keeps references to all three. start: the model before the change, with training rows.
  Recovery(const RecoveryRequest& request, const TrainingRequest& training, FineTuned& start);

  /// Loads the teacher, moves it to `device` and makes what a model of `student`'s shape learns.
  /// layers: which of the start's layers it still has, for where the start itself is the teacher;
  /// empty: the same share of the way up. Throws Error(bad_input) when the teacher cuts text
  /// otherwise, and what reading it throws.
  const objective::DistillObjective& objective(const checkpoint::BertConfig& student,
                                               at::Device device,
                                               const std::vector<std::size_t>& layers = {});

  /// The weights of start and teacher, tokenizer and data, for a resumed run to agree with. After
  /// objective().
  void add_settings(train::Settings& settings) const;

 private:
  const RecoveryRequest& request_;
  const TrainingRequest& training_;
  FineTuned& start_;
  std::optional<FineTuned> teacher_;
  std::optional<objective::DistillObjective> objective_;
};

/// What a card says of where it began: folder, data by content, teacher.
[[nodiscard]] nlohmann::ordered_json start_facts(const std::string& model, const DataRequest& data,
                                                 const RecoveryRequest& recovery);

}  // namespace espalier::tools
