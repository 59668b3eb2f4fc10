#include "attribution.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <span>

#include "answers.hpp"
#include "json_text.hpp"

namespace espalier::tools {
namespace {

constexpr std::string_view kContinuation = "##";  // of pieces that go on with a word
constexpr std::size_t kShownCharacters = 40;
constexpr std::size_t kScoreWidth = 10;  // "+12.3456" and an indent

// Tokens of the batch's one sentence: [begin, end).
struct TokenRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const { return end - begin; }
};

std::string_view text_of(const Text& text, std::uint8_t segment) {
  return segment == 0 ? text.first : text.second.value_or("");
}

// Each token that stands for bytes of the text, and each run of them that is one word.
struct Parts {
  std::vector<TokenRange> tokens;
  std::vector<TokenRange> words;
};

Parts parts_of(const TokenBatch& sentence, const Tokenizer& tokenizer) {
  Parts parts;
  for (std::size_t token = 0; token < sentence.n_tokens(); ++token) {
    if (sentence.spans[token].begin == sentence.spans[token].end) continue;  // [CLS], [SEP]
    const bool goes_on = !parts.words.empty() && parts.words.back().end == token &&
                         tokenizer.piece(sentence.ids[token]).starts_with(kContinuation);
    if (goes_on) {
      parts.words.back().end = token + 1;
    } else {
      parts.words.push_back({token, token + 1});
    }
    parts.tokens.push_back({token, token + 1});
  }
  return parts;
}

// The sentence once for each range, without it.
TokenBatch batch_without(const TokenBatch& sentence, std::span<const TokenRange> ranges) {
  TokenBatch batch;
  batch.offsets = {0};
  for (const TokenRange& range : ranges) {
    for (std::size_t token = 0; token < sentence.n_tokens(); ++token) {
      if (token >= range.begin && token < range.end) continue;
      batch.ids.push_back(sentence.ids[token]);
      batch.segments.push_back(sentence.segments[token]);
    }
    batch.offsets.push_back(static_cast<std::uint32_t>(batch.ids.size()));
  }
  return batch;
}

// How strongly `logits` (labels) say `label`. Log-odds: a probability near 1 would hide all parts.
double strength(std::span<const float> logits, std::size_t label, Task task) {
  if (task != Task::classify) return double{logits[label]};
  double largest = -INFINITY;
  for (std::size_t other = 0; other < logits.size(); ++other) {
    if (other != label) largest = std::max(largest, double{logits[other]});
  }
  double sum = 0;
  for (std::size_t other = 0; other < logits.size(); ++other) {
    if (other != label) sum += std::exp(double{logits[other]} - largest);
  }
  return logits.size() < 2 ? 0.0 : double{logits[label]} - (largest + std::log(sum));
}

AttributedPart part_of(const TokenBatch& sentence, const TokenRange& range, std::string text,
                       double score) {
  return {.text = std::move(text),
          .segment = sentence.segments[range.begin],
          .bytes = {sentence.spans[range.begin].begin, sentence.spans[range.end - 1].end},
          .score = score};
}

void append_parts(std::string& out, const char* name, const std::vector<AttributedPart>& parts,
                  const Text& text) {
  out += std::string(", \"") + name + "\": [";
  for (std::size_t index = 0; index < parts.size(); ++index) {
    const AttributedPart& part = parts[index];
    const ByteSpan characters =
        character_spans(text_of(text, part.segment), std::span(&part.bytes, 1))[0];
    out += index == 0 ? "{\"text\": " : ", {\"text\": ";
    append_json(out, part.text);
    if (text.second) out += ", \"segment\": " + std::to_string(int{part.segment});
    out += ", \"start\": " + std::to_string(characters.begin) +
           ", \"end\": " + std::to_string(characters.end) + ", \"score\": ";
    append_json(out, static_cast<float>(part.score));
    out += '}';
  }
  out += ']';
}

std::string signed_score(double score) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%+.4f", score);
  return digits;
}

}  // namespace

bool is_attributable(Task task) noexcept {
  return task == Task::classify || task == Task::multi_label || task == Task::regress;
}

void check_attributable(const ModelInfo& info) {
  if (is_attributable(info.task)) return;
  throw Error(ErrorCode::usage,
              "--attribute explains a label or a number of a whole text; a model of task " +
                  std::string(name_of(info.task)) + " gives none");
}

Attribution attribute(const Model& model, Session& session, const Text& text,
                      std::uint32_t max_length, const std::optional<std::size_t>& label) {
  check_attributable(model.info());
  Attribution result;
  result.answer = session.classify({&text, 1})[0];
  result.label = label.value_or(result.answer.label);
  const TokenBatch sentence =
      model.tokenizer().encode({&text, 1}, max_length == 0 ? model.info().max_length : max_length);
  const Parts parts = parts_of(sentence, model.tokenizer());

  std::vector<TokenRange> left_out = parts.tokens;
  std::copy_if(parts.words.begin(), parts.words.end(), std::back_inserter(left_out),
               [](const TokenRange& word) { return word.size() > 1; });
  if (left_out.empty()) return result;
  const TokenBatch batch = batch_without(sentence, left_out);
  std::vector<float> logits(session.output_size(batch));
  session.run(batch, logits);

  const Task task = model.info().task;
  const std::size_t n_labels = result.answer.logits.size();
  const double whole = strength(result.answer.logits, result.label, task);
  const auto score_of = [&](std::size_t variant) {
    return whole -
           strength(std::span(logits).subspan(variant * n_labels, n_labels), result.label, task);
  };
  for (std::size_t token = 0; token < parts.tokens.size(); ++token) {
    const TokenRange& range = parts.tokens[token];
    result.tokens.push_back(part_of(sentence, range,
                                    std::string(model.tokenizer().piece(sentence.ids[range.begin])),
                                    score_of(token)));
  }
  std::size_t token = 0;
  std::size_t variant = parts.tokens.size();
  for (const TokenRange& word : parts.words) {
    result.words.push_back(
        part_of(sentence, word, "", word.size() == 1 ? score_of(token) : score_of(variant++)));
    token += word.size();
    AttributedPart& part = result.words.back();
    part.text = text_of(text, part.segment)
                    .substr(part.bytes.begin, std::size_t{part.bytes.end} - part.bytes.begin);
  }
  return result;
}

void append_json_line(std::string& out, const Attribution& attribution, const ModelInfo& info,
                      const Text& text, bool with_logits) {
  append_json_line(out, attribution.answer, info, with_logits);
  out.resize(out.size() - std::string_view("}\n").size());
  append_parts(out, "tokens", attribution.tokens, text);
  append_parts(out, "words", attribution.words, text);
  out += "}\n";
}

void append_table_lines(std::string& out, const Attribution& attribution, const ModelInfo& info,
                        const Text& text) {
  append_table_line(out, attribution.answer, info, text.first);
  auto token = attribution.tokens.begin();
  for (const AttributedPart& word : attribution.words) {
    std::string score = signed_score(word.score);
    score.insert(0, kScoreWidth - std::min(kScoreWidth, score.size()), ' ');
    out += score + "  " + one_line(word.text, kShownCharacters);
    const auto first = token;
    while (token != attribution.tokens.end() && token->segment == word.segment &&
           token->bytes.end <= word.bytes.end) {
      ++token;
    }
    for (auto piece = first; token - first > 1 && piece != token; ++piece) {
      out += (piece == first ? "  (" : ", ") + one_line(piece->text, kShownCharacters) + " " +
             signed_score(piece->score) + (piece + 1 == token ? ")" : "");
    }
    out += "\n";
  }
}

}  // namespace espalier::tools
