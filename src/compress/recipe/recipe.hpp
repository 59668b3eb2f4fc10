// Start here: a recipe is an ordered list of stages, each a command with its options, that ends
// with quantize. Written as YAML:
//   stages:
//     - prune: {method: kprune, target-flops: 2, recover-epochs: 2}
//     - quantize
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "compress/recipe/catalogue.hpp"

namespace espalier::recipe {

struct Setting {
  std::string name;                 ///< of a StageOption
  std::vector<std::string> values;  ///< one; several where it is repeatable; none for a flag
};

struct Stage {
  std::string verb;
  std::vector<Setting> settings;  ///< in the order of the recipe
  std::size_t line = 0;           ///< of the recipe, from 1; 0: added by the program

  /// Null when it is not set.
  [[nodiscard]] const Setting* find(std::string_view name) const;
  /// Its only value, or `fallback`.
  [[nodiscard]] std::string value(std::string_view name, std::string_view fallback = {}) const;
  /// Its value as a number, 0 when it is not set; values were checked when they were read.
  [[nodiscard]] double number(std::string_view name) const;
  /// Whether it learns from or looks at labelled rows.
  [[nodiscard]] bool needs_train() const;
  /// Whether it trains weights.
  [[nodiscard]] bool learns() const;
};

struct Recipe {
  std::string name;  ///< of the preset, or the file's without folders
  std::string text;  ///< as read
  std::vector<Stage> stages;

  [[nodiscard]] bool needs_train() const;
};

/// Reads a recipe. name: how errors call it. Throws Error(bad_input), naming the line and what to
/// write instead, for what is no YAML, a stage or option that there is not, a value that the
/// command would refuse, options that compress gives itself, and stages in an order that cannot be.
[[nodiscard]] Recipe parse_recipe(const std::string& name, const std::string& text,
                                  const Catalogue& catalogue);

/// parse_recipe() on a file of at most 1 MB.
[[nodiscard]] Recipe read_recipe(const std::string& path, const Catalogue& catalogue);

/// Sets `bf16` in every stage that learns and does not say it. Returns whether there is one.
bool learn_in_bf16(Recipe& recipe);

/// The stage as one line: "prune method=kprune target-flops=2".
[[nodiscard]] std::string one_line(const Stage& stage);

}  // namespace espalier::recipe
