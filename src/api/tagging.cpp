// Labels for words: pieces go in windows of whole words, a word takes the label of its first piece.
#include <algorithm>
#include <string>

#include "api/session_impl.hpp"
#include "runtime/heads.hpp"

namespace espalier {
namespace {

constexpr std::uint32_t kNoToken = UINT32_MAX;

/// Sentences cut into windows, and where in the batch each word's first piece went.
class Windows {
 public:
  Windows(const text::Tokenizer& tokenizer, std::uint32_t max_length)
      : tokenizer_(tokenizer), max_length_(max_length) {}

  /// Appends a sentence. A word longer than a window keeps the pieces that fit. Every sentence gets
  /// a window, so that an empty one has its two special tokens like everywhere else.
  void add(const text::WordPieces& pieces) {
    open();
    for (std::size_t word = 0; word + 1 < pieces.first.size(); ++word) {
      const std::uint32_t capacity = max_length_ - 2;
      const std::uint32_t n_pieces =
          std::min(pieces.first[word + 1] - pieces.first[word], capacity);
      if (n_pieces == 0) {
        word_tokens_.push_back(kNoToken);
        continue;
      }
      if (n_window_pieces_ + n_pieces > capacity) {
        close();
        open();
      }
      word_tokens_.push_back(static_cast<std::uint32_t>(batch_.ids.size()));
      for (std::uint32_t piece = 0; piece < n_pieces; ++piece) {
        push(pieces.ids[pieces.first[word] + piece]);
      }
      n_window_pieces_ += n_pieces;
    }
    close();
    sentence_tokens_.push_back(static_cast<std::uint32_t>(batch_.ids.size()));
  }

  [[nodiscard]] const TokenBatch& batch() const noexcept { return batch_; }

  /// Row of the batch with the first piece of each word of all sentences, or kNoToken.
  [[nodiscard]] std::span<const std::uint32_t> word_tokens() const noexcept { return word_tokens_; }

  [[nodiscard]] std::uint32_t n_tokens(std::size_t sentence) const noexcept {
    return sentence_tokens_[sentence + 1] - sentence_tokens_[sentence];
  }

 private:
  void push(TokenId id) {
    batch_.ids.push_back(id);
    batch_.segments.push_back(0);
  }
  void open() {
    push(tokenizer_.cls());
    n_window_pieces_ = 0;
  }
  void close() {
    push(tokenizer_.sep());
    batch_.offsets.push_back(static_cast<std::uint32_t>(batch_.ids.size()));
  }

  const text::Tokenizer& tokenizer_;
  std::uint32_t max_length_;
  std::uint32_t n_window_pieces_ = 0;
  TokenBatch batch_{.ids = {}, .segments = {}, .offsets = {0}, .spans = {}, .truncated = {}};
  std::vector<std::uint32_t> word_tokens_;
  std::vector<std::uint32_t> sentence_tokens_ = {0};  // (sentences + 1)
};

/// The label of each token and its probability.
struct TokenLabels {
  std::vector<std::uint32_t> label;  // (tokens)
  std::vector<float> score;          // (tokens)
};

TokenLabels best_labels(std::span<const float> logits, std::size_t n_labels) {
  TokenLabels best;
  std::vector<float> scores(n_labels);
  for (; !logits.empty(); logits = logits.subspan(n_labels)) {
    std::copy_n(logits.begin(), n_labels, scores.begin());
    runtime::logits_to_scores(runtime::ScoreKind::softmax, scores);
    const auto first = logits.begin();
    const auto label = static_cast<std::size_t>(std::max_element(first, first + n_labels) - first);
    best.label.push_back(static_cast<std::uint32_t>(label));
    best.score.push_back(scores[label]);
  }
  return best;
}

std::vector<TaggedSpan> tagged_spans(const api::LabelScheme& scheme,
                                     std::span<const std::uint32_t> labels,
                                     std::span<const float> scores) {
  std::vector<TaggedSpan> spans;
  for (const api::LabelSpan& span : scheme.join(labels)) {
    float sum = 0;
    for (std::size_t word = span.begin; word < span.end; ++word) sum += scores[word];
    spans.push_back(
        {.label = std::string(span.type),
         .bytes = {},
         .words = {static_cast<std::uint32_t>(span.begin), static_cast<std::uint32_t>(span.end)},
         .score = sum / static_cast<float>(span.end - span.begin)});
  }
  return spans;
}

}  // namespace

std::vector<Tagging> Session::Impl::tag_words(
    std::span<const std::vector<std::string_view>> sentences, const CallLimits& call) {
  Windows windows(tokenizer(), max_length_);
  text::WordPieces pieces;
  for (std::size_t sentence = 0; sentence < sentences.size(); ++sentence) {
    runtime::check_limits(call);
    with_context("sentence " + std::to_string(sentence),
                 [&] { tokenizer().encode_words(sentences[sentence], pieces, scratch_); });
    windows.add(pieces);
  }
  const api::LabelScheme& scheme = model_.impl().label_scheme();
  const TokenLabels tokens = best_labels(answers(windows.batch(), call), executor_.head().width);
  std::span<const std::uint32_t> word_tokens = windows.word_tokens();
  std::vector<Tagging> results(sentences.size());
  std::vector<float> scores;
  for (std::size_t sentence = 0; sentence < results.size(); ++sentence) {
    Tagging& result = results[sentence];
    scores.clear();
    for (const std::uint32_t token : word_tokens.first(sentences[sentence].size())) {
      result.word_labels.push_back(token == kNoToken ? scheme.outside() : tokens.label[token]);
      scores.push_back(token == kNoToken ? 0 : tokens.score[token]);
    }
    word_tokens = word_tokens.subspan(sentences[sentence].size());
    result.spans = tagged_spans(scheme, result.word_labels, scores);
    result.n_tokens = windows.n_tokens(sentence);
  }
  return results;
}

}  // namespace espalier
