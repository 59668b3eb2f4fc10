// What `espalier bench` is asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli.hpp"

namespace espalier::tools {

struct BenchRequest {
  std::vector<std::string> models;
  std::string batches = "1,8";
  std::optional<std::string> lengths_each;
  std::string lengths;
  std::string texts;
  std::uint32_t threads = 0;
  std::string streams = "1";
  std::uint32_t warmup = 5;
  std::uint32_t repeat = 50;
  double duration_s = 0;
  bool energy = false;
  std::optional<std::string> grid;
  std::optional<double> pue;
  double idle_s = 0;
  std::string backend = "auto";
  std::string format = "table";
  bool quiet = false;
};

inline constexpr const char* kDefaultLengths = "16,128";

template <typename Visitor>
void visit(BenchRequest& request, Visitor&& visitor) {
  visitor({.name = "MODEL",
           .help = "model files (.espl); several are timed in turns",
           .required = true},
          request.models);
  visitor({.name = "-b,--batch", .help = "sentences of a call", .value = "LIST"}, request.batches);
  visitor({.name = "-s,--seq", .help = "tokens of a sentence; without it 16,128", .value = "LIST"},
          request.lengths_each);
  visitor({.name = "--lengths",
           .help = "instead: one call with sentences of these tokens",
           .value = "FILE|LIST"},
          request.lengths);
  visitor({.name = "--texts",
           .help = "instead: texts, one a line; - is standard input",
           .value = "FILE"},
          request.texts);
  visitor({.name = "-t,--threads",
           .help = "threads a stream; without it 1, with one stream all processors",
           .min = 1,
           .max = 1024},
          request.threads);
  visitor({.name = "--streams",
           .help = "calls at the same time, each with a session of its own",
           .value = "LIST"},
          request.streams);
  visitor({.name = "--warmup", .help = "calls before the clock starts", .max = 1000000},
          request.warmup);
  visitor({.name = "-r,--repeat", .help = "calls that are timed", .min = 1, .max = 1000000},
          request.repeat);
  visitor({.name = "--duration",
           .help = "seconds to go on for at least, beyond --repeat",
           .value = "S",
           .max = 86400},
          request.duration_s);
  visitor({.name = "--energy", .help = "joules too, over a second or --duration each"},
          request.energy);
  visitor({.name = "--grid",
           .help = "with --energy: region code or gCO2e/kWh; without it WORLD",
           .value = "DE|G"},
          request.grid);
  visitor({.name = "--pue",
           .help = "with --energy: power usage effectiveness; without it 1",
           .value = "P",
           .min = 1,
           .max = 10},
          request.pue);
  visitor({.name = "--idle",
           .help = "with --energy: seconds to watch the idle machine, to subtract",
           .value = "S",
           .max = 3600},
          request.idle_s);
  visitor({.name = "--backend", .help = "what computes", .choices = "auto|cpu|reference"},
          request.backend);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json|jsonl|md|csv"},
          request.format);
  visit_quiet(request.quiet, visitor);
}

}  // namespace espalier::tools
