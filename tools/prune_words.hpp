// The texts that prune reads for their words: a corpus whose pieces count, and texts that show what
// a smaller vocabulary cuts otherwise.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fine_tuned.hpp"
#include "prune_request.hpp"

namespace espalier::tools {

/// (pieces), how often each occurs in --corpus, or else in --train; empty without either.
[[nodiscard]] std::vector<std::uint64_t> count_pieces(const PruneRequest& request,
                                                      const FineTuned& start);

/// {file: counts} of --eval and --check-text. `after` is cut out of the tokenizer of `start`.
[[nodiscard]] nlohmann::ordered_json segmentation_facts(const PruneRequest& request,
                                                        const FineTuned& start,
                                                        const text::TokenizerSpec& after);

/// A line for each file of segmentation_facts().
[[nodiscard]] std::string segmentation_text(const nlohmann::ordered_json& facts);

}  // namespace espalier::tools
