#include "text/vocabulary_counter.hpp"

#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace espalier::text {

VocabularyCounter::VocabularyCounter(const TokenizerSpec& spec, std::size_t max_words)
    : normalizer_(spec), max_word_chars_(spec.max_word_chars), max_words_(max_words) {}

void VocabularyCounter::add(std::string_view text) {
  state_ = {};
  for (std::size_t at = 0; at < text.size();) {
    const Decoded decoded = decode(text, at);
    at += decoded.n_bytes;
    normalizer_.push(decoded.code_point, {}, state_, chars_);
    read_chars();
  }
  normalizer_.finish(state_, chars_);
  read_chars();
  end_word();
}

void VocabularyCounter::read_chars() {
  for (const NormalizedChar& next : chars_) {
    const std::uint8_t flags = char_flags(next.code_point);
    const bool is_punctuation = (flags & kPunctuation) != 0;
    if ((flags & kSpace) != 0 || is_punctuation) end_word();
    if ((flags & kSpace) != 0) continue;
    if (++n_chars_ <= max_word_chars_) {
      char encoded[4];
      word_.append(encoded, encode_utf8(next.code_point, encoded));
    }
    if (is_punctuation) end_word();
  }
  chars_.clear();
}

void VocabularyCounter::end_word() {
  if (n_chars_ > 0 && n_chars_ <= max_word_chars_) {
    const auto found = counts_.find(std::string_view(word_));
    if (found != counts_.end()) {
      ++found->second;
    } else {
      counts_.emplace(word_, 1);
      if (counts_.size() > max_words_) drop_rare_words();
    }
  }
  word_.clear();
  n_chars_ = 0;
}

// A quarter of the room is freed at least, so that it is rarely called.
void VocabularyCounter::drop_rare_words() {
  while (counts_.size() > max_words_ - max_words_ / 4) {
    ++dropped_count_;
    std::erase_if(counts_, [&](const auto& word) { return word.second <= dropped_count_; });
  }
}

}  // namespace espalier::text
