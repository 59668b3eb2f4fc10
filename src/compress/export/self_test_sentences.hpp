// The fixed sentences that every model file answers to prove itself. They are this project's own,
// never a user's.
#pragma once

#include <cstdint>
#include <vector>

#include "espalier/types.hpp"
#include "format/spec.hpp"
#include "text/tokenizer.hpp"

namespace espalier::compress {

/// The sentences for a task, encoded, without answers yet: plain words, a pair, characters outside
/// most vocabularies, numbers and marks; for fill_mask each holds one [MASK], near its beginning so
/// that truncation leaves it.
[[nodiscard]] std::vector<format::SelfTestCase> self_test_sentences(
    Task task, const text::Tokenizer& tokenizer, std::uint32_t max_length,
    std::uint32_t n_segments);

}  // namespace espalier::compress
