// What the programs share: suggestions, and bytes made fit for JSON and for a terminal.
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "json_text.hpp"
#include "suggest.hpp"

namespace espalier::tools {
namespace {

constexpr std::array<std::string_view, 4> kWords = {"--text", "--pair", "--max-length", "-t"};

std::string json(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

std::string json(float number) {
  std::string out;
  append_json(out, number);
  return out;
}

TEST(Suggest, FindsAWordWithASlip) {
  EXPECT_EQ(did_you_mean("--txet", kWords), "; did you mean '--text'?");
  EXPECT_EQ(did_you_mean("--pairs", kWords), "; did you mean '--pair'?");
  EXPECT_EQ(did_you_mean("--max", kWords), "; did you mean '--max-length'?");
}

TEST(Suggest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(did_you_mean("--colour", kWords), "");
  EXPECT_EQ(did_you_mean("-x", kWords), "");
  EXPECT_EQ(did_you_mean("", kWords), "");
  EXPECT_EQ(did_you_mean(std::string(1000000, 'x'), kWords), "");
}

TEST(JsonText, EscapesWhatJsonForbids) {
  EXPECT_EQ(json("a\"b\\c\n\x01\x7f"), R"("a\"b\\c\u000a\u0001\u007f")");
  EXPECT_EQ(json("今天"), "\"今天\"");
}

TEST(JsonText, ReplacesEachByteThatIsNoCharacter) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(valid_utf8("\xff"
                       "a\xc3"),
            bad + "a" + bad);
  EXPECT_EQ(valid_utf8("\xc0\xaf"), bad + bad);                      // overlong
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), bad + bad + bad);            // a surrogate
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), bad + bad + bad + bad);  // beyond U+10FFFF
  EXPECT_EQ(valid_utf8("\xf0\x9f\x99\x82\xe4\xbb"), "\xf0\x9f\x99\x82" + bad + bad);
}

TEST(JsonText, FloatsReadBackAsTheyWere) {
  EXPECT_EQ(json(0.1F), "0.1");
  EXPECT_EQ(json(-2.0F), "-2");
  EXPECT_EQ(std::stof(json(0.30000001192F)), 0.30000001192F);
  EXPECT_EQ(json(std::numeric_limits<float>::infinity()), "null");
}

TEST(OneLine, EscapesControlsAndCutsByCharacters) {
  EXPECT_EQ(one_line("a\tb\x1b", 10), "a\\x09b\\x1b");
  EXPECT_EQ(one_line("今天很好", 2), "今天...");
  EXPECT_EQ(one_line("今天", 2), "今天");
}

}  // namespace
}  // namespace espalier::tools
