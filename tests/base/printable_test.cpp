// What untrusted bytes look like in a message: nothing in them acts on the terminal or hides.
#include "base/printable.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace espalier {
namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view bytes;
  std::string_view shown;
};

void expect_shown(const std::vector<Case>& cases) {
  for (const Case& one : cases) EXPECT_EQ(printable(one.bytes), one.shown);
}

TEST(Printable, KeepsValidUtf8) {
  expect_shown({
      {""sv, "''"},
      {"plain text ~"sv, "'plain text ~'"},
      {"caf\xc3\xa9"sv, "'caf\xc3\xa9'"},
      {"\xc2\xa0"sv, "'\xc2\xa0'"},  // U+00A0, just past the C1 controls
      {"\xe4\xb8\xad\xe6\x96\x87"sv, "'\xe4\xb8\xad\xe6\x96\x87'"},
      {"\xed\x9f\xbf\xee\x80\x80"sv, "'\xed\x9f\xbf\xee\x80\x80'"},  // around the surrogates
      {"\xf0\x9f\x98\x80"sv, "'\xf0\x9f\x98\x80'"},
      {"\xf4\x8f\xbf\xbf"sv, "'\xf4\x8f\xbf\xbf'"},  // U+10FFFF, the last one
  });
}

TEST(Printable, EscapesQuotesBackslashesAndAsciiControls) {
  expect_shown({
      {"a'b"sv, "'a\\x27b'"},
      {"a\\x27b"sv, "'a\\x5cx27b'"},
      {"\0\t\n\r"sv, "'\\x00\\x09\\x0a\\x0d'"},
      {"\x1b[31m\x7f"sv, "'\\x1b[31m\\x7f'"},
  });
}

TEST(Printable, EscapesCharactersThatActOnTheLineOrTheTerminal) {
  expect_shown({
      {"\xc2\x80"sv, "'\\xc2\\x80'"},  // C1, first
      {"\xc2\x9b"
       "31m"sv,
       "'\\xc2\\x9b"
       "31m'"},                                 // C1: control sequence introducer
      {"\xc2\x9f"sv, "'\\xc2\\x9f'"},           // C1, last
      {"\xd8\x9c"sv, "'\\xd8\\x9c'"},           // U+061C Arabic letter mark
      {"\xe2\x80\x8e"sv, "'\\xe2\\x80\\x8e'"},  // U+200E left-to-right mark
      {"\xe2\x80\x8f"sv, "'\\xe2\\x80\\x8f'"},  // U+200F right-to-left mark
      {"\xe2\x80\xa8"sv, "'\\xe2\\x80\\xa8'"},  // U+2028 line separator
      {"\xe2\x80\xa9"sv, "'\\xe2\\x80\\xa9'"},  // U+2029 paragraph separator
      {"\xe2\x80\xaa"sv, "'\\xe2\\x80\\xaa'"},  // U+202A first embedding
      {"\xe2\x80\xae"sv, "'\\xe2\\x80\\xae'"},  // U+202E right-to-left override
      {"\xe2\x81\xa6"sv, "'\\xe2\\x81\\xa6'"},  // U+2066 first isolate
      {"\xe2\x81\xa9"sv, "'\\xe2\\x81\\xa9'"},  // U+2069 last isolate
      {"\xe2\x80\xaf\xe2\x81\xa5"sv, "'\xe2\x80\xaf\xe2\x81\xa5'"},  // their neighbours stay
  });
}

TEST(Printable, EscapesEveryByteThatIsNotUtf8AndGoesOnAfterIt) {
  expect_shown({
      {"a\x80z"sv, "'a\\x80z'"},                         // a continuation alone
      {"\xff\xfe"sv, "'\\xff\\xfe'"},                    // never in UTF-8
      {"\xc3"sv, "'\\xc3'"},                             // cut
      {"\xc3z"sv, "'\\xc3z'"},                           // lead without continuation
      {"\xe4\xb8z"sv, "'\\xe4\\xb8z'"},                  // two bytes of three
      {"\xe4\xc3\xa9"sv, "'\\xe4\xc3\xa9'"},             // a character after a broken one
      {"\xc0\xaf\xc1\xbf"sv, "'\\xc0\\xaf\\xc1\\xbf'"},  // overlong, two bytes
      {"\xe0\x9f\xbf"sv, "'\\xe0\\x9f\\xbf'"},           // overlong, three
      {"\xf0\x8f\xbf\xbf"sv, "'\\xf0\\x8f\\xbf\\xbf'"},  // overlong, four
      {"\xed\xa0\x80"sv, "'\\xed\\xa0\\x80'"},           // first surrogate
      {"\xed\xbf\xbf"sv, "'\\xed\\xbf\\xbf'"},           // last surrogate
      {"\xf4\x90\x80\x80"sv, "'\\xf4\\x90\\x80\\x80'"},  // past U+10FFFF
      {"\xf5\x80\x80\x80"sv, "'\\xf5\\x80\\x80\\x80'"},
  });
}

TEST(Printable, CutsBeforeTheCharacterThatDoesNotFit) {
  const std::string_view bytes = "ab\xe4\xb8\xad\xc3\xa9";  // 2 + 3 + 2 bytes

  EXPECT_EQ(printable(bytes, 0), "'...'");
  EXPECT_EQ(printable(bytes, 2), "'ab...'");
  EXPECT_EQ(printable(bytes, 3), "'ab...'");
  EXPECT_EQ(printable(bytes, 4), "'ab...'");
  EXPECT_EQ(printable(bytes, 5), "'ab\xe4\xb8\xad...'");
  EXPECT_EQ(printable(bytes, 6), "'ab\xe4\xb8\xad...'");
  EXPECT_EQ(printable(bytes, 7), "'ab\xe4\xb8\xad\xc3\xa9'");
}

TEST(Printable, CutsLongTextAtEightyBytesUnlessToldOtherwise) {
  EXPECT_EQ(printable(std::string(80, 'a')), "'" + std::string(80, 'a') + "'");
  EXPECT_EQ(printable(std::string(81, 'a')), "'" + std::string(80, 'a') + "...'");
  EXPECT_EQ(printable(std::string(1000, 'a'), 1000).size(), 1002U);
}

}  // namespace
}  // namespace espalier
