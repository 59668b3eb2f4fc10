// Every code point against what the reference tokenizer does with it (data/unicode.txt, made by
// make_expectations.py). A failure prints rows for unicode_exceptions.cpp.
#include "text/unicode.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace espalier::text {
namespace {

constexpr char32_t kCodePoints = 0x110000;
constexpr std::uint8_t kClasses =
    kSpace | kPunctuation | kDropped | kIdeograph | kMark | kNonstarter;

bool is_surrogate(char32_t c) {
  return c >= 0xD800 && c < 0xE000;
}

struct Expectation {
  std::vector<std::uint8_t> classes = std::vector<std::uint8_t>(kCodePoints, 0);
  std::map<char32_t, std::u32string> decompositions;
  std::map<char32_t, std::u32string> lower;
};

std::uint8_t class_of(const std::string& letters) {
  static const std::map<char, CharFlag> flags = {{'d', kDropped},     {'s', kSpace},
                                                 {'p', kPunctuation}, {'c', kIdeograph},
                                                 {'m', kMark},        {'n', kNonstarter}};
  unsigned result = 0;
  for (const char letter : letters) result |= flags.at(letter);
  return static_cast<std::uint8_t>(result);
}

Expectation read_expectation() {
  Expectation expectation;
  std::ifstream file(TEST_DATA "/unicode.txt");
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '#') continue;
    std::istringstream fields(line);
    std::string first;
    std::string second;
    fields >> first >> second;
    const auto from = static_cast<char32_t>(std::stoul(first, nullptr, 16));
    if (second == "=" || second == ">") {
      std::u32string& parts =
          (second == "=" ? expectation.decompositions : expectation.lower)[from];
      for (std::string part; fields >> part;) {
        parts += static_cast<char32_t>(std::stoul(part, nullptr, 16));
      }
      continue;
    }
    const auto last = static_cast<char32_t>(std::stoul(second, nullptr, 16));
    std::string letters;
    fields >> letters;
    for (char32_t c = from; c <= last; ++c) expectation.classes[c] = class_of(letters);
  }
  // Hangul syllables decompose by the Unicode Standard's arithmetic (section 3.12).
  for (char32_t index = 0; index < 11172; ++index) {
    std::u32string parts = {0x1100 + index / 588, 0x1161 + index % 588 / 28};
    if (index % 28 != 0) parts += 0x11A7 + index % 28;
    expectation.decompositions[0xAC00 + index] = parts;
  }
  return expectation;
}

const Expectation& expectation() {
  static const Expectation read = read_expectation();
  return read;
}

std::u32string expected(const std::map<char32_t, std::u32string>& mapping, char32_t c) {
  const auto found = mapping.find(c);
  return found == mapping.end() ? std::u32string(1, c) : found->second;
}

std::u32string text_of(std::span<const char32_t> code_points) {
  return {code_points.begin(), code_points.end()};
}

std::string hex(char32_t c) {
  std::ostringstream stream;
  stream << std::hex << static_cast<std::uint32_t>(c);
  return stream.str();
}

TEST(Unicode, TheExpectationIsWhole) {
  EXPECT_EQ(expectation().classes[U'!'], kPunctuation);
  EXPECT_EQ(expectation().decompositions.size(), 11172U + 2060U);
  EXPECT_GT(expectation().lower.size(), 1400U);
}

TEST(Unicode, EveryCodePointHasTheClassesOfTheReference) {
  std::string differences;
  for (char32_t c = 0; c < kCodePoints; ++c) {
    if (is_surrogate(c)) continue;
    const auto found = static_cast<std::uint8_t>(char_flags(c) & kClasses);
    const std::uint8_t wanted = expectation().classes[c];
    if (found == wanted) continue;
    differences += "{0x" + hex(c) + ", 0x" + hex(c) + ", " + std::to_string(wanted & ~found) +
                   ", " + std::to_string(found & ~wanted) + "},\n";
  }
  EXPECT_EQ(differences, "") << "utf8proc is of another Unicode version";
}

TEST(Unicode, EveryCodePointDecomposesAsInTheReference) {
  std::size_t n_different = 0;
  for (char32_t c = 0; c < kCodePoints; ++c) {
    if (is_surrogate(c)) continue;
    CharBuffer buffer;
    const std::u32string found = text_of(decompose(c, buffer));
    if (found != expected(expectation().decompositions, c)) {
      ++n_different;
      ADD_FAILURE() << hex(c);
    }
    EXPECT_EQ((char_flags(c) & kDecomposes) != 0, found != std::u32string(1, c)) << hex(c);
    ASSERT_LT(n_different, 50U);
  }
}

TEST(Unicode, EveryCodePointHasTheLowerCaseOfTheReference) {
  std::size_t n_different = 0;
  for (char32_t c = 0; c < kCodePoints; ++c) {
    if (is_surrogate(c)) continue;
    CharBuffer buffer;
    const std::u32string found = text_of(to_lower(c, buffer));
    if (found != expected(expectation().lower, c)) {
      ++n_different;
      ADD_FAILURE() << hex(c);
    }
    EXPECT_EQ((char_flags(c) & kLowers) != 0, found != std::u32string(1, c)) << hex(c);
    ASSERT_LT(n_different, 50U);
  }
}

TEST(Unicode, WordCharactersAreLettersMarksDigitsAndConnectors) {
  for (const char32_t c : std::u32string(U"aZ9_é中か\u0301\u200D\u2160\u24B6")) {
    EXPECT_TRUE(is_word_character(c)) << hex(c);
  }
  for (const char32_t c : std::u32string(U" -.[!\u00B2\u2028\u20AC\U0001F600")) {
    EXPECT_FALSE(is_word_character(c)) << hex(c);
  }
}

}  // namespace
}  // namespace espalier::text
