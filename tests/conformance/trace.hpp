// Everything that a back end lets one see while it encodes a block, to be compared with another's.
#pragma once

#include <string>
#include <vector>

#include "runtime/backend.hpp"
#include "tests/support/batches.hpp"

namespace espalier::testing {

/// What one step left behind.
struct Observation {
  std::string step;           // "layer 1 context"
  std::vector<float> values;  // (rows, width)
};

/// Encodes `batch` as one block on a team of one, reading every tap after every step, and runs the
/// head on all rows of the workspace.
[[nodiscard]] std::vector<Observation> trace(const runtime::Backend& backend,
                                             const format::ModelSpec& spec,
                                             const TokenBatch& batch);

/// Largest distance between fp32 values that took the `steps`-th turn through the model, where rows
/// are of order 1 (LayerNorm). Each step is at most three sums, none longer than `depth`; in any
/// order a sum of k products is off by at most k u Σ|x w|, u = 2^-24 (Higham 2002, §3.1). With |x|
/// ~ 1 and weights of deviation 0.9 / √k, Σ|x w| is about 0.6 √k, and the norms after it neither
/// shrink nor grow a row. Errors of earlier steps pass through and add up.
[[nodiscard]] float fp32_tolerance(std::size_t steps, std::uint32_t depth) noexcept;

/// The same for bf16. A step whose rows agree within fp32_tolerance may still round one of them to
/// the other bfloat16: 2^-7 of a value of order 1 at worst. In a sum such roundings, by chance up
/// or down, with weights of deviation 0.9 / √k move a result by 2^-7 / √12 * 0.9 = 0.002, and 4.5
/// deviations, which one in 150,000 exceeds, by 0.0092. A step is at most two such linears, and the
/// residual carries those of earlier steps, which add in squares.
[[nodiscard]] float bf16_tolerance(std::size_t steps, std::uint32_t depth) noexcept;

/// Widest sum in the model.
[[nodiscard]] std::uint32_t widest_sum(const format::ModelSpec& spec) noexcept;

}  // namespace espalier::testing
