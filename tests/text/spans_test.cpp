// Byte spans to character spans, and words of free text.
#include "text/spans.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text/utf8.hpp"

namespace espalier::text {
namespace {

using Words = std::vector<std::string_view>;

TEST(CharacterSpans, CountCodePointsAndMalformedParts) {
  const std::string text = "a\xC3\xA9\xFF\xE4\xB8\xAD!";  // a é <bad> 中 !

  const std::vector<ByteSpan> found =
      character_spans(text, std::vector<ByteSpan>{{0, 1}, {1, 3}, {3, 4}, {4, 7}, {7, 8}, {0, 0}});

  EXPECT_EQ(found, (std::vector<ByteSpan>{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {0, 0}}));
}

TEST(CharacterSpans, PastTheEndReadsAsTheEnd) {
  EXPECT_EQ(character_spans("ab", std::vector<ByteSpan>{{1, 9}}), (std::vector<ByteSpan>{{1, 2}}));
  EXPECT_EQ(character_spans("", std::vector<ByteSpan>{{0, 3}}), (std::vector<ByteSpan>{{0, 0}}));
}

TEST(CharacterSpans, AgreeWithCountingFromTheStartInAnyOrder) {
  std::string text;
  for (int at = 0; at < 200; ++at)
    text += at % 3 == 0 ? "x" : at % 3 == 1 ? "\xC3\xA9" : "\xF0\x9F\x98\x80";
  std::vector<ByteSpan> spans;
  std::vector<ByteSpan> wanted;
  std::uint32_t n_chars = 0;
  for (std::uint32_t at = 0; at < text.size(); ++n_chars) {
    const std::uint32_t next = at + decode(text, at).n_bytes;
    spans.insert(spans.begin(), {at, next});  // last first
    wanted.insert(wanted.begin(), {n_chars, n_chars + 1});
    at = next;
  }

  EXPECT_EQ(character_spans(text, spans), wanted);
}

TEST(SplitWords, PunctuationAtTheEndsIsSplitOffAndInsideKept) {
  EXPECT_EQ(split_words("U.N. official Ekeus heads for \"Baghdad\", state-of-the-art..."),
            (Words{"U.N", ".", "official", "Ekeus", "heads", "for", "\"", "Baghdad", "\"", ",",
                   "state-of-the-art", ".", ".", "."}));
}

TEST(SplitWords, ChineseCharactersAreWordsOfTheirOwn) {
  EXPECT_EQ(split_words("我爱NLP。\u3000好"), (Words{"我", "爱", "NLP", "。", "好"}));
}

TEST(SplitWords, WordsAreViewsInOrderAndNothingElse) {
  EXPECT_EQ(split_words(""), Words{});
  EXPECT_EQ(split_words(" \t\n"), Words{});
  EXPECT_EQ(split_words("--"), (Words{"-", "-"}));
  const std::string text =
      " a\xFF"
      "b ";
  const Words words = split_words(text);
  ASSERT_EQ(words, (Words{"a\xFF"
                          "b"}));
  EXPECT_EQ(words[0].data(), text.data() + 1);
}

}  // namespace
}  // namespace espalier::text
