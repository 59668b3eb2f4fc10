// The options of espalier tradeoff.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli.hpp"
#include "column_request.hpp"

namespace espalier::tools {

struct TradeoffRequest {
  std::string folder;
  std::string train;
  std::string eval;
  ColumnRequest columns;
  std::string texts;
  std::string output;
  std::vector<std::string> with;
  bool quick = false;
  std::uint32_t explain = 50;
  std::uint32_t rounds = 30;
  std::string grid = "WORLD";
  double pue = 1.0;
  bool no_texts = false;
  bool bf16 = false;
  std::uint32_t seed = 1;
  std::uint32_t threads = 0;
  bool force = false;
  std::string format = "table";
  bool quiet = false;
};

template <typename Visitor>
void visit(TradeoffRequest& request, Visitor&& visitor) {
  visitor({.name = "DIR", .help = "checkpoint folder in Hugging Face layout", .required = true},
          request.folder);
  visitor({.name = "-o,--output",
           .help = "folder for the model files and the report",
           .value = "OUT",
           .required = true},
          request.output);
  visitor({.name = "--eval",
           .help = "labelled rows to score by; nothing learns from them",
           .value = "FILE",
           .required = true},
          request.eval);
  visitor({.name = "--train", .help = "labelled rows to learn from, .gz too", .value = "FILE"},
          request.train);
  visit_columns(request.columns, visitor);
  visit_slices(request.columns, visitor);
  visitor({.name = "--explain",
           .help = "rows to compare reasons and parts on; 0: none",
           .max = 1000000},
          request.explain);
  visitor({.name = "--texts",
           .help = "time these, a line each; else pieces drawn with a seed",
           .value = "FILE"},
          request.texts);
  visitor({.name = "--quick", .help = "fp32, int8 and int4 alone: no training, no LibTorch"},
          request.quick);
  visitor({.name = "--with",
           .help = "results.json whose models stand beside these; repeatable",
           .value = "FILE"},
          request.with);
  visitor({.name = "-r,--rounds", .help = "rounds that are timed", .min = 1, .max = 100000},
          request.rounds);
  visitor({.name = "--grid", .help = "country code or grams of CO2e per kWh", .value = "GRID"},
          request.grid);
  visitor({.name = "--pue",
           .help = "power usage effectiveness of the building",
           .value = "X",
           .min = 1,
           .max = 10},
          request.pue);
  visitor({.name = "--no-texts", .help = "leave sentences of the data out of the report"},
          request.no_texts);
  visitor({.name = "--bf16", .help = "train in bfloat16, where the processor can"}, request.bf16);
  visitor({.name = "--seed", .help = "of everything random"}, request.seed);
  visit_threads(request.threads, visitor);
  visitor({.name = "--force", .help = "start over where OUT holds another run"}, request.force);
  visitor({.name = "--format", .help = "how to print", .choices = "table|md|json"}, request.format);
  visit_quiet(request.quiet, visitor);
}

}  // namespace espalier::tools
