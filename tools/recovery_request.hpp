// The options of learning from a teacher what was lost. Names no LibTorch: recipes are read by
// programs without it.
#pragma once

#include <string>

namespace espalier::tools {

struct RecoveryRequest {
  std::string teacher;
  double hidden_weight = 1;
  double temperature = 2;
};

template <typename Visitor>
void visit_recovery(RecoveryRequest& request, Visitor&& visitor) {
  visitor({.name = "--teacher", .help = "what is learnt from; else DIR itself", .value = "DIR"},
          request.teacher);
  visitor({.name = "--hidden-weight", .help = "of hidden states in what is learnt", .max = 1000},
          request.hidden_weight);
  visitor({.name = "--temperature", .help = "of the teacher's answers", .min = 0.1, .max = 100},
          request.temperature);
}

}  // namespace espalier::tools
