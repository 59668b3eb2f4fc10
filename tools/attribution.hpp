// Why this answer: what each token and each word adds to it, told by leaving it out. Public API
// alone, and no gradients: it works on any back end and precision, as the model runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "espalier/espalier.hpp"

namespace espalier::tools {

/// A token or a word of the input.
struct AttributedPart {
  std::string text;          // a token as the vocabulary spells it; a word as it stands in the text
  std::uint8_t segment = 0;  // 1 in the second text of a pair
  ByteSpan bytes;            // in the text of its segment
  double score = 0;
};

struct Attribution {
  Classification answer;
  std::size_t label = 0;               // the scores are about it
  std::vector<AttributedPart> tokens;  // in order, special ones not counted
  std::vector<AttributedPart> words;   // tokens of one word left out together
};

/// Whether answers of a task are one label or number of a whole text.
[[nodiscard]] bool is_attributable(Task task) noexcept;

/// Throws Error(usage) unless the model answers with labels of a text or a number.
void check_attributable(const ModelInfo& info);

/// Answers `text` and, in one packed batch, the text without each token and without each word. A
/// score is by how much the answer is stronger with the part than without it: in log-odds of the
/// label (classify, multi_label), or in the number's unit (regress). Above 0 the part speaks for
/// the label. label: which; without one the model's answer. max_length: as the session has it, 0
/// for the model's own; what is cut off has no score. Takes about (tokens + words) times the work
/// of an answer. Throws as check_attributable() and Session::run(). Source: Li, Monroe and Jurafsky
/// 2016, "Understanding Neural Networks through Representation Erasure", arXiv 1612.08220.
[[nodiscard]] Attribution attribute(const Model& model, Session& session, const Text& text,
                                    std::uint32_t max_length = 0,
                                    const std::optional<std::size_t>& label = std::nullopt);

/// Appends one line of JSON: the answer, then tokens and words with text, start and end in
/// characters, score, and for pairs segment.
void append_json_line(std::string& out, const Attribution& attribution, const ModelInfo& info,
                      const Text& text, bool with_logits);

/// Appends the answer's line and one for each word, with the tokens of words that have several.
void append_table_lines(std::string& out, const Attribution& attribution, const ModelInfo& info,
                        const Text& text);

}  // namespace espalier::tools
