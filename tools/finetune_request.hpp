// The options of espalier finetune. Names no LibTorch: recipes are read by programs without it.
#pragma once

#include <string>

#include "data_request.hpp"
#include "training_options.hpp"

namespace espalier::tools {

struct FinetuneOptions {
  std::string folder;
  std::string task;
  DataRequest data;
  std::string labels;
  bool new_head = false;
  std::string class_weights;
  TrainingRequest training;
};

template <typename Visitor>
void visit(FinetuneOptions& options, Visitor&& visitor) {
  visitor({.name = "DIR", .help = "checkpoint folder to start from", .required = true},
          options.folder);
  visitor({.name = "--task",
           .help = "what is learnt",
           .choices = "classify|pair|multi_label|regress|tag|embed",
           .required = true},
          options.task);
  visit_data(options.data, visitor);
  visitor(
      {.name = "--labels", .help = "of a new head, in order; else the data's", .value = "A,B,..."},
      options.labels);
  visitor({.name = "--new-head", .help = "drop the classifier that DIR brings"}, options.new_head);
  visitor(
      {.name = "--class-weights", .help = "'balanced', or one for each label", .value = "W,W,..."},
      options.class_weights);
  visit_training(options.training, visitor);
}

}  // namespace espalier::tools
