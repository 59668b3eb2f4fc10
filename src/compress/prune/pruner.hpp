// Pruning methods: what a model can do without. One file a method, one row in pruners.cpp; every
// method ends in a model that is physically smaller and that all other programs read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compress/model/bert.hpp"
#include "compress/prune/cost.hpp"
#include "compress/prune/sample.hpp"
#include "compress/prune/search.hpp"
#include "text/tokenizer.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::prune {

/// Told of long work, in between: how much of it is done, 0 to 1; may throw to end it.
using OnProgress = std::function<void(double share)>;

/// What a method works from. Each method needs a part of it, which its row names.
struct Problem {
  const model::Bert& bert;         // fp32, on the CPU
  const Sample* sample = nullptr;  // training examples
  const Cost* cost = nullptr;      // with `limits`: how small the layers are to become
  SearchLimits limits = {};
  std::uint32_t n_layers = 0;                // how many layers are to stay
  std::string_view layer_choice = "spread";  // which: spread, first, last, contribution
  const text::Tokenizer* tokenizer = nullptr;
  std::span<const std::uint64_t> piece_counts = {};  // (pieces), in a corpus
  std::uint64_t min_count = 1;                       // fewest times a piece occurs to stay
  std::uint32_t rank = 0;                            // of the table of words
  std::uint64_t seed = 1;
  OnProgress on_progress = {};

  void report(double share) const {
    if (on_progress) on_progress(share);
  }
};

/// What became of the model.
struct Pruned {
  model::Bert bert;
  std::vector<std::size_t> layers = {};               // of the original model, those that stayed;
                                                      // empty: all
  std::optional<text::TokenizerSpec> tokenizer = {};  // when it is another
  std::vector<std::string> notes = {};                // what a user should know, a sentence each
};

/// What a method makes smaller, and so which target it takes.
enum class Shrinks { widths, layers, vocabulary, embedding };

/// A row of the table.
struct Method {
  std::string_view name;
  Shrinks shrinks = Shrinks::widths;
  bool needs_sample = false;
  Pruned (*prune)(const Problem& problem) = nullptr;  // null: cuts while it trains (gradual.hpp)

  [[nodiscard]] constexpr bool while_training() const noexcept { return prune == nullptr; }
};

[[nodiscard]] std::span<const Method> methods();

/// Throws Error(usage), listing the names, when there is no such method.
[[nodiscard]] const Method& method(std::string_view name);

// One for each file.
[[nodiscard]] Pruned prune_random(const Problem& problem);
[[nodiscard]] Pruned prune_magnitude(const Problem& problem);
[[nodiscard]] Pruned prune_taylor(const Problem& problem);
[[nodiscard]] Pruned prune_fisher(const Problem& problem);
[[nodiscard]] Pruned prune_kprune(const Problem& problem);
[[nodiscard]] Pruned prune_layers(const Problem& problem);
[[nodiscard]] Pruned prune_vocabulary(const Problem& problem);
[[nodiscard]] Pruned prune_embedding(const Problem& problem);

/// The cut that these scores ask for: all that the three simple methods do after scoring.
[[nodiscard]] Pruned cut_by(const Problem& problem, const Scores& scores);

}  // namespace espalier::prune
