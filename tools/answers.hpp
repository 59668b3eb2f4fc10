// One answer as one line of JSON, or as text to look at. Public API alone.
#pragma once

#include <string>
#include <string_view>

#include "espalier/espalier.hpp"

namespace espalier::tools {

/// Each appends one answer, its line feed included. `text` is what was asked.
/// JSON: label, score, scores, logits when `with_logits`; spans with start and end in characters;
/// embedding; masks; and for all n_tokens and truncated.
void append_json_line(std::string& out, const Classification& answer, const ModelInfo& info,
                      bool with_logits);
void append_json_line(std::string& out, const Tagging& answer, std::string_view text);
void append_json_line(std::string& out, const Embedding& answer);
void append_json_line(std::string& out, const FilledMasks& answer);

void append_table_line(std::string& out, const Classification& answer, const ModelInfo& info,
                       std::string_view text);
void append_table_line(std::string& out, const Tagging& answer, std::string_view text);
void append_table_line(std::string& out, const Embedding& answer, std::string_view text);
void append_table_line(std::string& out, const FilledMasks& answer, std::string_view text);

}  // namespace espalier::tools
