// The table of methods, and what several of them share.
#include "compress/prune/pruner.hpp"
#include "espalier/error.hpp"

namespace espalier::prune {
namespace {

constexpr Method kMethods[] = {
    {.name = "random",
     .summary = "units by lot: what every method must beat",
     .prune = prune_random},
    {.name = "magnitude",
     .summary = "units with the smallest weights go",
     .prune = prune_magnitude},
    {.name = "taylor",
     .summary = "units go whose gradients say that the loss would not notice",
     .needs_sample = true,
     .prune = prune_taylor},
    {.name = "fisher",
     .summary =
         "by Fisher information; the weights that are left are fitted to make up for the rest",
     .needs_sample = true,
     .prune = prune_fisher},
    {.name = "kprune",
     .summary = "half a layer at a time, each with its weights fitted anew: for deep cuts",
     .needs_sample = true,
     .prune = prune_kprune},
    {.name = "layers",
     .summary = "whole layers",
     .shrinks = Shrinks::layers,
     .prune = prune_layers},
    {.name = "vocab",
     .summary = "word pieces that a corpus does not need",
     .shrinks = Shrinks::vocabulary,
     .prune = prune_vocabulary},
    {.name = "embedding",
     .summary = "the table of words as two narrow factors",
     .shrinks = Shrinks::embedding,
     .prune = prune_embedding},
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
