// The options of espalier compress.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli.hpp"
#include "column_request.hpp"

namespace espalier::tools {

struct CompressRequest {
  std::string folder;
  std::string output;
  std::string preset;
  std::string recipe;
  bool print_recipe = false;
  bool dry_run = false;
  std::string train;
  std::string eval;
  std::string gate;
  ColumnRequest columns;
  std::optional<double> max_drop;
  std::optional<double> max_slice_drop;
  std::optional<double> confidence;
  std::optional<double> target_speedup;
  std::optional<double> target_size;
  std::string trim_vocab;
  std::string work;
  bool bf16 = false;
  std::uint32_t seed = 1;
  std::uint32_t threads = 0;
  bool force = false;
  std::string format = "table";
  bool quiet = false;
};

template <typename Visitor>
void visit(CompressRequest& request, Visitor&& visitor) {
  visitor({.name = "DIR", .help = "checkpoint folder in Hugging Face layout", .required = true},
          request.folder);
  visitor({.name = "-o,--output", .help = "model file to write", .value = "FILE", .required = true},
          request.output);
  visitor({.name = "--preset",
           .help = "built-in recipe; without one light",
           .choices = "light|balanced|small|tiny"},
          request.preset);
  visitor({.name = "--recipe", .help = "stages of your own, in YAML", .value = "FILE"},
          request.recipe);
  visitor({.name = "--print-recipe", .help = "print the recipe, to start one from, and end"},
          request.print_recipe);
  visitor({.name = "--dry-run", .help = "print the plan with predictions, and end"},
          request.dry_run);
  visitor({.name = "--train", .help = "labelled rows to learn from, .gz too", .value = "FILE"},
          request.train);
  visitor({.name = "--eval", .help = "labelled rows to judge by", .value = "FILE"}, request.eval);
  visitor({.name = "--gate",
           .help = "held-out rows that decide; else a third of --eval",
           .value = "FILE"},
          request.gate);
  visit_columns(request.columns, visitor);
  visit_slices(request.columns, visitor);
  visitor({.name = "--max-drop",
           .help = "points of percent that may be lost: 0.5 is half a point",
           .value = "P",
           .max = 100},
          request.max_drop);
  visitor({.name = "--max-slice-drop",
           .help = "points that any label or slice may lose; 1 is one point",
           .value = "P",
           .max = 100},
          request.max_slice_drop);
  visitor({.name = "--confidence",
           .help = "0.95: the upper end of the interval decides",
           .value = "C",
           .min = 0.5,
           .max = 0.9999},
          request.confidence);
  visitor({.name = "--target-speedup",
           .help = "X times as fast as DIR in fp32, one text at a time",
           .value = "X",
           .min = 0.01,
           .max = 1000},
          request.target_speedup);
  visitor({.name = "--target-size",
           .help = "largest file, in MB of 10^6 bytes",
           .value = "MB",
           .min = 0.001,
           .max = 1e6},
          request.target_size);
  visitor(
      {.name = "--trim-vocab", .help = "keep only the word pieces of this text", .value = "CORPUS"},
      request.trim_vocab);
  visitor({.name = "--work", .help = "what is kept to go on from; else FILE.work", .value = "DIR"},
          request.work);
  visitor({.name = "--bf16", .help = "train in bfloat16, where the processor can"}, request.bf16);
  visitor({.name = "--seed", .help = "of everything random"}, request.seed);
  visit_threads(request.threads, visitor);
  visitor({.name = "--force", .help = "replace FILE, start another run in --work"}, request.force);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json"}, request.format);
  visit_quiet(request.quiet, visitor);
}

}  // namespace espalier::tools
