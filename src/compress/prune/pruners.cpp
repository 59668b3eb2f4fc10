// The table of methods, and what several of them share.
#include "compress/prune/pruner.hpp"
#include "espalier/error.hpp"

namespace espalier::prune {
namespace {

constexpr Method kMethods[] = {
    {.name = "random", .prune = prune_random},
    {.name = "magnitude", .prune = prune_magnitude},
    {.name = "taylor", .needs_sample = true, .prune = prune_taylor},
    {.name = "fisher", .needs_sample = true, .prune = prune_fisher},
    {.name = "kprune", .needs_sample = true, .prune = prune_kprune},
    {.name = "gradual"},
    {.name = "layers", .shrinks = Shrinks::layers, .prune = prune_layers},
    {.name = "vocab", .shrinks = Shrinks::vocabulary, .prune = prune_vocabulary},
    {.name = "embedding", .shrinks = Shrinks::embedding, .prune = prune_embedding},
};

}  // namespace

std::span<const Method> methods() {
  return kMethods;
}

const Method& method(std::string_view name) {
  std::string names;
  for (const Method& row : kMethods) {
    if (row.name == name) return row;
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(ErrorCode::usage,
              "there is no method '" + std::string(name) + "'; the methods are " + names);
}

Pruned cut_by(const Problem& problem, const Scores& scores) {
  const std::vector<model::Kept> kept = search(scores, *problem.cost, problem.limits);
  return {.bert = model::cut(problem.bert, kept)};
}

}  // namespace espalier::prune
