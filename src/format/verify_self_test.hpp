// Checks that the self-test of a model can be run and compared.
#pragma once

#include "format/spec.hpp"

namespace espalier::format {

/// Whether every back end answers with the same bits: an int8 model whose linears are all int8. Its
/// word table may be of floats: what is done with words is canonical arithmetic in any type.
[[nodiscard]] bool answers_bit_equal(const ModelSpec& spec) noexcept;

/// Number of outputs that `test` must expect: labels for classify, multi_label and regress, tokens
/// * labels for tag, hidden for embed; for fill_mask min(16, vocabulary) for each [MASK] among the
/// ids.
[[nodiscard]] std::size_t n_expected(const ModelSpec& spec, const SelfTestCase& test) noexcept;

/// Ids, segments, number and finiteness of the outputs, tolerance. `spec` is otherwise checked.
/// Throws Error(verification).
void check_self_test(const ModelSpec& spec);

}  // namespace espalier::format
