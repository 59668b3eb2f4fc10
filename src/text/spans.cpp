// Character counts come from marks every kStride bytes, so that spans may come in any order.
#include "text/spans.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace espalier::text {
namespace {

constexpr std::size_t kStride = 64;

class CharacterCounter {
 public:
  explicit CharacterCounter(std::string_view text) : text_(text) {
    std::uint32_t n_chars = 0;
    for (std::size_t at = 0; at < text.size(); ++n_chars) {
      if (at >= marks_.size() * kStride) marks_.push_back({at, n_chars});
      at += decode(text, at).n_bytes;
    }
  }

  // How many characters begin before byte `end`.
  [[nodiscard]] std::uint32_t count_before(std::size_t end) const {
    end = std::min(end, text_.size());
    if (marks_.empty()) return 0;
    // A mark lies at most a character past its place, then the one before it serves.
    std::size_t index = std::min(end / kStride, marks_.size() - 1);
    if (marks_[index].byte > end) --index;
    Mark mark = marks_[index];
    for (; mark.byte < end; ++mark.n_chars) mark.byte += decode(text_, mark.byte).n_bytes;
    return mark.n_chars;
  }

 private:
  struct Mark {
    std::size_t byte;       // where a character begins
    std::uint32_t n_chars;  // before it
  };

  std::string_view text_;
  std::vector<Mark> marks_;
};

struct WordChar {
  std::size_t begin;
  std::size_t end;
  bool is_punctuation;
};

// Splits off the punctuation at both ends of a run without white space.
void add_run(std::string_view text, const std::vector<WordChar>& run,
             std::vector<std::string_view>& words) {
  const auto is_inner = [](const WordChar& c) { return !c.is_punctuation; };
  const auto first = std::find_if(run.begin(), run.end(), is_inner);
  const auto last = std::find_if(run.rbegin(), run.rend(), is_inner).base();
  const auto add = [&](std::size_t begin, std::size_t end) {
    words.push_back(text.substr(begin, end - begin));
  };
  for (auto c = run.begin(); c != first; ++c) add(c->begin, c->end);
  if (first == run.end()) return;
  add(first->begin, std::prev(last)->end);
  for (auto c = last; c != run.end(); ++c) add(c->begin, c->end);
}

}  // namespace

std::vector<ByteSpan> character_spans(std::string_view text, std::span<const ByteSpan> spans) {
  const CharacterCounter counter(text);
  std::vector<ByteSpan> result;
  result.reserve(spans.size());
  for (const ByteSpan span : spans) {
    result.push_back({counter.count_before(span.begin), counter.count_before(span.end)});
  }
  return result;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  std::vector<WordChar> run;
  const auto end_run = [&] {
    add_run(text, run, words);
    run.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const Decoded decoded = decode(text, at);
    const std::size_t next = at + decoded.n_bytes;
    const std::uint8_t flags = char_flags(decoded.code_point);
    if ((flags & kSpace) != 0) {
      end_run();
    } else if ((flags & kIdeograph) != 0) {
      end_run();
      words.push_back(text.substr(at, decoded.n_bytes));
    } else {
      run.push_back({at, next, (flags & kPunctuation) != 0});
    }
    at = next;
  }
  end_run();
  return words;
}

}  // namespace espalier::text
