#include "recovery.hpp"

#include "compress/train/device.hpp"
#include "report.hpp"

namespace espalier::tools {

Recovery::Recovery(const RecoveryRequest& request, const TrainingRequest& training,
                   FineTuned& start)
    : request_(request), training_(training), start_(start) {}

const objective::DistillObjective& Recovery::objective(const checkpoint::BertConfig& student,
                                                       at::Device device,
                                                       const std::vector<std::size_t>& layers) {
  if (!request_.teacher.empty()) {
    teacher_.emplace(request_.teacher, "--teacher", DataRequest{}, training_.max_length);
    objective::check_same_tokens(teacher_->tokenizer_spec(), start_.tokenizer_spec());
  }
  model::Bert& teacher = teacher_ ? teacher_->bert() : start_.bert();
  train::move_to(teacher, device);
  objective::DistillOptions options{.weights = objective::distill_preset("hidden").weights,
                                    .temperature = request_.temperature,
                                    .cache_name = std::string(start_.kind().name),
                                    .seed = training_.seed};
  options.weights.hidden = request_.hidden_weight;
  // Layers that stayed learn from themselves as they were.
  if (!teacher_) options.layer_map = layers;
  return objective_.emplace(*start_.training(), nullptr, teacher, student, options);
}

void Recovery::add_settings(train::Settings& settings) const {
  start_.add_settings(settings);
  if (teacher_) add_hashes(settings, "--teacher", teacher_->checkpoint().weight_paths());
}

nlohmann::ordered_json start_facts(const std::string& model, const DataRequest& data,
                                   const RecoveryRequest& recovery) {
  nlohmann::ordered_json facts = {{"start", base_name(model)}};
  if (!data.train.empty()) facts["train"] = input_facts(data.train);
  if (!data.eval.empty()) facts["eval"] = input_facts(data.eval);
  if (!recovery.teacher.empty()) facts["teacher"] = base_name(recovery.teacher);
  return facts;
}

}  // namespace espalier::tools
