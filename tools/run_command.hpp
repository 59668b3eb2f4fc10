// `espalier run` and `espalier-run`: texts in, one answer a line out. Public API alone, so that it
// is also the example of what a program on the installed library looks like.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli.hpp"

namespace espalier::tools {

struct RunOptions {
  std::string model;
  std::vector<std::string> texts;
  std::vector<std::string> pairs;
  std::string input;
  bool logits = false;
  bool attribute = false;
  std::uint32_t top = 5;
  std::uint32_t max_length = 0;
  std::uint32_t threads = 0;
  std::string backend = "auto";
  std::string format = "jsonl";
  bool quiet = false;
};

template <typename Visitor>
void visit(RunOptions& options, Visitor&& visitor) {
  visitor({.name = "MODEL", .help = "model file (.espl)", .required = true}, options.model);
  visitor({.name = "--text", .help = "a text; repeat for more", .value = "T"}, options.texts);
  visitor({.name = "--pair", .help = "second text of the --text at the same place", .value = "T"},
          options.pairs);
  visitor({.name = "--input",
           .help = "file with one text a line; - is standard input",
           .value = "FILE"},
          options.input);
  visitor({.name = "--logits", .help = "raw logits too, of classification and regression"},
          options.logits);
  visitor({.name = "--attribute", .help = "what each token and word adds, by leaving it out"},
          options.attribute);
  visitor({.name = "--top", .help = "proposals for each [MASK]", .min = 1, .max = 1000},
          options.top);
  visitor({.name = "--max-length",
           .help = "longest text in tokens; without it the model's own",
           .min = 2},
          options.max_length);
  visit_threads(options.threads, visitor);
  visitor({.name = "--backend", .help = "what computes", .choices = "auto|cpu|reference"},
          options.backend);
  visitor(
      {.name = "--format", .help = "lines of JSON, or text to look at", .choices = "jsonl|table"},
      options.format);
  visit_quiet(options.quiet, visitor);
}

/// The verb, or with `program` "espalier-run" the program of that name.
[[nodiscard]] Command run_command(std::string_view program);

}  // namespace espalier::tools
