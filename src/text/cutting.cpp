// The inner half of the tokenizer: from a text's bytes to pieces. Plain ASCII words take a short
// way; everything else goes through the normalizer up to the next ASCII blank or punctuation, where
// nothing that went before can change what comes after.
#include <algorithm>

#include "text/tokenizer.hpp"
#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace espalier::text {
namespace {

ByteSpan byte_span(std::size_t begin, std::size_t end) {
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

}  // namespace

void Tokenizer::cut_text(const Job& job) const {
  job.out.clear();
  job.scratch.word_.clear();  // an exception may have left a word half read
  job.scratch.chars_.clear();
  AddedTokenFinder::Cursor cursor;
  std::size_t done = 0;
  while (!job.is_full()) {
    const std::optional<AddedTokenFinder::Match> match = raw_added_.next(job.text, cursor);
    cut_segment(job, done, match ? std::max(done, match->begin) : job.text.size());
    if (!match || job.is_full()) break;
    job.out.add(match->id, byte_span(match->begin, match->end));
    done = match->end;
  }
}

void Tokenizer::cut_segment(const Job& job, std::size_t begin, std::size_t end) const {
  if (!normalized_added_.empty()) {
    cut_normalized(job, begin, end);
    return;
  }
  const char* const text = job.text.data();
  while (begin < end && !job.is_full()) {
    switch (byte_class_[static_cast<std::uint8_t>(text[begin])]) {
      case ByteClass::space:
        ++begin;
        break;
      case ByteClass::punctuation:
        word_piece_.split(
            job.text.substr(begin, 1),
            [begin](std::size_t, std::size_t) { return byte_span(begin, begin + 1); }, job.out);
        ++begin;
        break;
      case ByteClass::word:
        begin = cut_ascii_word(job, begin, end);
        break;
      case ByteClass::other:
        begin = cut_any(job, begin, end);
        break;
    }
  }
}

std::size_t Tokenizer::cut_ascii_word(const Job& job, std::size_t begin, std::size_t end) const {
  const char* const text = job.text.data();
  std::size_t stop = begin + 1;
  while (stop < end && byte_class_[static_cast<std::uint8_t>(text[stop])] == ByteClass::word)
    ++stop;
  if (stop < end && byte_class_[static_cast<std::uint8_t>(text[stop])] == ByteClass::other) {
    return cut_any(job, begin, end);
  }
  const std::size_t n_chars = stop - begin;
  if (n_chars > word_piece_.max_chars()) {
    job.out.add(word_piece_.unk(), byte_span(begin, stop));
    return stop;
  }
  std::string& word = job.scratch.word_.bytes;
  word.resize(n_chars);
  for (std::size_t at = 0; at < n_chars; ++at) {
    word[at] = lower_byte_[static_cast<std::uint8_t>(text[begin + at])];
  }
  word_piece_.split(
      word,
      [begin](std::size_t first, std::size_t last) {
        return byte_span(begin + first, begin + last);
      },
      job.out);
  word.clear();
  return stop;
}

std::size_t Tokenizer::cut_any(const Job& job, std::size_t begin, std::size_t end) const {
  const std::string_view text = job.text.substr(0, end);
  Scratch& scratch = job.scratch;
  scratch.state_.run.clear();
  scratch.state_.last_source = byte_span(begin, begin);
  const auto read_pending = [&] {
    for (const NormalizedChar& next : scratch.chars_) read_char(job, next);
    scratch.chars_.clear();
  };
  while (begin < end && !job.is_full()) {
    const ByteClass kind = byte_class_[static_cast<std::uint8_t>(text[begin])];
    if (kind == ByteClass::space || kind == ByteClass::punctuation) break;
    const Decoded decoded = decode(text, begin);
    const std::size_t next = begin + decoded.n_bytes;
    normalizer_.push(decoded.code_point, byte_span(begin, next), scratch.state_, scratch.chars_);
    read_pending();
    begin = next;
  }
  normalizer_.finish(scratch.state_, scratch.chars_);
  read_pending();
  end_word(job);
  return begin;
}

// Added tokens that are looked for in cleaned text need all of it side by side.
void Tokenizer::cut_normalized(const Job& job, std::size_t begin, std::size_t end) const {
  Scratch& scratch = job.scratch;
  std::vector<NormalizedChar>& chars = scratch.segment_;
  chars.clear();
  scratch.state_ = {};
  const std::string_view text = job.text.substr(0, end);
  while (begin < end) {
    const Decoded decoded = decode(text, begin);
    normalizer_.push(decoded.code_point, byte_span(begin, begin + decoded.n_bytes), scratch.state_,
                     chars);
    begin += decoded.n_bytes;
  }
  normalizer_.finish(scratch.state_, chars);
  std::string& bytes = scratch.segment_bytes_;
  std::vector<std::uint32_t>& starts = scratch.segment_starts_;
  bytes.clear();
  starts.clear();
  for (const NormalizedChar& next : chars) {
    char encoded[4];
    starts.push_back(static_cast<std::uint32_t>(bytes.size()));
    bytes.append(encoded, encode_utf8(next.code_point, encoded));
  }
  const auto char_at = [&starts](std::size_t byte) {
    return static_cast<std::size_t>(std::lower_bound(starts.begin(), starts.end(), byte) -
                                    starts.begin());
  };
  const auto read_until = [&](std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to && !job.is_full(); ++at) read_char(job, chars[at]);
    end_word(job);
  };
  AddedTokenFinder::Cursor cursor;
  std::size_t done = 0;
  while (const std::optional<AddedTokenFinder::Match> match =
             normalized_added_.next(bytes, cursor)) {
    const std::size_t first = char_at(match->begin);
    const std::size_t last = char_at(match->end);
    read_until(done, first);
    if (job.is_full()) return;
    job.out.add(match->id, {chars[first].source.begin, chars[last - 1].source.end});
    done = last;
  }
  read_until(done, chars.size());
}

void Tokenizer::read_char(const Job& job, const NormalizedChar& next) const {
  const std::uint8_t flags = char_flags(next.code_point);
  if ((flags & kSpace) != 0) {
    end_word(job);
    return;
  }
  const bool is_punctuation = (flags & kPunctuation) != 0;
  if (is_punctuation) end_word(job);
  Scratch::Word& word = job.scratch.word_;
  if (word.n_chars == 0) word.whole.begin = next.source.begin;
  word.whole.end = next.source.end;
  ++word.n_chars;
  if (word.n_chars <= word_piece_.max_chars()) {
    char encoded[4];
    const std::uint32_t n_bytes = encode_utf8(next.code_point, encoded);
    word.bytes.append(encoded, n_bytes);
    word.sources.insert(word.sources.end(), n_bytes, next.source);
  }
  if (is_punctuation) end_word(job);
}

void Tokenizer::end_word(const Job& job) const {
  Scratch::Word& word = job.scratch.word_;
  if (word.n_chars > word_piece_.max_chars()) {
    job.out.add(word_piece_.unk(), word.whole);
  } else if (word.n_chars > 0) {
    const std::vector<ByteSpan>& sources = word.sources;
    word_piece_.split(
        word.bytes,
        [&sources](std::size_t first, std::size_t last) {
          return ByteSpan{sources[first].begin, sources[last - 1].end};
        },
        job.out);
  }
  word.clear();
}

}  // namespace espalier::text
