// Decoding of any bytes: every code point there and back, and malformed parts one U+FFFD each.
#include "text/utf8.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace espalier::text {
namespace {

std::vector<char32_t> decode_all(std::string_view text) {
  std::vector<char32_t> code_points;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded decoded = decode(text, at);
    code_points.push_back(decoded.code_point);
    at += decoded.n_bytes;
  }
  return code_points;
}

TEST(Utf8, EveryCodePointComesBack) {
  for (char32_t code_point = 0; code_point < 0x110000; ++code_point) {
    if (code_point >= 0xD800 && code_point < 0xE000) continue;
    char bytes[4];
    const std::uint32_t n_bytes = encode_utf8(code_point, bytes);
    const std::string_view text(bytes, n_bytes);

    const Decoded forward = decode(text, 0);
    const Decoded backward = decode_before(text, n_bytes);

    ASSERT_EQ(forward.code_point, code_point);
    ASSERT_EQ(forward.n_bytes, n_bytes);
    ASSERT_EQ(backward.code_point, code_point);
    ASSERT_EQ(backward.n_bytes, n_bytes);
    ASSERT_TRUE(is_valid_utf8(text));
  }
}

TEST(Utf8, AMalformedPartIsOneReplacementCharacter) {
  const char32_t bad = kReplacement;

  EXPECT_EQ(decode_all("\xFF"), (std::vector<char32_t>{bad}));
  EXPECT_EQ(decode_all("abc\xC3"), (std::vector<char32_t>{'a', 'b', 'c', bad}));
  EXPECT_EQ(decode_all("\xC3("), (std::vector<char32_t>{bad, '('}));
  EXPECT_EQ(decode_all("\xE2(\xA1"), (std::vector<char32_t>{bad, '(', bad}));
  EXPECT_EQ(decode_all("\xED\xA0\x80"), (std::vector<char32_t>{bad, bad, bad}));  // surrogate
  EXPECT_EQ(decode_all("\xF5\x80\x80\x80"), (std::vector<char32_t>(4, bad)));     // too large
  EXPECT_EQ(decode_all("\xC0\xAF"), (std::vector<char32_t>{bad, bad}));           // overlong
  EXPECT_EQ(decode_all("\xF0\x9F\x98"), (std::vector<char32_t>{bad}));            // cut short
  EXPECT_EQ(decode_all("\xF0\x9F\x98z"), (std::vector<char32_t>{bad, 'z'}));
  EXPECT_EQ(decode_all(std::string_view("\0a", 2)), (std::vector<char32_t>{0, 'a'}));
}

TEST(Utf8, OnlyWellFormedTextIsValid) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("caf\xC3\xA9 \xEF\xBF\xBD"));
  EXPECT_FALSE(is_valid_utf8("caf\xC3"));
  EXPECT_FALSE(is_valid_utf8("\xED\xA0\x80"));
}

}  // namespace
}  // namespace espalier::text
