// Any bytes are a text: nothing crashes, spans stay inside and whole, and megabytes of the worst
// kind end. (A square of the length would be hours, so that a test's time limit finds it.)
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/text/small_spec.hpp"
#include "text/spans.hpp"
#include "text/tokenizer.hpp"
#include "text/utf8.hpp"

namespace espalier::text {
namespace {

constexpr std::size_t kLongBytes = 3'000'000;

TokenizerSpec spec_with_added_tokens() {
  TokenizerSpec spec = small_spec();
  const auto add = [&spec](const char* content, AddedToken token) {
    token.id = static_cast<TokenId>(spec.pieces.size());
    token.in_vocabulary = false;
    spec.pieces.emplace_back(content);
    spec.added.push_back(token);
  };
  add("[X]", {.lstrip = true, .rstrip = true});
  add("ab ab", {.single_word = true});
  add("  ", {.rstrip = true});
  add("Cat sat", {.lstrip = true, .rstrip = true, .normalized = true});
  return spec;
}

std::vector<TokenizerSpec> all_specs() {
  std::vector<TokenizerSpec> specs = {small_spec(), small_spec(), small_spec(),
                                      spec_with_added_tokens()};
  specs[1].lowercase = false;
  specs[1].strip_accents = false;
  specs[2].clean_text = false;
  specs[2].split_cjk = false;
  return specs;
}

TokenBatch encode_all(const Tokenizer& tokenizer, std::string_view text) {
  TokenBatch batch;
  Scratch scratch;
  tokenizer.encode({text}, {.truncation = Truncation::none}, batch, scratch);
  return batch;
}

void expect_sane(const Tokenizer& tokenizer, std::string_view text, const TokenBatch& batch) {
  ASSERT_GE(batch.n_tokens(), 2U);
  ASSERT_EQ(batch.spans.size(), batch.n_tokens());
  for (std::size_t token = 1; token + 1 < batch.n_tokens(); ++token) {
    const ByteSpan span = batch.spans[token];
    ASSERT_LT(span.begin, span.end);
    ASSERT_LE(span.end, text.size());
    ASSERT_LT(static_cast<std::size_t>(to_int(batch.ids[token])), tokenizer.vocabulary_size());
  }
}

TEST(HostileText, RandomBytesGiveSpansInsideTheText) {
  std::mt19937 random(11);
  const std::string_view parts[] = {
      "the ",   "a",   "\xCC\x81", "\xE3\x80\xAE", "\xF0\x9E\x80\x80", "\xC3\xA9", "\xE4\xB8\xAD",
      "[MASK]", "[X]", " ",        "ab ab",        "cat sat",          "\xFF",     "\xE2\x80"};
  for (const TokenizerSpec& spec : all_specs()) {
    const Tokenizer tokenizer(spec);
    for (int round = 0; round < 3000; ++round) {
      std::string text;
      for (std::size_t n_parts = random() % 24; n_parts > 0; --n_parts) {
        if (random() % 3 == 0) {
          text += static_cast<char>(random());
        } else {
          text += parts[random() % std::size(parts)];
        }
      }
      ASSERT_NO_FATAL_FAILURE(expect_sane(tokenizer, text, encode_all(tokenizer, text))) << text;
    }
  }
}

TEST(HostileText, MalformedBytesReadAsReplacementCharacters) {
  std::mt19937 random(13);
  const Tokenizer tokenizer(small_spec());
  for (int round = 0; round < 2000; ++round) {
    std::string text = "cat ";
    for (std::size_t n = random() % 20; n > 0; --n) text += static_cast<char>(random());
    std::string replaced;
    for (std::size_t at = 0; at < text.size();) {
      const Decoded decoded = decode(text, at);
      char bytes[4];
      replaced.append(bytes, encode_utf8(decoded.code_point, bytes));
      at += decoded.n_bytes;
    }

    const TokenBatch given = encode_all(tokenizer, text);
    const TokenBatch lossless = encode_all(tokenizer, replaced);

    ASSERT_EQ(given.ids, lossless.ids);
    ASSERT_EQ(character_spans(text, given.spans), character_spans(replaced, lossless.spans));
  }
}

TEST(HostileText, NulBytesAreDroppedInsideAWord) {
  const Tokenizer tokenizer(small_spec());
  const std::string text("c\0at", 4);

  const TokenBatch batch = encode_all(tokenizer, text);

  EXPECT_EQ(pieces_of(tokenizer, batch), (std::vector<std::string>{"[CLS]", "cat", "[SEP]"}));
  EXPECT_EQ(batch.spans[1], (ByteSpan{0, 4}));
}

TEST(HostileText, MegabytesOfAnyShapeEnd) {
  const std::string_view shapes[] = {"a",
                                     "ab ",
                                     " ",
                                     "[",
                                     "[MASK]",
                                     "[X] ",
                                     "\xCC\x81",
                                     "\xE3\x80\xAE\xCC\x81",
                                     "\xFF",
                                     "a\x01",
                                     "\xE4\xB8\xAD",
                                     "ab ab ",
                                     "cat sat ",
                                     "\xC3\xA9\xCC\x81",
                                     ".",
                                     std::string_view("\0", 1)};
  for (const TokenizerSpec& spec : {small_spec(), spec_with_added_tokens()}) {
    const Tokenizer tokenizer(spec);
    for (const std::string_view shape : shapes) {
      std::string text;
      text.reserve(kLongBytes + shape.size());
      while (text.size() < kLongBytes) text += shape;
      const TokenBatch batch = encode_all(tokenizer, text);
      ASSERT_NO_FATAL_FAILURE(expect_sane(tokenizer, text, batch)) << shape;
      ASSERT_EQ(character_spans(text, batch.spans).size(), batch.n_tokens());
    }
  }
}

TEST(HostileText, TheLongestWordTakesTheLongestWay) {
  // Every prefix of a^n is a piece but no continuation: each word tries all and fails.
  TokenizerSpec spec = small_spec();
  for (std::size_t n = 2; n < 100; ++n) spec.pieces.emplace_back(n, 'a');
  for (std::size_t n = 1; n < 99; ++n) spec.pieces.push_back("##" + std::string(n, 'a') + "b");
  const Tokenizer tokenizer(spec);
  std::string text;
  std::string word(100, 'a');
  word += ' ';
  while (text.size() < kLongBytes) text += word;

  const TokenBatch batch = encode_all(tokenizer, text);

  EXPECT_EQ(batch.n_tokens(), text.size() / 101 + 2);
  EXPECT_EQ(batch.ids[1], tokenizer.unk());
}

}  // namespace
}  // namespace espalier::text
