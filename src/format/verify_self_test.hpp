// Checks that the self-test of a model can be run and compared.
#pragma once

#include "format/spec.hpp"

namespace espalier::format {

/// Number of outputs that `test` must expect: labels for classify, multi_label and regress, tokens
/// * labels for tag, hidden for embed; for fill_mask min(16, vocabulary) for each [MASK] among the
/// ids.
[[nodiscard]] std::size_t n_expected(const ModelSpec& spec, const SelfTestCase& test) noexcept;

/// Ids, segments, number and finiteness of the outputs, tolerance. `spec` is otherwise checked.
/// Throws Error(verification).
void check_self_test(const ModelSpec& spec);

}  // namespace espalier::format
