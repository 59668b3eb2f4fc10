// The options of espalier distill. Names no LibTorch: recipes are read by programs without it.
#pragma once

#include <string>

#include "data_request.hpp"
#include "training_options.hpp"

namespace espalier::tools {

struct DistillRequest {
  std::string teacher;
  std::string student;
  std::uint32_t student_layers = 0;
  std::string layer_choice = "spread";
  std::uint32_t student_hidden = 0;
  std::string preset = "logits";
  double temperature = 2;
  double label_weight = -1;
  bool without_teacher = false;
  DataRequest data;
  std::string unlabelled;
  std::string cache;
  TrainingRequest training;
};

template <typename Visitor>
void visit(DistillRequest& request, Visitor&& visitor) {
  visitor({.name = "--teacher",
           .help = "fine-tuned checkpoint folder",
           .value = "DIR",
           .required = true},
          request.teacher);
  visitor({.name = "--student", .help = "checkpoint folder to start from", .value = "DIR"},
          request.student);
  visitor({.name = "--student-layers",
           .help = "start from so many of the teacher's layers",
           .max = 256},
          request.student_layers);
  visitor({.name = "--layer-choice", .help = "which of them", .choices = "spread|first|last"},
          request.layer_choice);
  visitor({.name = "--student-hidden",
           .help = "start from a part of the teacher's width",
           .max = 16384},
          request.student_hidden);
  visitor({.name = "--preset",
           .help = "what is learnt from the teacher",
           .choices = "logits|patient|tinybert|minilm|hidden"},
          request.preset);
  visitor({.name = "--temperature", .help = "of the teacher's answers", .min = 0.1, .max = 100},
          request.temperature);
  visitor({.name = "--label-weight",
           .help = "of the labels' own loss; below 0 the preset's",
           .min = -1,
           .max = 1000},
          request.label_weight);
  visitor({.name = "--without-teacher", .help = "labels only: what distilling is compared with"},
          request.without_teacher);
  visit_data(request.data, visitor);
  visitor({.name = "--unlabelled",
           .help = "text for the teacher to label: rows or .txt lines",
           .value = "FILE"},
          request.unlabelled);
  visitor(
      {.name = "--cache", .help = "of the teacher's answers; else OUT/training", .value = "DIR"},
      request.cache);
  visit_training(request.training, visitor);
}

}  // namespace espalier::tools
