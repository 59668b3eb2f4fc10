// A small catalogue for tests of recipes: the shape of the real one, with commands that check
// little.
#pragma once

#include <string>
#include <vector>

#include "compress/recipe/catalogue.hpp"
#include "espalier/error.hpp"

namespace espalier::testing {

inline recipe::StageOption option(const std::string& name, bool is_flag = false) {
  return {.name = name,
          .is_flag = is_flag,
          .is_repeatable = name == "keep" || name == "tensor-type",
          .is_required = name == "task" || name == "DIR" || name == "output",
          .is_file = name == "DIR" || name == "corpus" || name == "teacher",
          .check = [name](const std::vector<std::string>& values) {
            if (name != "rank") return;
            for (const char c : values.at(0)) {
              if (c < '0' || c > '9') {
                throw Error(ErrorCode::usage,
                            "--rank takes a whole number, not '" + values[0] + "'");
              }
            }
          }};
}

inline recipe::Catalogue catalogue() {
  return {
      .kinds = {{.verb = "distill",
                 .options = {option("teacher"), option("student"), option("student-layers"),
                             option("student-hidden"), option("train"), option("eval"),
                             option("epochs"), option("cache"), option("bf16", /*is_flag=*/true),
                             option("seed"), option("threads"), option("output")}},
                {.verb = "finetune",
                 .options = {option("DIR"), option("task"), option("train"), option("epochs"),
                             option("seed"), option("threads"), option("output")}},
                {.verb = "prune",
                 .options = {option("DIR"),
                             option("method"),
                             option("rank"),
                             option("neuron-multiple"),
                             option("target-flops"),
                             option("target-speedup"),
                             option("target-size"),
                             option("keep-layers"),
                             option("corpus"),
                             option("teacher"),
                             option("recover-epochs"),
                             option("dtype"),
                             option("bf16", /*is_flag=*/true),
                             option("learning-rate"),
                             option("freeze-embeddings", /*is_flag=*/true),
                             option("train"),
                             option("eval"),
                             option("seed"),
                             option("threads"),
                             option("output")}},
                {.verb = "quantize",
                 .options = {option("DIR"), option("keep"), option("tensor-type"),
                             option("weights"), option("embeddings"), option("group"),
                             option("rounding"), option("threads"), option("output")}}},
      .suggest = [](std::string_view word, std::span<const std::string_view> candidates) {
        for (const std::string_view candidate : candidates) {
          if (candidate.substr(0, 3) == word.substr(0, 3)) {
            return "; did you mean '" + std::string(candidate) + "'?";
          }
        }
        return std::string();
      }};
}

}  // namespace espalier::testing
