// A model's proof that it answers here as it did where it was made: fixed sentences whose answers
// the reference back end computed when the file was written.
#pragma once

#include <cstddef>
#include <vector>

#include "format/spec.hpp"
#include "runtime/executor.hpp"

namespace espalier::runtime {

/// Of a [MASK], only the first logits are stored and compared: a vocabulary of 30,000 floats a case
/// would make the self-test larger than some models.
inline constexpr std::uint32_t kSelfTestMaskLogits = 16;

struct SelfTestResult {
  bool passed = true;
  float worst = 0;  ///< largest |difference| / max(1, |expected|); infinite if not a number
  std::size_t case_index = 0;  ///< of the first failing case, else of the worst
};

/// Runs the self-test of the executor's model, each case alone, and compares within its tolerance
/// (0: bit-equal). A model without cases passes. Throws as Executor::run() does.
[[nodiscard]] SelfTestResult self_test(Executor& executor);

/// Replaces spec.self_test by `cases` with `expected` computed by the reference back end on
/// `threads` threads, and sets the tolerance: 0 when every linear is int8. The rest of `spec` must
/// be complete. Throws as Executor::run() does.
void record_self_test(format::ModelSpec& spec, std::vector<format::SelfTestCase> cases,
                      unsigned threads);

}  // namespace espalier::runtime
