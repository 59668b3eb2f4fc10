// How much each part of a model computes for a batch, and from how many bytes of weights: what the
// times of step_times.hpp are held against.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "espalier/types.hpp"
#include "format/spec.hpp"
#include "runtime/step_times.hpp"

namespace espalier::runtime {

/// Of one part of one layer.
struct PartWork {
  double multiply_adds = 0;
  std::uint64_t weight_bytes = 0;  ///< weights, scales and biases as stored, each once
};

/// (layers, parts); embedding and head stand at layer 0.
using StepWork = std::vector<std::array<PartWork, kStepParts>>;

/// Counts the encoder's linears, queries by keys, weights by values, the projection of a factorised
/// word table and the head's linears. Norms, softmax, GELU and sums of embeddings are left out.
/// first_only: of the last layer only what a head needs that reads each sentence's first token:
/// keys and values of all rows, the rest of one row a sentence; what the executor does where
/// head_plan() says first_of_each. `batch` as the executor takes it. Thread-safe.
[[nodiscard]] StepWork count_work(const format::ModelSpec& spec, const TokenBatch& batch,
                                  bool first_only);

}  // namespace espalier::runtime
