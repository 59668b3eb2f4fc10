// Low-rank factorisation of the table of word embeddings: a narrow table and one projection in
// place of a wide table. As large as the vocabulary is, it saves the most where encoders are small.
#pragma once

#include <cstdint>
#include <span>

#include "compress/model/bert.hpp"

namespace espalier::prune {

struct FactorisedBert {
  model::Bert bert;  // shares all else with the model given
  /// ‖table - factors‖ / ‖table‖, Frobenius; every row counts alike.
  double relative_error = 0;
  /// The same with every row counted as often as it was weighted: what was made smallest.
  double weighted_error = 0;
};

/// `bert` with its table E (vocabulary, hidden) as (E V) Vᵀ, V (hidden, rank) orthonormal. counts:
/// (vocabulary), how often each piece occurs, or empty; row i weighs count + 1, so that the rank is
/// spent on words that are read. Of all tables of that rank this one has the smallest weighted
/// squared error (Eckart and Young 1936): V are the first right singular vectors of the weighted
/// table, found as eigenvectors of its (hidden, hidden) Gram matrix in double, signs fixed.
/// Throws Error(usage) when rank is 0 or no smaller than what the table has, counts are of another
/// vocabulary, or `bert` is a masked LM, whose decoder the table is.
[[nodiscard]] FactorisedBert factorise_embedding(const model::Bert& bert, std::uint32_t rank,
                                                 std::span<const std::uint64_t> counts);

}  // namespace espalier::prune
