// How far the second model's reasons are from the first's: the words that speak for an answer, of
// the same texts and the same label, by rank and by the strongest few.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "data/reader.hpp"
#include "evaluation.hpp"

namespace espalier::tools {

/// Of the first `n_texts` rows that have two words or more in both models: {n_texts, n_skipped,
/// mean_spearman, mean_top5_overlap, texts}, texts the lowest rank correlation first, each with
/// line, text, label (A's answer, which the scores of both are about), spearman, top5_overlap and
/// words with their scores a and b. Words are matched by their place in the text, so that models
/// may cut them into different pieces. spearman is null where one model's scores are all the same,
/// which counts as the lowest and not in the mean. Contestants: A is the other, B the model.
/// Throws Error(usage) as check_attributable(), Error(interrupted).
[[nodiscard]] nlohmann::ordered_json compare_attributions(Contestants& contestants,
                                                          data::Reader& reader,
                                                          std::size_t n_texts);

/// The same for a terminal: the means, and the worst texts with what moved most.
[[nodiscard]] std::string attribution_text(const nlohmann::ordered_json& comparison);

}  // namespace espalier::tools
