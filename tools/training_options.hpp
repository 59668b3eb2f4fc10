// The options that every program with a training loop has. Names no LibTorch: recipes are read by
// programs without it.
#pragma once

#include <cstdint>
#include <string>

#include "cli.hpp"

namespace espalier::tools {

struct TrainingRequest {
  std::string output;
  std::uint32_t epochs = 3;
  std::uint32_t max_steps = 0;
  std::uint32_t batch_size = 32;
  std::uint32_t accumulation = 1;
  double learning_rate = 5e-5;
  double warm_up = 0.1;
  double weight_decay = 0.01;
  double clip_norm = 1;
  double dropout = 0.1;
  std::uint32_t max_length = 128;
  bool freeze_embeddings = false;
  std::uint32_t patience = 0;
  bool bf16 = false;
  std::string device = "cpu";
  std::uint32_t seed = 1;
  std::uint32_t threads = 0;
  double save_minutes = 10;
  std::string weights = "f32";
  bool resume = false;
  bool force = false;
  std::string format = "table";
  bool quiet = false;
};

/// epochs: what the option for them says, in a program where it means something else.
template <typename Visitor>
void visit_training(TrainingRequest& request, Visitor&& visit_option,
                    const OptionText& epochs = {.name = "--epochs",
                                                .help = "passes over the data",
                                                .min = 1,
                                                .max = 10000}) {
  const auto visitor = [&visit_option](OptionText text, auto& field) {
    text.common = true;
    visit_option(text, field);
  };
  visitor({.name = "-o,--output",
           .help = "checkpoint folder to write",
           .value = "OUT",
           .required = true},
          request.output);
  visit_option(epochs, request.epochs);
  visitor({.name = "--max-steps", .help = "end after so many steps; without it no limit"},
          request.max_steps);
  visitor({.name = "--batch-size", .help = "examples in a batch", .min = 1, .max = 65536},
          request.batch_size);
  visitor({.name = "--accumulation", .help = "batches in a step", .min = 1, .max = 65536},
          request.accumulation);
  visitor({.name = "--learning-rate", .help = "at its peak", .value = "RATE", .max = 1},
          request.learning_rate);
  visitor({.name = "--warm-up", .help = "share of steps in which the rate rises", .max = 1},
          request.warm_up);
  visitor({.name = "--weight-decay", .help = "of all but biases and norms", .max = 1},
          request.weight_decay);
  visitor({.name = "--clip-norm", .help = "longest gradient; 0: no limit", .max = 1e6},
          request.clip_norm);
  visitor({.name = "--dropout", .help = "share of activations that are dropped", .max = 0.9},
          request.dropout);
  visitor({.name = "--max-length", .help = "longest input in tokens", .min = 3, .max = 65536},
          request.max_length);
  visitor({.name = "--freeze-embeddings", .help = "leave the table of word pieces as it is"},
          request.freeze_embeddings);
  visitor({.name = "--patience", .help = "end after so many epochs with no better score"},
          request.patience);
  visitor({.name = "--bf16", .help = "multiply in bfloat16, where the processor can"},
          request.bf16);
  visitor({.name = "--device", .help = "what computes", .choices = "cpu|cuda"}, request.device);
  visitor({.name = "--seed", .help = "of everything random"}, request.seed);
  visit_threads(request.threads, visitor);
  visitor({.name = "--save-minutes",
           .help = "save this often what --resume needs",
           .value = "M",
           .max = 100000},
          request.save_minutes);
  visitor({.name = "--dtype", .help = "how weights are stored", .choices = "f32|f16"},
          request.weights);
  visitor({.name = "--resume", .help = "go on with an interrupted run, same options"},
          request.resume);
  visitor({.name = "--force", .help = "replace OUT if it exists"}, request.force);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, request.format);
  visit_quiet(request.quiet, visitor);
}

}  // namespace espalier::tools
