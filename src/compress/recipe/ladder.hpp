// The candidates of a run, smallest first: the recipe as it is, then with more and more parts left
// in bf16, then with cuts half as deep (on a logarithmic scale), and those with parts in bf16.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "compress/recipe/budget.hpp"
#include "compress/recipe/recipe.hpp"
#include "compress/recipe/shape.hpp"

namespace espalier::recipe {

struct Candidate {
  std::string name;            ///< "balanced", "balanced, 2 parts in bf16", "balanced, lighter"
  std::vector<Stage> stages;   ///< quantize last
  std::size_t n_spared = 0;    ///< parts that int8 hurts most and that stay in bf16 for it
  std::optional<Shape> shape;  ///< as predicted

  /// Predicted bytes of the file; nothing where the shape is not known.
  [[nodiscard]] std::optional<double> bytes() const;
};

/// The stages with lighter cuts; nothing when there is no cut to make lighter.
[[nodiscard]] std::optional<std::vector<Stage>> lighter(const std::vector<Stage>& stages,
                                                        const Shape& start);

/// One candidate when nothing is asked of accuracy. Those whose predicted file is well over the
/// target are left out, but for the first: where all are, it is the only one.
[[nodiscard]] std::vector<Candidate> make_candidates(const Recipe& recipe, const Shape& start,
                                                     const Limits& limits);

/// The quantize stage with `parts` in bf16, added to the rules it has.
[[nodiscard]] Stage sparing(Stage quantize, const std::vector<std::string>& parts);

}  // namespace espalier::recipe
