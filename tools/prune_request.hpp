// The options of espalier prune. Names no LibTorch: recipes are read by programs without it.
#pragma once

#include <string>

#include "data_request.hpp"
#include "recovery_request.hpp"
#include "training_options.hpp"

namespace espalier::tools {

[[nodiscard]] inline TrainingRequest without_epochs() {
  TrainingRequest request;
  request.epochs = 0;
  return request;
}

struct PruneRequest {
  std::string model;
  std::string method = "fisher";
  double target_speedup = 0;
  double target_flops = 0;
  double target_size = 0;
  std::uint32_t neuron_multiple = 32;
  std::uint32_t keep_layers = 0;
  std::string layer_choice = "spread";
  std::string corpus;
  std::uint32_t min_count = 1;
  std::string check_text;
  std::uint32_t rank = 0;
  std::uint32_t sample = 2048;
  DataRequest data;
  RecoveryRequest recovery;
  TrainingRequest training = without_epochs();
};

template <typename Visitor>
void visit(PruneRequest& request, Visitor&& visitor) {
  constexpr double kMost = 1000;
  visitor({.name = "DIR", .help = "checkpoint folder", .required = true}, request.model);
  visitor({.name = "--method",
           .help = "what is taken out, and how it is chosen",
           .choices = "random|magnitude|taylor|fisher|kprune|gradual|layers|vocab|embedding"},
          request.method);
  visitor({.name = "--target-speedup",
           .help = "X times as fast as DIR, as int8 on this machine",
           .value = "X",
           .max = kMost},
          request.target_speedup);
  visitor({.name = "--target-flops",
           .help = "X times fewer multiply-adds in the encoder",
           .value = "X",
           .max = kMost},
          request.target_flops);
  visitor(
      {.name = "--target-size", .help = "int8 file X times smaller", .value = "X", .max = kMost},
      request.target_size);
  visitor({.name = "--neuron-multiple",
           .help = "feed-forwards keep a multiple of it",
           .min = 1,
           .max = 65536},
          request.neuron_multiple);
  visitor({.name = "--keep-layers", .help = "layers: how many stay", .max = 256},
          request.keep_layers);
  visitor({.name = "--layer-choice",
           .help = "layers: which of them",
           .choices = "spread|first|last|contribution"},
          request.layer_choice);
  visitor(
      {.name = "--corpus", .help = "vocab, embedding: what is read; else --train", .value = "FILE"},
      request.corpus);
  visitor({.name = "--min-count", .help = "vocab: fewest times that a piece occurs", .min = 1},
          request.min_count);
  visitor({.name = "--check-text",
           .help = "vocab: other text, to count what is cut otherwise",
           .value = "FILE"},
          request.check_text);
  visitor({.name = "--rank", .help = "embedding: width of the table", .max = 16384}, request.rank);
  visitor({.name = "--sample", .help = "training examples that a method looks at", .min = 1},
          request.sample);
  visit_data(request.data, visitor, /*needs_train=*/false);
  visit_recovery(request.recovery, visitor);
  visit_training(request.training, visitor,
                 {.name = "--recover-epochs",
                  .help = "passes over --train after the cut; gradual: in it",
                  .max = 10000});
}

}  // namespace espalier::tools
