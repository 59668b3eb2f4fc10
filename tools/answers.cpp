#include "answers.hpp"

#include <algorithm>
#include <cstdio>
#include <span>
#include <vector>

#include "json_text.hpp"

namespace espalier::tools {
namespace {

constexpr std::size_t kShownCharacters = 60;  // of a text, so that a row fits a terminal
constexpr std::size_t kShownValues = 4;       // of an embedding

std::string_view label_of(const ModelInfo& info, std::size_t label) {
  return label < info.labels.size() ? std::string_view(info.labels[label]) : "value";
}

void append_key(std::string& out, std::string_view key) {
  out += out.empty() || out.back() == '\n' ? "{" : ", ";
  append_json(out, key);
  out += ": ";
}

void append_list(std::string& out, std::span<const float> values) {
  out += '[';
  for (std::size_t index = 0; index < values.size(); ++index) {
    if (index > 0) out += ", ";
    append_json(out, values[index]);
  }
  out += ']';
}

template <typename Answer>
void append_end(std::string& out, const Answer& answer) {
  append_key(out, "n_tokens");
  out += std::to_string(answer.n_tokens);
  append_key(out, "truncated");
  out += answer.truncated ? "true}\n" : "false}\n";
}

std::string fixed(float value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.4f", static_cast<double>(value));
  return digits;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string_view part(std::string_view text, ByteSpan span) {
  return text.substr(std::min<std::size_t>(span.begin, text.size()), span.end - span.begin);
}

}  // namespace

void append_json_line(std::string& out, const Classification& answer, const ModelInfo& info,
                      bool with_logits) {
  append_key(out, "label");
  append_json(out, label_of(info, answer.label));
  append_key(out, "score");
  append_json(out, answer.score);
  append_key(out, "scores");
  for (std::size_t label = 0; label < answer.scores.size(); ++label) {
    out += label == 0 ? "{" : ", ";
    append_json(out, label_of(info, label));
    out += ": ";
    append_json(out, answer.scores[label]);
  }
  out += '}';
  if (with_logits) {
    append_key(out, "logits");
    append_list(out, answer.logits);
  }
  append_end(out, answer);
}

void append_json_line(std::string& out, const Tagging& answer, std::string_view text) {
  std::vector<ByteSpan> bytes;
  for (const TaggedSpan& span : answer.spans) bytes.push_back(span.bytes);
  const std::vector<ByteSpan> characters = character_spans(text, bytes);
  append_key(out, "spans");
  out += '[';
  for (std::size_t index = 0; index < answer.spans.size(); ++index) {
    out += index == 0 ? "{\"label\": " : ", {\"label\": ";
    append_json(out, answer.spans[index].label);
    out += ", \"start\": " + std::to_string(characters[index].begin);
    out += ", \"end\": " + std::to_string(characters[index].end);
    out += ", \"text\": ";
    append_json(out, part(text, bytes[index]));
    out += ", \"score\": ";
    append_json(out, answer.spans[index].score);
    out += '}';
  }
  out += ']';
  append_end(out, answer);
}

void append_json_line(std::string& out, const Embedding& answer) {
  append_key(out, "embedding");
  append_list(out, answer.values);
  append_end(out, answer);
}

void append_json_line(std::string& out, const FilledMasks& answer) {
  append_key(out, "masks");
  out += '[';
  for (std::size_t mask = 0; mask < answer.masks.size(); ++mask) {
    out += mask == 0 ? "[" : ", [";
    for (std::size_t rank = 0; rank < answer.masks[mask].size(); ++rank) {
      const MaskCandidate& candidate = answer.masks[mask][rank];
      out += rank == 0 ? "{\"piece\": " : ", {\"piece\": ";
      append_json(out, candidate.piece);
      out += ", \"id\": " + std::to_string(to_int(candidate.id)) + ", \"score\": ";
      append_json(out, candidate.score);
      out += '}';
    }
    out += ']';
  }
  out += ']';
  append_end(out, answer);
}

void append_table_line(std::string& out, const Classification& answer, const ModelInfo& info,
                       std::string_view text) {
  std::size_t width = 0;
  for (const std::string& label : info.labels) width = std::max(width, label.size());
  out += padded(one_line(label_of(info, answer.label), 40), std::min<std::size_t>(width, 40)) +
         "  " + fixed(answer.score) + "  " + one_line(text, kShownCharacters) + "\n";
}

void append_table_line(std::string& out, const Tagging& answer, std::string_view text) {
  out += one_line(text, kShownCharacters) + "\n";
  for (const TaggedSpan& span : answer.spans) {
    out += "  " + padded(one_line(span.label, 40), 8) + "  " + fixed(span.score) + "  " +
           one_line(part(text, span.bytes), kShownCharacters) + "\n";
  }
}

void append_table_line(std::string& out, const Embedding& answer, std::string_view text) {
  out += '[';
  for (std::size_t index = 0; index < std::min(kShownValues, answer.values.size()); ++index) {
    out += (index > 0 ? ", " : "") + fixed(answer.values[index]);
  }
  out += ", ...] of " + std::to_string(answer.values.size()) + "  " +
         one_line(text, kShownCharacters) + "\n";
}

void append_table_line(std::string& out, const FilledMasks& answer, std::string_view text) {
  out += one_line(text, kShownCharacters) + "\n";
  for (const std::vector<MaskCandidate>& candidates : answer.masks) {
    out += " ";
    for (const MaskCandidate& candidate : candidates) {
      out += " " + one_line(candidate.piece, 40) + " (" + fixed(candidate.score) + ")";
    }
    out += "\n";
  }
}

}  // namespace espalier::tools
